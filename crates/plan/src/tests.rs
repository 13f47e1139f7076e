//! `tests:` inside a pipeline file: small runs and what must come out.
use crate::build::Builder;
use crate::spec::{Spec, wrong_shape};
use crate::yaml::{Kind, Node};
use arrow_array::{Array, ArrayRef, RecordBatch, cast::AsArray, types};
use arrow_schema::{DataType, TimeUnit};
use base::{Code, Diagnostic, Span, Value, did_you_mean};

/// The keys a test may have, with their docs.
pub const KEYS: &[(&str, &str)] = &[
    ("name", "What the test shows."),
    ("with", "Parameters for this run: `{ n: 1000 }`."),
    ("then", "Steps added after the last one, so that a pipeline that writes can be looked at."),
    (
        "step",
        "The step whose rows are compared; the last one that reports rows where none is named.",
    ),
    ("expect", "Columns and their values, `{ total: 1/3 }`, or a list of such rows."),
    (
        "within",
        "The greatest relative difference of numbers; they must be equal where none is given.",
    ),
];

/// A test of a pipeline file.
#[derive(Clone, Debug)]
pub struct Test {
    /// Its name, or its parameters.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// Parameters of its run.
    pub sets: Vec<(String, String)>,
    /// Steps added after the last one.
    pub then: Vec<Node>,
    /// The step whose rows are compared.
    step: Option<(String, Span)>,
    /// The rows: columns and values.
    expect: Vec<Vec<(String, Value)>>,
    /// The greatest relative difference.
    within: f64,
}

/// Finds the mistakes in all tests of a file.
pub fn check(spec: &Spec, builder: &mut Builder) {
    let tests = read(spec, builder);
    let names: Vec<String> = spec.steps.iter().map(|s| s.name.clone()).collect();
    for test in &tests {
        let Some((step, span)) = &test.step else { continue };
        if !names.contains(step) && test.then.is_empty() {
            let near = did_you_mean(step, names.iter().map(String::as_str));
            let message = format!("no step is called `{step}`");
            builder.error(Diagnostic::error(Code::BadTest, *span, message).maybe_help(near));
        }
    }
}

/// The tests of a file.
pub fn read(spec: &Spec, builder: &mut Builder) -> Vec<Test> {
    spec.tests.iter().filter_map(|node| test(node, spec, builder)).collect()
}

fn test(node: &Node, spec: &Spec, b: &mut Builder) -> Option<Test> {
    for (key, _) in b.map(node, "a test is a mapping with `expect:`") {
        if !KEYS.iter().any(|(k, _)| *k == key.name) {
            let near = did_you_mean(&key.name, KEYS.iter().map(|(k, _)| *k));
            let message = format!("a test has no key `{}`", key.name);
            b.error(Diagnostic::error(Code::UnknownKey, key.span, message).maybe_help(near));
        }
    }
    node.map()?;
    let mut sets = Vec::new();
    if let Some(with) = node.get("with") {
        for (key, value) in b.map(with, "`with` is a mapping of parameters to values") {
            if !spec.params.iter().any(|(k, _)| k.name == key.name) {
                let near =
                    did_you_mean(&key.name, spec.params.iter().map(|(k, _)| k.name.as_str()));
                let message = format!("the file has no parameter `{}`", key.name);
                b.error(Diagnostic::error(Code::UnknownParam, key.span, message).maybe_help(near));
            }
            let text =
                b.scalar(value, "a parameter is a single value").map(|s| s.text.text.to_string());
            sets.extend(text.map(|t| (key.name.clone(), t)));
        }
    }
    let Some(expect) = node.get("expect") else {
        b.error(Diagnostic::error(Code::MissingKey, node.span, "a test needs `expect:`"));
        return None;
    };
    let expect = match &expect.kind {
        Kind::List(items) => items.iter().map(|n| row(n, b)).collect(),
        _ => vec![row(expect, b)],
    };
    let then = node.get("then").map(|n| match &n.kind {
        Kind::List(items) => items.clone(),
        _ => {
            b.error(wrong_shape(n, "`then` is a list of steps"));
            Vec::new()
        }
    });
    let within = node.get("within").and_then(|n| {
        let text = b.scalar(n, "`within` is a number")?.text.clone();
        b.constant(&text)?.as_f64()
    });
    let shown =
        sets.iter().map(|(n, v): &(String, String)| format!("{n} = {v}")).collect::<Vec<_>>();
    let name = node.get("name").and_then(Node::scalar).map(|s| s.text.text.to_string());
    Some(Test {
        name: name.unwrap_or_else(|| {
            if shown.is_empty() { "as it stands".into() } else { shown.join(", ") }
        }),
        span: node.span,
        sets,
        then: then.unwrap_or_default(),
        step: node.get("step").and_then(|n| Some((n.scalar()?.text.text.to_string(), n.span))),
        expect,
        within: within.unwrap_or(0.0),
    })
}

