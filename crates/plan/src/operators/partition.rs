//! `partition`: rows into parts by the hash or the range of their keys.
use crate::build::Builder;
use crate::graph::{NodeId, PartitionPlan, PlanOp};
use crate::operator::{Inputs, Key, Operator, Shape};
use crate::physical::Dealt;
use crate::spec::{Step, wrong_shape};
use crate::yaml::{Kind, Node};
use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use base::{Code, DType, Diagnostic, Domain, Field, Value, did_you_mean};
use std::sync::Arc;

/// The most parts.
const MOST: i64 = 1 << 16;

/// The operator.
pub static PARTITION: Operator = Operator {
    name: "partition",
    doc: "Puts rows with equal keys into one part: `write: x.parquet` then makes a file of each.\n\
          `how: hash` spreads the keys over `into:` parts; which part a key gets depends on its \
          value and the number of parts alone, and never changes. `how: range` makes parts that \
          follow each other in the order of the keys and have about as many rows, or those between \
          given `bounds:`. Within a part the rows keep their order. All rows are held, and each part is made at once.",
    head: Shape::Names,
    keys: &[
        Key { name: "into", doc: "The number of parts.", shape: Shape::Constant },
        Key { name: "how", doc: "`hash`, which holds without it, or `range`.", shape: Shape::Text },
        Key {
            name: "bounds",
            doc: "The first value of each part but the first, ascending: `[10, 20]` makes three \
                  parts. For one key; missing values and NaN are in the last part.",
            shape: Shape::Any,
        },
    ],
    inputs: Inputs::One,
    example: "- range: { k: 0..1000 }\n- map: { station: k % 7 }\n- partition: station\n  into: 4",
    build,
};

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let (input, schema) = b.input(step)?;
    let columns = b.columns(&step.head, &schema);
    let keys: Vec<usize> = columns.iter().map(|(column, _)| *column).collect();
    if keys.is_empty() {
        if !b.diagnostics.has_errors() {
            b.error(wrong_shape(&step.head, "`partition` names the keys"));
        }
        return None;
    }
    let range = range(b, step)?;
    let (by, into) = match step.option("bounds") {
        Some(node) => {
            if let (Some(into), _) | (None, Some(into)) =
                (step.option("into"), step.option("how").filter(|_| !range))
            {
                let message = "`bounds` says which parts there are";
                let d = Diagnostic::error(Code::BadValue, into.span, message);
                b.error(d.help("leave this out, or `bounds`"));
            }
            if let [_, (_, span), ..] = columns[..] {
                let message = "`bounds` goes with one key";
                b.error(Diagnostic::error(Code::BadValue, span, message));
            }
            let bounds = bounds(b, node, &schema.fields[keys[0]])?;
            let parts = bounds.len() as u64 + 1;
            (Dealt::Bounds(bounds), parts)
        }
        None => {
            let Some(node) = step.option("into") else {
                let message = "`partition` needs the number of parts";
                let d = Diagnostic::error(Code::MissingKey, step.span, message);
                b.error(d.help("say `into: 16`"));
                return None;
            };
            let into = b.integer(node, "the number of parts", 1)?;
            if into > MOST {
                let message = format!("there may be {MOST} parts at most, not {into}");
                b.error(Diagnostic::error(Code::BadValue, node.span, message));
            }
            (if range { Dealt::Range } else { Dealt::Hash }, into as u64)
        }
    };
    let mut rows = schema.to_rows();
    rows.domain = Domain::rows();
    Some(b.add(step, PlanOp::Partition(PartitionPlan { keys, into, by }), vec![input], rows))
}

/// Whether parts are ranges.
fn range(b: &mut Builder, step: &Step) -> Option<bool> {
    let Some(node) = step.option("how") else { return Some(step.option("bounds").is_some()) };
    let text = b.text(node, "`how` is hash or range")?;
    match text.as_str() {
        "hash" => Some(false),
        "range" => Some(true),
        _ => {
            let message = format!("rows are not partitioned by `{text}`");
            b.error(
                Diagnostic::error(Code::BadValue, node.span, message)
                    .maybe_help(did_you_mean(&text, ["hash", "range"]))
                    .help("`how` is hash or range"),
            );
            None
        }
    }
}

/// Ascending values of the type of a key.
fn bounds(b: &mut Builder, node: &Node, key: &Field) -> Option<ArrayRef> {
    let Kind::List(items) = &node.kind else {
        b.error(wrong_shape(node, "`bounds` is a list of values"));
        return None;
    };
    let mut values = Vec::new();
    for item in items {
        let scalar = b.scalar(item, "a bound is a single value")?;
        values.push(match scalar.quoted {
            true => Value::Str(scalar.text.text.to_string()),
            false => {
                let text = scalar.text.clone();
                b.constant(&text)?
            }
        });
    }
    for (i, value) in values.iter().enumerate() {
        let array = array(std::slice::from_ref(value), key.dtype);
        if array.is_none() {
            let message = format!("`{}` is {}, and {value} is not", key.name, key.dtype);
            b.error(Diagnostic::error(Code::TypeMismatch, items[i].span, message));
            return None;
        }
        if i > 0 && !ascend(&values[i - 1], value) {
            let message = format!("bounds ascend, but {value} follows {}", values[i - 1]);
            b.error(Diagnostic::error(Code::BadValue, items[i].span, message));
            return None;
        }
    }
    array(&values, key.dtype)
}

fn ascend(one: &Value, next: &Value) -> bool {
    match (one, next) {
        (Value::Int(a), Value::Int(b)) | (Value::Timestamp(a), Value::Timestamp(b)) => a < b,
        (Value::Str(a), Value::Str(b)) => a < b,
        (Value::Bool(a), Value::Bool(b)) => !a & b,
        (a, b) => a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| a < b),
    }
}

/// Values as an array of a type; `None` if one does not have it.
fn array(values: &[Value], dtype: DType) -> Option<ArrayRef> {
    let ints = || values.iter().map(Value::as_i64).collect::<Option<Vec<i64>>>();
    let floats = || values.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>();
    Some(match dtype {
        DType::Bool => {
            let bool = |v: &Value| if let Value::Bool(x) = v { Some(*x) } else { None };
            Arc::new(BooleanArray::from(values.iter().map(bool).collect::<Option<Vec<_>>>()?))
        }
        DType::Int32 => {
            let narrow = ints()?.into_iter().map(|x| i32::try_from(x).ok());
            Arc::new(Int32Array::from(narrow.collect::<Option<Vec<_>>>()?))
        }
        DType::Int64 => Arc::new(Int64Array::from(ints()?)),
        DType::Float32 => {
            Arc::new(Float32Array::from_iter_values(floats()?.into_iter().map(|x| x as f32)))
        }
        DType::Float64 => Arc::new(Float64Array::from(floats()?)),
        DType::String => {
            let text = |v: &Value| if let Value::Str(s) = v { Some(s.clone()) } else { None };
            Arc::new(StringArray::from(values.iter().map(text).collect::<Option<Vec<_>>>()?))
        }
        DType::Timestamp => {
            let time = |v: &Value| if let Value::Timestamp(t) = v { Some(*t) } else { None };
            let times = values.iter().map(time).collect::<Option<Vec<_>>>()?;
            Arc::new(TimestampMicrosecondArray::from(times))
        }
        DType::Binary => return None,
    })
}
