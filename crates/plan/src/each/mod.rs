//! A small pipeline for each row: its steps are checked and planned once, and run for every row.
//!
//! | file | what it is for |
//! |---|---|
//! | `row` | the row, as the steps see it |
//! | `first` | the row that tells the types of all |
//! | `ends` | what comes of a row: columns, or rows |
//! | `planned` | the plan for one row, made anew |
//! | `template` | the plan for all rows, where no row needs one of its own |
//! | `moved` | what of it is another for each row: what is read, what is written |
//! | `key` | what the answer for a row depends on |
mod ends;
mod first;
mod key;
mod moved;
mod planned;
mod row;
mod template;

pub use first::first_row;
pub use moved::{Moved, RowRead, Session};
pub use planned::Planned;
pub use row::{Alike, Row, array};
pub use template::Template;

use crate::build::{Builder, Replaced};
use crate::fingerprint::Print;
use crate::load::LoadOptions;
use crate::spec::Step;
use crate::steps::steps_of;
use arrow_array::RecordBatch;
use base::{Code, Field, Schema, Source, Span, Value};
use expr::UserFunction;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// A small pipeline for each row of a batch.
pub struct Each {
    source: Source,
    options: LoadOptions,
    title: String,
    titled: bool,
    /// Those that no column of the row hides.
    params: Vec<(String, Value)>,
    functions: Vec<UserFunction>,
    allow: Vec<Code>,
    hash: String,
    digest: [u8; 32],
    /// Where it stands.
    span: Span,
    steps: Vec<Step>,
    order: Vec<usize>,
    row: Vec<Field>,
    alike: Alike,
    /// What it adds to a row.
    pub fields: Vec<Field>,
    /// Whether what it adds is one row for each row.
    pub one: bool,
    /// Bytes that a row takes while it runs.
    pub memory: u64,
    /// The programs and addresses that steps inside use.
    pub uses: Vec<String>,
    /// The columns of the row that something in it names.
    used: Vec<usize>,
    meaning: Print,
    /// Which outputs earlier runs have made for rows, as far as the run knows.
    made: OnceLock<Replaced>,
    /// The plan for all rows, if there can be one.
    pub template: Option<Template>,
}

impl Each {
    /// Checks the steps under `node` for rows of a schema, of which `example` is one (a batch of one
    /// row), and plans them. Mistakes go to the builder, whose steps these are inside of.
    pub fn new(
        b: &mut Builder,
        (node, span): (&crate::yaml::Node, Span),
        schema: &Schema,
        example: &RecordBatch,
    ) -> Option<Each> {
        let before = b.diagnostics.errors();
        let (steps, order) = steps_of(Some(node), "each", span, &mut b.diagnostics);
        if b.diagnostics.errors() > before {
            return None;
        }
        let constants = b.row.as_ref().map_or(&b.params, |row| &row.constants);
        let hidden = |name: &str| schema.position(name).is_some();
        let params = constants.iter().filter(|(name, _)| !hidden(name)).cloned().collect();
        // Steps inside of steps inside: the plan depends on the row outside.
        b.row.iter().for_each(|row| row.fixed.set(true));
        let mut each = Each {
            source: b.source.clone(),
            options: b.options.clone(),
            title: b.title.clone(),
            titled: b.titled,
            params,
            functions: b.functions.clone(),
            allow: b.allow.clone(),
            hash: b.hash.clone(),
            digest: b.digest,
            span,
            steps,
            order,
            row: schema.to_rows().fields,
            alike: Alike::default(),
            fields: Vec::new(),
            one: true,
            memory: 0,
            uses: Vec::new(),
            used: Vec::new(),
            meaning: Print::default(),
            made: OnceLock::new(),
            template: None,
        };
        each.check(b, example)?;
        each.meaning = each.meant();
        each.template = each.template(example);
        Some(each)
    }

    /// A builder of its steps for a row of this batch; `known` says whether the values of the row
    /// are known to the plan.
    fn builder<'a>(
        &'a self,
        options: &'a LoadOptions,
        (batch, at): (&RecordBatch, usize),
        known: bool,
    ) -> Builder<'a> {
        let mut row = Row::new(&self.row, &self.params, &self.alike);
        row.set(batch, at);
        let mut b = Builder::new(&self.source, options);
        b.title.clone_from(&self.title);
        b.titled = self.titled;
        b.params = if known { row.constants.clone() } else { self.params.clone() };
        b.functions.clone_from(&self.functions);
        b.allow.clone_from(&self.allow);
        b.hash.clone_from(&self.hash);
        b.digest = self.digest;
        b.replaced = self.made.get().cloned();
        b.made = vec![None; self.steps.len()];
        b.graph.row = row.given(known);
        b.row = Some(row);
        b
    }

    /// Says which outputs may be replaced: those that earlier runs have made for rows.
    pub fn may_replace(&self, made: impl Fn(&Path) -> bool + Send + Sync + 'static) {
        // A plan is for one run.
        drop(self.made.set(Arc::new(made)));
    }

    /// What it does, in a versioned text: equal texts mean equal answers.
    pub fn identity(&self) -> String {
        format!("each 1 {}", self.meaning)
    }

    /// The columns of its rows, in the order of their batches.
    pub fn row(&self) -> &[Field] {
        &self.row
    }

    /// One line for `explain`.
    pub fn describe(&self) -> String {
        let names: Vec<&str> = self.steps.iter().map(|step| step.name.as_str()).collect();
        let planned = if self.template.is_some() { "once" } else { "for each row" };
        format!("each row: {}; planned {planned}", names.join(", "))
    }
}
