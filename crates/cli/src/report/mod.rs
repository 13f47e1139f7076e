//! The report of a run: tables of results, what was written, how long it took.
mod json;
mod table;
mod value;
pub mod warnings;

use crate::numbers;
use arrow_array::RecordBatch;
use base::{DType, Diagnostic, Schema, Value, Warning};
use engine::profile::Profile;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

pub use value::{quoted, text};

/// The rows that a step reports.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The step's `as` name or its operator's.
    pub step: String,
    /// Names and types of the columns.
    pub columns: Vec<(String, DType)>,
    /// A value for each column.
    pub rows: Vec<Vec<Value>>,
}

/// An output under its final name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Where it is.
    pub path: PathBuf,
    /// Files under it, or 1.
    pub files: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Whether it was there already, as it should be.
    #[serde(default)]
    pub kept: bool,
}

/// How the run went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// From the first tile handed out to the last result.
    pub seconds: f64,
    /// From the start of the launcher to the first tile handed out.
    pub startup_seconds: f64,
    /// Worker threads in all processes.
    pub workers: usize,
    /// Processes that did work.
    pub processes: usize,
    /// Tiles handed out.
    pub tiles: u64,
    /// Bytes of state that did not fit into memory.
    pub spilled: u64,
    /// Where they went.
    pub spill: PathBuf,
}

/// The report of a run that ended well.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// In the order of the steps.
    pub tables: Vec<Table>,
    /// In the order of the steps.
    pub outputs: Vec<Output>,
    /// How it went.
    pub summary: Summary,
    /// What the time went into, for each process, if that was asked for.
    pub profiles: Vec<Profile>,
    /// What the values gave rise to, in all processes.
    pub met: Vec<Warning>,
    /// All that is to be said at the end: what the plan gave rise to, then the values.
    pub warnings: Vec<Diagnostic>,
}

impl Table {
    /// From what the engine collected.
    pub fn new(step: &str, schema: &Schema, batches: &[RecordBatch]) -> Table {
        let columns = schema.fields.iter().map(|f| (f.name.to_string(), f.dtype)).collect();
        let row = |batch: &RecordBatch, i| {
            batch.columns().iter().map(|a| plan::tests::value(a, i)).collect()
        };
        let rows = batches
            .iter()
            .flat_map(|batch| (0..batch.num_rows()).map(move |i| row(batch, i)))
            .collect();
        Table { step: step.to_owned(), columns, rows }
    }
}

impl Report {
    /// For people: the tables, numbers aligned on the right.
    pub fn tables(&self) -> String {
        let several = self.tables.len() > 1;
        let mut text = String::new();
        for (i, table) in self.tables.iter().enumerate() {
            if several {
                let gap = if i > 0 { "\n" } else { "" };
                text += &format!("{gap}{}\n", table.step);
            }
            text += &table.render();
        }
        text
    }

    /// For people: what was written and how long it took, a line each.
    pub fn notes(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.outputs.iter().map(Output::line).collect();
        let Summary { seconds, startup_seconds, tiles, spilled, ref spill, .. } = self.summary;
        if spilled > 0 {
            lines.push(format!("spilled {} to {}", numbers::bytes(spilled), spill.display()));
        }
        lines.push(format!(
            "done: {} in {} (and {} to start)",
            numbers::count(tiles, "tile"),
            numbers::time(seconds),
            numbers::time(startup_seconds)
        ));
        lines
    }
}

impl Output {
    fn line(&self) -> String {
        let (path, size) = (self.path.display(), numbers::bytes(self.bytes));
        let word = if self.kept { "kept" } else { "wrote" };
        match self.files {
            1 => format!("{word} {path} ({size})"),
            n => format!("{word} {path} ({}, {size})", numbers::count(n, "file")),
        }
    }
}