fn row(node: &Node, b: &mut Builder) -> Vec<(String, Value)> {
    let mut row = Vec::new();
    for (key, value) in b.map(node, "expected values are a mapping of columns to values") {
        let value = match &value.kind {
            Kind::Null => Some(Value::Null),
            Kind::Scalar(s) if s.quoted => Some(Value::Str(s.text.text.to_string())),
            Kind::Scalar(s) if &*s.text.text == "null" => Some(Value::Null),
            Kind::Scalar(s) => match crate::params::literal(&s.text.text, false) {
                // A bare word is text unless it means something in an expression.
                Value::Str(text) => match expr::parse(&s.text)
                    .ok()
                    .and_then(|e| expr::constant(&e, &b.params, &b.functions).ok())
                {
                    Some(value) => Some(value),
                    None => Some(Value::Str(text)),
                },
                value => Some(value),
            },
            _ => {
                b.error(wrong_shape(value, "a single value is expected here"));
                None
            }
        };
        row.extend(value.map(|v| (key.name.clone(), v)));
    }
    row
}

impl Test {
    /// Compares with what a run reported, `(step, rows)` each: what differs, a line each.
    pub fn differences(&self, results: &[(String, Vec<RecordBatch>)]) -> Vec<String> {
        let found = match &self.step {
            Some((step, _)) => results.iter().find(|(name, _)| name == step),
            None => results.last(),
        };
        let Some((_, batches)) = found else {
            return vec!["no step reported any rows".to_owned()];
        };
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        let mut lines = Vec::new();
        if rows != self.expect.len() {
            lines.push(format!("expected {} rows, got {rows}", self.expect.len()));
        }
        for (i, expected) in self.expect.iter().enumerate().take(rows) {
            for (name, value) in expected {
                let got = cell(batches, name, i);
                if !got.as_ref().is_some_and(|got| self.equal(got, value)) {
                    let got = got.map_or("no such column".to_owned(), |g| g.to_string());
                    lines.push(format!("row {i}, {name}: expected {value}, got {got}"));
                }
            }
        }
        lines
    }

    fn equal(&self, got: &Value, expected: &Value) -> bool {
        match (got.as_f64(), expected.as_f64()) {
            (Some(g), Some(e)) if g.is_nan() || e.is_nan() => g.is_nan() && e.is_nan(),
            (Some(g), Some(e)) => g == e || (g - e).abs() <= self.within * e.abs(),
            (None, None) => got == expected,
            _ => false,
        }
    }
}

fn cell(batches: &[RecordBatch], name: &str, mut row: usize) -> Option<Value> {
    for batch in batches {
        if row < batch.num_rows() {
            return Some(value(batch.column_by_name(name)?, row));
        }
        row -= batch.num_rows();
    }
    None
}

/// One value of an array of any type of [`base::DType`].
pub fn value(array: &ArrayRef, i: usize) -> Value {
    if array.is_null(i) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Boolean => Value::Bool(array.as_boolean().value(i)),
        DataType::Int32 => Value::Int(array.as_primitive::<types::Int32Type>().value(i).into()),
        DataType::Int64 => Value::Int(array.as_primitive::<types::Int64Type>().value(i)),
        DataType::Float32 => {
            Value::Float(array.as_primitive::<types::Float32Type>().value(i).into())
        }
        DataType::Float64 => Value::Float(array.as_primitive::<types::Float64Type>().value(i)),
        DataType::Utf8 => Value::Str(array.as_string::<i32>().value(i).to_owned()),
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            Value::Timestamp(array.as_primitive::<types::TimestampMicrosecondType>().value(i))
        }
        _ => Value::Null,
    }
}
