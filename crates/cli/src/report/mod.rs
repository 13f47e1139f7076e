//! The report of a run: tables of results, what was written, how long it took.
mod between;
mod json;
mod table;
mod value;
pub mod warnings;

use crate::numbers;
use arrow_array::RecordBatch;
use base::{Code, DType, Diagnostic, Schema, Value, Warning, grouped, visible};
use engine::profile::Profile;
use plan::physical::{Op, Physical};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

pub use json::json_row;
pub use table::render;
pub use value::{cell, harmless, quoted, text};

/// The rows that a step reports.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The step's `as` name or its operator's.
    pub step: String,
    /// Names and types of the columns.
    pub columns: Vec<(String, DType)>,
    /// The rows, in order.
    pub batches: Vec<RecordBatch>,
    /// Whether the user asked for so many rows: a table for people then has all of them.
    pub asked: bool,
    /// Whether there are more, which no report can hold.
    pub cut: bool,
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
    /// From what the engine collected. If nobody asked for the rows, one more than a report holds
    /// (`most`) stands for all beyond.
    pub fn new(step: &str, schema: &Schema, batches: &[RecordBatch], most: Option<u64>) -> Table {
        let columns = schema.fields.iter().map(|f| (f.name.to_string(), f.dtype)).collect();
        let (step, batches, asked) = (step.to_owned(), batches.to_vec(), most.is_none());
        let mut table = Table { step, columns, batches, asked, cut: false };
        if let Some(most) = most.and_then(|most| usize::try_from(most).ok()) {
            table.cut_to(most);
        }
        table
    }

    /// Those of a plan, of which the engine has collected the rows.
    pub fn all(physical: &Physical, results: &[(String, Schema, Vec<RecordBatch>)]) -> Vec<Table> {
        let most = physical.nodes.iter().filter_map(|node| match &node.op {
            Op::Show(show) => Some(show.most),
            _ => None,
        });
        most.zip(results).map(|(most, (step, s, rows))| Table::new(step, s, rows, most)).collect()
    }

    fn cut_to(&mut self, most: usize) {
        let mut left = most;
        for batch in &mut self.batches {
            self.cut |= batch.num_rows() > left;
            *batch = batch.slice(0, left.min(batch.num_rows()));
            left -= batch.num_rows();
        }
        self.batches.retain(|batch| batch.num_rows() > 0);
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// All rows, a value for each column.
    pub fn rows(&self) -> impl Iterator<Item = Vec<Value>> {
        self.batches.iter().flat_map(|batch| (0..batch.num_rows()).map(|i| row(batch, i)))
    }

    /// One of them.
    pub fn row(&self, i: usize) -> Vec<Value> {
        let mut i = i;
        for batch in &self.batches {
            match i.checked_sub(batch.num_rows()) {
                Some(after) => i = after,
                None => return row(batch, i),
            }
        }
        Vec::new()
    }

    /// What is to be said if rows are left out.
    pub fn warning(&self) -> Option<Warning> {
        let (step, rows) = (&self.step, grouped(self.len() as u64));
        self.cut.then(|| Warning {
            code: Code::ResultCut,
            span: None,
            message: format!("`{step}` has more than {rows} rows, of which these are the first"),
            help: "a report holds no more: `write` them into a file".into(),
            count: 1,
        })
    }
}

/// A row of a batch: a value for each column.
pub fn row(batch: &RecordBatch, i: usize) -> Vec<Value> {
    batch.columns().iter().map(|array| plan::tests::value(array, i)).collect()
}

impl Report {
    /// For people: the tables, numbers aligned on the right.
    pub fn tables(&self) -> String {
        let several = self.tables.len() > 1;
        let mut text = String::new();
        for (i, table) in self.tables.iter().enumerate() {
            if several {
                let gap = if i > 0 { "\n" } else { "" };
                text += &format!("{gap}{}\n", visible(&table.step));
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
