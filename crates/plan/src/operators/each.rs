//! `each`: a small pipeline for every row.
use crate::build::Builder;
use crate::each::{Each, first_row};
use crate::graph::NodeId;
use crate::operator::{Inputs, Key, Operator, Shape};
use crate::physical::TaskWork;
use crate::spec::{Step, wrong_shape};
use crate::task;
use crate::template::Templates;
use crate::yaml::{Kind, Node, Scalar};
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_cast::cast;
use base::{Code, Diagnostic, Schema, did_you_mean};
use std::sync::Arc;

/// The operator.
pub static EACH: Operator = Operator {
    name: "each",
    doc: "Runs a small pipeline for every row.\n\
          Its steps see the columns of the row as parameters: in expressions, in texts \
          (`${path}`, `${k:04d}`), in domains (`range: { k: 1..=n }`) and in options. What they end \
          in goes to the row: a `reduce` adds its columns; where they end in rows, the row is \
          repeated beside each of them; a `write` adds nothing. They are checked and planned once, \
          with the first row, and what differs in another row is that row's error.",
    head: Shape::Steps,
    keys: &KEYS,
    inputs: Inputs::One,
    example: "- rows: [{ n: 10 }, { n: 20 }]\n- each:\n    - range: { k: 1..=n }\n    - reduce: { total: sum(k) }",
    build,
};

/// The keys of all steps that do something for each row, and one of its own.
const KEYS: [Key; 8] = {
    const LIKE: Key = Key {
        name: "like",
        doc: "A row as an example, `{ path: a.nc }`, where the first one is not known before the \
              run: behind `reduce`, `sort` and `join`.",
        shape: Shape::Any,
    };
    let mut keys = [LIKE; 8];
    let mut i = 0;
    while i < task::KEYS.len() {
        keys[i] =
            Key { name: task::KEYS[i].name, doc: task::KEYS[i].doc, shape: task::KEYS[i].shape };
        i += 1;
    }
    keys
};

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let (input, schema) = b.input(step)?;
    let each = each(b, step, input)?;
    let request = task::Request {
        fields: each.fields.clone(),
        many: !each.one,
        identity: each.identity(),
        uses: each.uses.clone(),
        templates: Templates::new(&schema),
        work: TaskWork::Each(each),
    };
    task::add(b, step, input, &schema, request)
}

/// The steps of an `each` for rows of a node, checked and planned.
fn each(b: &mut Builder, step: &Step, input: NodeId) -> Option<Arc<Each>> {
    let schema = b.graph.nodes[input].schema.clone();
    let example = match step.option("like") {
        Some(node) => like(b, node, &schema)?,
        None => match first_row(&b.graph, input) {
            Some(row) => row,
            None => {
                let message = "what the first row will be is not known before the run, and its \
                               values tell the types inside of `each`";
                let names = schema.names().next().unwrap_or("path");
                let help = format!("give a row as an example beside it: `like: {{ {names}: … }}`");
                b.error(Diagnostic::error(Code::MissingKey, step.span, message).help(help));
                return None;
            }
        },
    };
    Each::new(b, (&step.head, step.span), &schema, &example).map(Arc::new)
}

/// The row that `like:` gives as an example: columns that it does not name are missing.
fn like(b: &mut Builder, node: &Node, schema: &Schema) -> Option<RecordBatch> {
    let rows = schema.to_rows();
    let empty = |field: &base::Field| arrow_array::new_null_array(&field.dtype.arrow(), 1);
    let mut columns: Vec<ArrayRef> = rows.fields.iter().map(empty).collect();
    for (key, value) in b.map(node, "`like` is a mapping of columns to values").to_vec() {
        let Some(at) = rows.position(&key.name) else {
            let near = did_you_mean(&key.name, rows.names());
            let message = format!("the rows have no column `{}`", key.name);
            b.error(Diagnostic::error(Code::UnknownColumn, key.span, message).maybe_help(near));
            continue;
        };
        let Kind::Scalar(scalar) = &value.kind else {
            b.error(wrong_shape(&value, "a single value is expected here"));
            continue;
        };
        let dtype = rows.fields[at].dtype;
        match single(b, scalar).and_then(|array| cast(&array, &dtype.arrow()).ok()) {
            Some(array) if array.null_count() == 0 => columns[at] = array,
            _ => {
                let message = format!("`{}` is {dtype}, and this value is not", key.name);
                b.error(Diagnostic::error(Code::TypeMismatch, value.span, message));
            }
        }
    }
    let fields = rows.fields.into_iter().map(|f| base::Field { nullable: true, ..f }).collect();
    let schema = Schema { fields, ..rows };
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    RecordBatch::try_new_with_options(schema.arrow(), columns, &options).ok()
}

fn single(b: &mut Builder, scalar: &Scalar) -> Option<ArrayRef> {
    let text = crate::template::constant(b, &scalar.text)?;
    Some(crate::each::array(&crate::params::literal(&text, scalar.quoted)))
}
