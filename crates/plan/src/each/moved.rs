//! What of the plan for all rows is another for each of them: what is read, and what is written.
use super::planned::warnings;
use super::template::Template;
use super::{Each, Row};
use crate::build::Builder;
use crate::graph::{PlanNode, PlanOp, ReadPlan};
use crate::load::LoadOptions;
use crate::outputs;
use crate::sinks::sink;
use crate::tiling::tiling;
use arrow_array::{ArrayRef, RecordBatch};
use base::{Domain, Schema, Tiling, Warning};
use expr::Given;
use formats::{Sink, TileSource};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Rows with more points have plans of their own, for which rules look into what is read.
const MOST_POINTS: u64 = 1 << 20;

/// What is another for a row.
pub struct Moved {
    /// What is read.
    pub read: RowRead,
    /// What is written, in the order of [`Template::sinks`].
    pub sinks: Vec<Arc<dyn Sink>>,
    /// The columns of the row, each an array of one value.
    pub row: Vec<ArrayRef>,
    /// What the user should know of inputs and outputs.
    pub warnings: Vec<Warning>,
}

/// What is read for a row.
pub struct RowRead {
    /// The file, if there is one.
    pub source: Option<Arc<dyn TileSource>>,
    /// Where the box begins in the file's own.
    pub offset: Vec<u64>,
    /// For each column of the reader its position in the file's schema.
    pub columns: Vec<Option<usize>>,
    /// What is known of those that no file has.
    pub given: Vec<Given>,
    /// The box.
    pub domain: Domain,
    /// Its cuts.
    pub tiling: Tiling,
}

/// Rows of a batch, one after the other.
pub struct Session<'a> {
    each: &'a Each,
    template: &'a Template,
    batch: &'a RecordBatch,
    builder: Builder<'a>,
}

impl Each {
    /// What is the same for all rows in this process, as the plan of a row needs it.
    pub fn options_of_a_row(&self) -> LoadOptions {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let own = |folder: &PathBuf| {
            let number = COUNT.fetch_add(1, Relaxed);
            folder.join(format!("each-{}-{number}", std::process::id()))
        };
        LoadOptions { scratch: self.options.scratch.as_ref().map(own), ..self.options.clone() }
    }

    /// Begins with rows of a batch; `options` are of this process.
    pub fn session<'a>(
        &'a self,
        template: &'a Template,
        options: &'a LoadOptions,
        batch: &'a RecordBatch,
    ) -> Session<'a> {
        let builder = self.builder(options, (batch, 0), false);
        Session { each: self, template, batch, builder }
    }
}

impl Session<'_> {
    /// What is another for row `at`; `None` if it needs a plan of its own.
    ///
    /// # Errors
    /// What is wrong with the row: a sentence, with the place of the step.
    pub fn row(&mut self, at: usize) -> Result<Option<Moved>, String> {
        let b = &mut self.builder;
        if let Some(row) = &mut b.row {
            row.set(self.batch, at);
        }
        b.graph.nodes.clear();
        b.inputs.clear();
        b.outputs.clear();
        b.diagnostics = Default::default();
        let Some((read, schema)) = self.read()? else { return Ok(None) };
        let mut sinks = Vec::new();
        for i in 0..self.template.writes.len() {
            let sink = self.write(i, &schema, &read)?;
            self.each.refused(&self.builder)?;
            let Some(sink) = sink else { return Ok(None) };
            sinks.push(sink);
        }
        if !sinks.is_empty() {
            outputs::check(&mut self.builder);
        }
        self.each.refused(&self.builder)?;
        let warnings = warnings(&self.builder);
        let row = self.builder.row.as_ref().map_or(Vec::new(), |row: &Row| row.arrays.clone());
        Ok(Some(Moved { read, sinks, row, warnings }))
    }

    /// What is read for the row.
    fn read(&mut self) -> Result<Option<(RowRead, Schema)>, String> {
        let (template, b) = (self.template, &mut self.builder);
        let (step, anew) = template.source;
        let graph = &template.graph;
        let PlanOp::Read(known) = &graph.nodes[template.reader].op else { return Ok(None) };
        if !anew {
            let node = &graph.nodes[template.reader];
            let domain = template.schema.domain.clone();
            let given = known.fused.as_ref().map_or(&node.given, |fused| &fused.given).clone();
            let tiling = tiling(b, graph, template.reader, &domain, known);
            let read = of(known, given, domain, tiling);
            return Ok(Some((read, template.schema.clone())));
        }
        let made = b.step(&self.each.steps[step]);
        self.each.refused(&self.builder)?;
        let b = &mut self.builder;
        let Some(node) = made.and_then(|id| b.graph.nodes.get(id)).cloned() else {
            return Ok(None);
        };
        let PlanNode { op: PlanOp::Read(plan), schema, given, .. } = node else { return Ok(None) };
        if !fits(template, &schema) {
            return Ok(None);
        }
        let domain = schema.domain.clone();
        let tiling = tiling(b, graph, template.reader, &domain, &plan);
        Ok(Some((of(&plan, given, domain, tiling), schema)))
    }

    /// What is written for the row by the `i`-th step that writes.
    fn write(
        &mut self,
        i: usize,
        source: &Schema,
        read: &RowRead,
    ) -> Result<Option<Arc<dyn Sink>>, String> {
        let (template, b) = (self.template, &mut self.builder);
        let (at, schema) = &template.writes[i];
        let step = &self.each.steps[*at];
        let is_box = schema.domain.is_box() && schema.domain.dims.len() == source.domain.dims.len();
        let same = schema.domain == template.schema.domain;
        let mut schema = schema.clone();
        if is_box && same {
            schema.domain = source.domain.clone();
        }
        // Stands for what goes into the step.
        let id = b.graph.nodes.len();
        let given = vec![Given::Loaded; schema.fields.len()];
        let (op, inputs) = (PlanOp::Concat, Vec::new());
        b.graph.add(PlanNode::new(&step.name, op, inputs, schema, given));
        let [input] = step.inputs[..] else { return Ok(None) };
        let before = b.made[input].replace(id);
        b.step(step);
        b.made[input] = before;
        let Some(PlanNode { op: PlanOp::Write(write), schema, .. }) = b.graph.nodes.pop() else {
            return Ok(None);
        };
        let tiling = (is_box && same).then(|| read.tiling.clone());
        Ok(sink(b, &write, &schema, tiling, false))
    }
}

fn of(plan: &ReadPlan, given: Vec<Given>, domain: Domain, tiling: Tiling) -> RowRead {
    let (source, offset, columns) =
        (plan.source.clone(), plan.offset.clone(), plan.columns.clone());
    RowRead { source, offset, columns, given, domain, tiling }
}

/// Whether what a row reads can go through the plan for all rows.
fn fits(template: &Template, schema: &Schema) -> bool {
    let (one, other) = (&template.schema, schema);
    let names = |s: &Schema| s.domain.dims.iter().map(|d| d.name.clone()).collect::<Vec<_>>();
    let same = one.fields.len() == other.fields.len()
        && one
            .fields
            .iter()
            .zip(&other.fields)
            .all(|(a, b)| a.name == b.name && a.dtype == b.dtype && a.mask == b.mask);
    let sizes = !template.sized || one.domain.sizes() == other.domain.sizes();
    let few = other.domain.points().is_some_and(|points| points <= MOST_POINTS);
    same && names(one) == names(other) && sizes && few
}
