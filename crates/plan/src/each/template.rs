//! The plan for all rows: a chain of passes and reductions behind one source, in which the columns
//! of the row are columns of one value. Of a row only what is read and what is written is made anew.
use super::Each;
use super::ends::{differs, ends};
use crate::build::Builder;
use crate::graph::{FoldPlan, FoldPlanKind, Fused, Graph, NodeId, PlanOp};
use crate::load::LoadOptions;
use crate::lower::lower;
use crate::operator::Inputs;
use crate::physical::{Op, Physical};
use crate::rules::rewrite;
use arrow_array::RecordBatch;
use base::{DimMask, Schema};
use expr::{Given, Step as Pass};

/// Rules that look into what is read: it is another for each row.
const OF_ONE_ROW: [&str; 2] = ["prune-range", "prune-rows"];

/// The plan for all rows.
pub struct Template {
    /// The plan; what it reads and writes is that of the row that it was made for.
    pub physical: Physical,
    /// The node that reads.
    pub read: usize,
    /// The nodes that write, in the order of `writes`.
    pub sinks: Vec<usize>,
    /// For each column that the programs behind the reader take: which of the reader's columns it
    /// is, and behind those, which of the row's.
    pub needed: Vec<usize>,
    /// Whether boxes of other sizes need a plan of their own.
    pub(super) sized: bool,
    /// The step that reads, and whether it is to be made anew for each row.
    pub(super) source: (usize, bool),
    /// The steps that write, and what goes into them.
    pub(super) writes: Vec<(usize, Schema)>,
    /// What the source makes.
    pub(super) schema: Schema,
    /// As rules have left it, and the reader in it.
    pub(super) graph: Graph,
    pub(super) reader: NodeId,
}

/// What of a chain of steps may be another for each row.
struct Chain {
    /// The step that reads, and whether it is.
    source: (usize, bool),
    /// The steps that write, and what goes into them.
    writes: Vec<(usize, Schema)>,
}

impl Template {
    /// Points of the row that it was made for, if no file is opened or written for a row.
    pub fn points(&self) -> Option<u64> {
        let PlanOp::Read(read) = &self.graph.nodes[self.reader].op else { return None };
        let small = read.source.is_none() && self.writes.is_empty();
        self.schema.domain.points().filter(|_| small)
    }
}

impl Each {
    /// The plan for all rows, made for `example`; `None` if rows need plans of their own.
    pub(super) fn template(&self, example: &RecordBatch) -> Option<Template> {
        let options = LoadOptions { dry: true, ..self.options.clone() };
        let mut b = self.builder(&options, (example, 0), false);
        let Chain { source, writes } = self.chain(&mut b)?;
        let made = ends(&mut b, &self.steps, &self.row);
        if b.diagnostics.has_errors() || differs(&self.fields, &shown(&b.graph)).is_some() {
            return None;
        }
        if made.one != self.one || !simple(&b.graph) {
            return None;
        }
        let mut without = options.without.clone();
        without.extend(OF_ONE_ROW.into_iter().filter(|_| source.1));
        let graph = rewrite(b.graph.clone(), &without).pop()?.graph;
        let schema = b.graph.nodes[b.made[source.0]?].schema.clone();
        let physical = lower(&graph, &mut b)?;
        let reader = graph.nodes.iter().position(|n| matches!(n.op, PlanOp::Read(_)))?;
        let nodes = &physical.nodes;
        let read = nodes.iter().position(|n| matches!(n.op, Op::Read(_)))?;
        let writing = |i: &usize| matches!(nodes[*i].op, Op::Write(_));
        let sinks = (0..nodes.len()).filter(writing).collect();
        let needed = needed(&physical, read)?;
        let sized = sized(&b.graph);
        Some(Template {
            read,
            sinks,
            needed,
            sized,
            source,
            writes,
            schema,
            graph,
            reader,
            physical,
        })
    }

