//! Calls of real programs: what comes of them, however they behave.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]
mod answers;
mod faults;
mod files;
mod keys;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tasks::call::{Call, Spec};
use tasks::format::Format;
use tasks::{Answer, Piece, Rows, Template, Work, runtime};
use tokio::sync::watch;

/// A text with `{}` for the value of the first column, and `{1}` for that of the second.
fn template(text: &str) -> Template {
    let mut pieces = Vec::new();
    for (i, part) in text.split("{}").enumerate() {
        if i > 0 {
            pieces.push(Piece::Column { at: 0, format: Format::default() });
        }
        for (j, part) in part.split("{1}").enumerate() {
            if j > 0 {
                pieces.push(Piece::Column { at: 1, format: Format::default() });
            }
            if !part.is_empty() {
                pieces.push(Piece::Text(part.to_owned()));
            }
        }
    }
    Template(pieces)
}

fn spec(words: &[&str]) -> Spec {
    Spec {
        timeout: Some(Duration::from_secs(60)),
        grace: Duration::from_millis(300),
        ..Spec::new(words.iter().map(|word| template(word)).collect())
    }
}

/// `sh` with a script in a file: no shell reads what is rendered.
fn script(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn texts(values: &[&str]) -> Rows {
    let column = Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    rows(vec![column])
}

fn numbers(count: i64) -> Rows {
    rows(vec![Arc::new(Int64Array::from_iter_values(0..count)) as ArrayRef])
}

fn rows(columns: Vec<ArrayRef>) -> Rows {
    let named = columns.into_iter().enumerate().map(|(i, column)| (format!("c{i}"), column));
    let batch = Arc::new(
        RecordBatch::try_from_iter_with_nullable(named.map(|(n, c)| (n, c, true))).unwrap(),
    );
    Rows { count: batch.num_rows(), batch, first: 0 }
}

/// One start for all rows.
fn run(spec: Spec, rows: Rows) -> Outcome {
    let (_go, stop) = watch::channel(false);
    let call = Call::new(spec).unwrap();
    let answer = runtime::handle().unwrap().block_on(call.run(rows.clone(), stop));
    let out = answer.repeats.as_ref().map_or(rows.count, |r| r.iter().sum::<u32>() as usize);
    assert!(answer.columns.iter().all(|column| column.len() == out));
    let types = answer.columns.iter().map(|column| column.data_type().clone());
    assert!(types.eq(call.fields().iter().map(|f| f.dtype.arrow())));
    let names = call.fields().iter().map(|f| f.name.to_string()).collect();
    Outcome { names, answer }
}

/// What came of a start.
struct Outcome {
    names: Vec<String>,
    answer: Answer,
}

impl Outcome {
    fn column(&self, name: &str) -> &ArrayRef {
        &self.answer.columns[self.names.iter().position(|n| n == name).unwrap()]
    }

    fn texts(&self, name: &str) -> Vec<Option<&str>> {
        self.column(name).as_string::<i32>().iter().collect()
    }

    fn ints(&self, name: &str) -> Vec<Option<i64>> {
        self.column(name).as_primitive::<Int64Type>().iter().collect()
    }

    fn floats(&self, name: &str) -> Vec<Option<f64>> {
        self.column(name).as_primitive::<Float64Type>().iter().collect()
    }

    /// Why the first row failed.
    fn why(&self) -> &str {
        self.answer.errors.first().and_then(Option::as_deref).unwrap_or("it has not failed")
    }

    fn well(self) -> Outcome {
        assert!(self.answer.errors.is_empty(), "{:?}", self.answer.errors);
        self
    }
}
