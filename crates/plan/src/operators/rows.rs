//! `rows`: a small table written in the pipeline file.
use crate::build::Builder;
use crate::graph::{NodeId, PlanOp, ReadPlan};
use crate::operator::{Inputs, Operator, Shape};
use crate::params::value_of;
use crate::spec::{Step, wrong_shape};
use crate::yaml::{Kind, Node, Scalar};
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use base::{Attributes, Code, DType, Diagnostic, DimMask, Domain, Field, Schema, Span, Value};
use expr::Given;
use std::sync::Arc;

/// The operator.
pub static ROWS: Operator = Operator {
    name: "rows",
    doc: "Makes a small table from values written in the file.\n\
          A list of mappings; a column that a row lacks is missing there. Whole numbers make \
          int64, other numbers float64 (`.inf`, `.nan` too, and `inf`, `nan` beside other numbers), \
          true and false bool, the rest text.",
    head: Shape::Rows,
    keys: &[],
    inputs: Inputs::None,
    example: "- rows:\n    - { city: Oslo, t: 4.5 }\n    - { city: Rome, t: 16.0 }",
    build,
};

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let Kind::List(items) = &step.head.kind else {
        b.error(
            wrong_shape(&step.head, "`rows` is a list of mappings")
                .help("write `- rows: [{ a: 1 }, { a: 2 }]`"),
        );
        return None;
    };
    let mut columns: Vec<(String, Span, Vec<Value>)> = Vec::new();
    for (i, item) in items.iter().enumerate() {
        row(b, item, i, &mut columns);
    }
    if columns.is_empty() {
        let message = "`rows` needs at least one row with one value";
        b.error(Diagnostic::error(Code::BadDomain, step.head.span, message));
        return None;
    }
    let size = items.len();
    let mut schema = Schema {
        domain: Domain::new([("row", size as u64)]),
        fields: Vec::new(),
        attributes: Attributes::default(),
    };
    let (mut given, mut mixed) = (Vec::new(), false);
    for (name, span, mut values) in columns {
        values.resize(size, Value::Null);
        let Some((dtype, array)) = array(b, &name, span, &values) else {
            mixed = true;
            continue;
        };
        let mut field = Field::new(name, dtype, DimMask::only(0));
        field.nullable = values.contains(&Value::Null);
        schema.fields.push(field);
        given.push(Given::Table(array));
    }
    if mixed {
        return None;
    }
    let read = ReadPlan {
        place: String::new(),
        source: None,
        offset: vec![0],
        columns: vec![None; schema.fields.len()],
        describe: format!("{size} rows"),
        request: String::new(),
        files: None,
        fused: None,
        survivors: None,
    };
    Some(b.node(step, PlanOp::Read(read), Vec::new(), schema, given))
}

fn row(b: &mut Builder, item: &Node, i: usize, columns: &mut Vec<(String, Span, Vec<Value>)>) {
    for (key, node) in b.map(item, "a row is a mapping of names to values") {
        let value = match &node.kind {
            _ if node.is_nothing() => Value::Null,
            Kind::Scalar(scalar) => number_word(scalar).unwrap_or_else(|| value_of(scalar)),
            _ => {
                b.error(wrong_shape(node, "a single value is expected here"));
                Value::Null
            }
        };
        let at = columns.iter().position(|(name, ..)| *name == key.name).unwrap_or_else(|| {
            columns.push((key.name.clone(), key.span, Vec::new()));
            columns.len() - 1
        });
        columns[at].2.resize(i, Value::Null);
        columns[at].2.push(value);
    }
}

/// YAML's own words for numbers that have no digits.
fn number_word(scalar: &Scalar) -> Option<Value> {
    let value = match &*scalar.text.text {
        _ if scalar.quoted => return None,
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => f64::INFINITY,
        "-.inf" | "-.Inf" | "-.INF" => f64::NEG_INFINITY,
        ".nan" | ".NaN" | ".NAN" => f64::NAN,
        _ => return None,
    };
    Some(Value::Float(value))
}

/// A value as a number, if other values of its column are: `inf` and `nan` as in expressions.
fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Str(text) => match text.as_str() {
            "inf" => Some(f64::INFINITY),
            "-inf" => Some(f64::NEG_INFINITY),
            "nan" => Some(f64::NAN),
            _ => None,
        },
        number => number.as_f64(),
    }
}

fn array(b: &mut Builder, name: &str, span: Span, values: &[Value]) -> Option<(DType, ArrayRef)> {
    let all = |f: fn(&Value) -> bool| values.iter().all(|v| *v == Value::Null || f(v));
    if all(|v| matches!(v, Value::Bool(_))) {
        let get = |v: &Value| if let Value::Bool(x) = v { Some(*x) } else { None };
        return Some((DType::Bool, Arc::new(BooleanArray::from_iter(values.iter().map(get)))));
    }
    if all(|v| matches!(v, Value::Int(_))) {
        let ints = values.iter().map(Value::as_i64);
        return Some((DType::Int64, Arc::new(Int64Array::from_iter(ints))));
    }
    let number = values.iter().any(|v| matches!(v, Value::Int(_) | Value::Float(_)));
    if number && all(|v| as_number(v).is_some()) {
        let numbers = values.iter().map(as_number);
        return Some((DType::Float64, Arc::new(Float64Array::from_iter(numbers))));
    }
    if !all(|v| matches!(v, Value::Str(_))) {
        let message = format!("the column `{name}` mixes text with other values");
        b.error(
            Diagnostic::error(Code::TypeMismatch, span, message)
                .help("quote the others if all are text"),
        );
        return None;
    }
    let get = |v: &Value| if *v == Value::Null { None } else { Some(v.to_string()) };
    Some((DType::String, Arc::new(StringArray::from_iter(values.iter().map(get)))))
}
