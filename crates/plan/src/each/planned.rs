//! The plan for one row, made anew: as if its values stood in the pipeline file.
use super::Each;
use super::ends::{Ends, differs, ends};
use super::row::Columns;
use crate::build::Builder;
use crate::graph::{PlanNode, PlanOp};
use crate::load::LoadOptions;
use crate::lower::lower;
use crate::outputs;
use crate::physical::{Memory, Op, Physical};
use crate::place;
use crate::rules::rewrite;
use arrow_array::RecordBatch;
use base::{Code, Diagnostic, Schema, Severity, Warning};
use std::path::PathBuf;
use std::sync::Arc;

/// What is planned for one row.
pub struct Planned {
    /// The plan.
    pub physical: Physical,
    /// The files that it reads.
    pub reads: Vec<PathBuf>,
    /// What the user should know of them.
    pub warnings: Vec<Warning>,
}

impl Each {
    /// Builds all steps, and what collects their rows.
    fn build(&self, b: &mut Builder) -> Ends {
        for i in &self.order {
            b.made[*i] = b.step(&self.steps[*i]);
        }
        let made = ends(b, &self.steps, &self.row);
        outputs::check(b);
        made
    }

    /// Checks the steps for a row like all others, and notes what comes of it.
    pub(super) fn check(&mut self, outer: &mut Builder, example: &RecordBatch) -> Option<()> {
        // What stands under the names of outputs is looked at when their row has its turn.
        let options = LoadOptions { dry: true, ..self.options.clone() };
        let mut b = self.builder(&options, (example, 0), true);
        let made = self.build(&mut b);
        self.same_names(&mut b);
        self.hides(outer, &mut b);
        let alike = Arc::new(b.graph.nodes.iter().filter_map(alike).collect());
        let mut memory = 0;
        if !b.diagnostics.has_errors() {
            let last = rewrite(b.graph.clone(), &options.without).pop().map(|r| r.graph);
            let physical = last.and_then(|graph| lower(&graph, &mut b));
            // A tile at a time.
            let of = |m: &Memory| m.per_process + m.per_worker + m.per_tile;
            memory = physical.map_or(0, |physical| of(&physical.memory));
        }
        crate::unread::explain(&b.unread, &mut b.diagnostics);
        let good = !b.diagnostics.has_errors();
        let inside = b.graph.nodes.iter().filter_map(|node| match &node.op {
            PlanOp::Task(task) => Some(task.uses.clone()),
            _ => None,
        });
        let uses = inside.flatten().collect();
        let mut named = b.used.borrow().clone();
        let bodies = self.functions.iter().flat_map(|f| f.body.names());
        named.extend(bodies.map(|(name, _)| name.to_owned()));
        let used = (0..self.row.len()).filter(|i| named.contains(&*self.row[*i].name)).collect();
        let said = b.diagnostics.sorted();
        outer.inputs.append(&mut b.inputs);
        outer.used.borrow_mut().extend(named);
        outer.diagnostics.extend(said);
        (self.fields, self.one, self.used, self.uses) = (made.fields, made.one, used, uses);
        (self.memory, self.alike) = (memory, alike);
        good.then_some(())
    }

    /// The mistake of outputs whose names are the same for all rows.
    fn same_names(&self, b: &mut Builder) {
        for step in self.steps.iter().filter(|step| step.operator.name == "write") {
            let Some(scalar) = step.head.scalar() else { continue };
            b.row.iter().for_each(|row| row.fixed.set(false));
            let known = b.diagnostics.len();
            let text = crate::template::constant(b, &scalar.text);
            let fixed = b.row.as_ref().is_some_and(|row| row.fixed.get());
            if let (Some(text), false, true) = (text, fixed, known == b.diagnostics.len()) {
                let message = format!("every row writes `{text}`");
                let help = match self.row.first() {
                    Some(f) => {
                        format!("put a column of the row into the name, such as `${{{}}}`", f.name)
                    }
                    None => "put a column of the row into the name".to_owned(),
                };
                b.error(
                    Diagnostic::error(Code::DuplicateOutput, step.head.span, message).help(help),
                );
            }
        }
    }