    /// Builds the steps, if they are a chain of which only the source and what is written depend on
    /// the row.
    fn chain(&self, b: &mut Builder) -> Option<Chain> {
        let (mut source, mut writes) = (None, Vec::new());
        for i in &self.order {
            let step = &self.steps[*i];
            let input = b.input(step).map(|(_, schema)| schema);
            b.made[*i] = b.step(step);
            let (made, fixed) = (b.made[*i]?, b.row.as_ref()?.fixed.replace(false));
            match (step.operator.inputs, step.operator.name) {
                (Inputs::None, _) if source.is_some() => return None,
                (Inputs::None, _) => {
                    source = Some((*i, fixed));
                    if fixed {
                        loosen(b, made);
                    }
                }
                (_, "write") => writes.push((*i, input?)),
                _ if fixed => return None,
                _ => {}
            }
        }
        Some(Chain { source: source?, writes })
    }
}

/// Takes nothing for granted that another row's input may have otherwise.
fn loosen(b: &mut Builder, id: NodeId) {
    let node = &mut b.graph.nodes[id];
    node.given.fill(Given::Loaded);
    node.schema.fields.iter_mut().for_each(|field| field.nullable = true);
}

/// What the steps end in.
fn shown(graph: &Graph) -> Vec<Schema> {
    let show = |n: &&crate::graph::PlanNode| matches!(n.op, PlanOp::Show(_));
    graph.nodes.iter().filter(show).map(|n| n.schema.clone()).collect()
}

/// Whether all nodes are such that one tile after the other goes through them.
fn simple(graph: &Graph) -> bool {
    graph.nodes.iter().all(|node| match &node.op {
        PlanOp::Read(_) | PlanOp::Apply(_) | PlanOp::Fold(_) | PlanOp::Order(_) => true,
        PlanOp::Show(_) => true,
        PlanOp::Write(write) => !write.format.writes_chunks(&write.options),
        _ => false,
    })
}

/// The columns that the programs behind a reader take from it.
fn needed(physical: &Physical, read: usize) -> Option<Vec<usize>> {
    let Op::Read(node) = &physical.nodes[read].op else { return None };
    if let Some(program) = &node.program {
        return Some(program.needed().to_vec());
    }
    let behind = physical.nodes.iter().find(|n| n.inputs.contains(&read))?;
    match &behind.op {
        Op::Partial(crate::physical::Reduce::Fold(fold)) => {
            Some(fold.apply.program.needed().to_vec())
        }
        _ => None,
    }
}

/// Whether something depends on the sizes of a box: where its points stand among all of them, or
/// what is left of its dimensions.
fn sized(graph: &Graph) -> bool {
    let read = graph.nodes.iter().find(|n| matches!(n.op, PlanOp::Read(_)));
    let box_of_many = read.is_some_and(|n| n.schema.domain.dims.len() != 1);
    let indexed = |steps: &[Pass]| {
        steps.iter().any(|step| match step {
            Pass::Map(columns) => columns.iter().any(|(_, typed)| typed.needs_index()),
            Pass::Filter(condition) => condition.needs_index(),
            Pass::Prune { .. } => true,
            Pass::Project(_) => false,
        })
    };
    let fused = |fused: &Option<Fused>| fused.as_ref().is_some_and(|f| indexed(&f.steps));
    graph.nodes.iter().any(|node| match &node.op {
        PlanOp::Fold(FoldPlan { kind: FoldPlanKind::Over(_), .. }) => true,
        PlanOp::Fold(fold) => {
            let placed = fold.calls.iter().any(|c| c.reduction.needs_index());
            let once = fold.calls.iter().any(|c| c.once != DimMask::SCALAR);
            once || box_of_many && (placed || fused(&fold.fused))
        }
        PlanOp::Apply(steps) => box_of_many && indexed(steps),
        PlanOp::Order(_) => box_of_many,
        _ => false,
    })
}