    /// Notes of parameters that columns of the row hide.
    fn hides(&self, outer: &Builder, b: &mut Builder) {
        let used = b.used.borrow().clone();
        let hidden = outer
            .params
            .iter()
            .filter(|(name, _)| used.contains(name) && self.row.iter().any(|f| *f.name == **name));
        for (name, _) in hidden {
            let message =
                format!("inside of `each` `{name}` is the column, not the parameter `{name}`");
            let note = Diagnostic::note(Code::ShadowedName, self.span, message);
            b.error(note.help("give one of them another name"));
        }
    }

    /// The plan for a row of a batch.
    ///
    /// # Errors
    /// What is wrong for this row: a sentence, with the place of the step.
    pub fn plan(&self, batch: &RecordBatch, at: usize) -> Result<Planned, String> {
        let options = self.options_of_a_row();
        let mut b = self.builder(&options, (batch, at), true);
        self.build(&mut b);
        self.refused(&b)?;
        let last = rewrite(b.graph.clone(), &options.without).pop().map(|r| r.graph);
        let physical = last.and_then(|graph| lower(&graph, &mut b));
        self.refused(&b)?;
        let physical = physical.ok_or("the steps make nothing")?;
        let shown: Vec<Schema> = (physical.nodes.iter())
            .filter(|node| matches!(node.op, Op::Show(_)))
            .map(|node| node.schema.clone())
            .collect();
        if let Some(how) = differs(&self.fields, &shown) {
            return Err(how);
        }
        let reads = b.inputs.iter().flat_map(|i| i.things().map(|(path, _)| path)).collect();
        Ok(Planned { physical, reads, warnings: warnings(&b) })
    }

    /// The first mistake, if there is one, with the place of its step.
    pub(super) fn refused(&self, b: &Builder) -> Result<(), String> {
        if !b.diagnostics.has_errors() {
            return Ok(());
        }
        let all = b.diagnostics.clone().sorted();
        match all.iter().find(|d| d.severity == Severity::Error) {
            Some(first) => Err(self.sentence(first)),
            None => Ok(()),
        }
    }

    fn sentence(&self, d: &Diagnostic) -> String {
        let before = |step: &&crate::spec::Step| step.span.start <= d.span.start;
        let step = self.steps.iter().filter(before).max_by_key(|step| step.span.start);
        let help = d.help.first().map_or(String::new(), |help| format!("; {help}"));
        match step.filter(|_| d.span != base::Span::default()) {
            Some(step) => {
                let place = place::step(&self.source, &step.name, d.span);
                format!("{place}: {}{help}", d.message)
            }
            None => format!("{}{help}", d.message),
        }
    }
}

/// The columns of a file that does not say what is in it, and their types, by the step that reads.
fn alike(node: &PlanNode) -> Option<(String, Columns)> {
    let PlanOp::Read(read) = &node.op else { return None };
    read.source.as_ref()?.guesses()?;
    let files = read.files.as_ref()?;
    Some((node.step.clone(), (files.columns.clone(), files.types.clone())))
}

/// What has been said of a row's inputs and outputs that is no mistake.
pub(super) fn warnings(b: &Builder) -> Vec<Warning> {
    if b.diagnostics.is_empty() {
        return Vec::new();
    }
    let of_files = |d: &Diagnostic| d.severity == Severity::Warning && d.code != Code::ShadowedName;
    let all = b.diagnostics.clone().sorted();
    let told = all.into_iter().filter(|d| of_files(d) && !b.allow.contains(&d.code));
    told.map(|d| Warning { help: d.help.join("; "), ..Warning::new(d.code, d.message).at(d.span) })
        .collect()
}
