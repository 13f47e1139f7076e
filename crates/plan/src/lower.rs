//! The last rewrite: reductions in two parts, exchanges between them, sinks and tiles.
mod join;

use crate::build::Builder;
use crate::fingerprint::{Meaning, Way, meaning};
use crate::graph::{
    FoldPlan, FoldPlanKind, Fused, Graph, NodeId, OrderPlan, PartitionPlan, PlanNode, PlanOp,
    ReadPlan, StreamPlan,
};
use crate::load::TileRequest;
use crate::memory;
use crate::physical::{
    Aggregate, Apply, Concat, Dealt, Fold, FoldKind, Node, Op, Order, Partition, Physical, Read,
    Reduce, Route, SortKey, TILE_INDEX_BITS, Task,
};
use crate::sinks::sink;
use crate::size::rows_at_most;
use crate::tiling::{PART_ROWS, batch_behind, parts_behind, task_rows, tasks_behind, tiling};
use base::{Code, Diagnostic, DimMask, Schema, Span, Tiling};
use expr::{Checks, Program};
use formats::Arrangement;
use std::sync::Arc;

/// Rows of a tile that a reduction or a sort makes.
const TILE_ROWS: usize = 1 << 16;
/// What is folded over dimensions from many tiles is shared by all workers in so many tiles,
const RESULT_TILES: u64 = 64;
/// none of them smaller than this.
const RESULT_POINTS: u64 = 1 << 12;

/// The physical plan of a graph; `None` after a mistake, which is in the builder's diagnostics.
pub fn lower(graph: &Graph, builder: &mut Builder) -> Option<Physical> {
    let mut lowering = Lowering { graph, builder, nodes: Vec::new(), made: Vec::new() };
    let (mut meant, mut meanings): (Vec<Meaning>, Vec<Meaning>) = (Vec::new(), Vec::new());
    for (id, node) in graph.nodes.iter().enumerate() {
        // After a mistake the rest cannot be lowered, but nothing refers to it either.
        let made = lowering.node(id)?;
        let tiling = lowering.nodes.last().and_then(|n| match &n.op {
            Op::Read(read) => Some(&read.tiling),
            _ => None,
        });
        let inputs: Vec<Meaning> = node.inputs.iter().map(|i| meant[*i]).collect();
        let way = Way { title: &lowering.builder.title, wary: lowering.builder.options.wary() };
        meant.push(meaning(node, &inputs, tiling, way));
        meanings.resize(lowering.nodes.len(), meant[id]);
        lowering.made.push(made);
    }
    let nodes = lowering.nodes;
    if builder.diagnostics.has_errors() {
        return None;
    }
    let memory = memory::estimate(graph, &nodes);
    Some(Physical {
        title: builder.title.clone(),
        hash: builder.digest,
        nodes,
        meanings,
        state: builder.state(),
        memory,
        allow: builder.allow.clone(),
    })
}

/// What a node of the graph became.
#[derive(Clone, Default)]
struct Made {
    /// The physical node that makes its tiles.
    id: usize,
    /// The cuts of its tiles, if they are boxes.
    tiling: Option<Tiling>,
}

struct Lowering<'a, 'b> {
    graph: &'a Graph,
    builder: &'a mut Builder<'b>,
    nodes: Vec<Node>,
    made: Vec<Made>,
}

impl Lowering<'_, '_> {
    fn add(&mut self, from: &PlanNode, op: Op, inputs: Vec<usize>, schema: Schema) -> usize {
        let (step, place) = (from.step.clone(), from.place.clone());
        self.nodes.push(Node { step, place, op, inputs, schema });
        self.nodes.len() - 1
    }

    fn node(&mut self, id: NodeId) -> Option<Made> {
        let graph = self.graph;
        let node = &graph.nodes[id];
        let input = node.inputs.first().map(|i| self.made[*i].clone()).unwrap_or_default();
        match &node.op {
            PlanOp::Read(read) => self.read(id, node, read),
            PlanOp::Apply(steps) => {
                let before = &graph.nodes[node.inputs[0]];
                let fused = before.then(pruned(node, steps));
                let apply =
                    self.apply(&fused, self.keep_index(id), before.kept.as_deref(), node.told)?;
                let tiling = input.tiling.filter(|_| node.schema.domain.is_box());
                let id = self.add(node, Op::Apply(apply), vec![input.id], node.made());
                Some(Made { id, tiling })
            }
            PlanOp::Fold(fold) => self.fold(id, node, fold, input),
            PlanOp::Order(order) => Some(self.order(id, node, order, input)),
            PlanOp::Concat => Some(self.concat(id, node)),
            PlanOp::Join(plan) => self.join(id, node, plan),
            PlanOp::Partition(plan) => Some(self.partition(node, plan, input)),
            PlanOp::Task(task) => Some(self.task(id, node, task, input)),
            PlanOp::Stream(plan) => Some(self.stream(node, plan, input)),
            PlanOp::Write(_) => self.write(node, input),
            PlanOp::Show(show) => {
                let id =
                    self.add(node, Op::Show(show.clone()), vec![input.id], node.schema.clone());
                Some(Made { id, tiling: None })
            }
        }
    }

    /// A program, and where the columns it needs stand among those that come in:
    /// all of the schema's, or `loaded`.
    fn apply(
        &mut self,
        fused: &Fused,
        keep_index: bool,
        loaded: Option<&[usize]>,
        told: bool,
    ) -> Option<Apply> {
        let source = self.builder.source;
        let place = |step: &str, span: Span| crate::place::expression(source, step, span);
        let (strict, allow) = (self.builder.options.strict, &self.builder.allow[..]);
        let checks = Checks { strict, told, allow, place: &place };
        let (schema, given) = self.graph.before(fused);
        let program = match Program::checked(&schema, given, &fused.steps, keep_index, &checks) {
            Ok(program) => program,
            Err(failure) => {
                let message = failure.to_string();
                self.builder.error(Diagnostic::error(Code::Internal, Span::default(), message));
                return None;
            }
        };
        let width = fused.schema.fields.len();
        let place = |i: &usize| match loaded {
            None => *i,
            // Columns of the row stand behind those of the tile.
            Some(loaded) if *i >= width => loaded.len() + i - width,
            Some(loaded) => loaded.iter().position(|l| l == i).unwrap_or(*i),
        };
        let columns = program.needed().iter().map(place).collect();
        Some(Apply { program: Arc::new(program), columns })
    }

    fn read(&mut self, id: NodeId, node: &PlanNode, read: &ReadPlan) -> Option<Made> {
        let mut start = read.fused.clone().unwrap_or_else(|| node.then(Vec::new()));
        start.steps = pruned(node, &start.steps);
        let fold = self.fold_of(id).filter(|_| read.fused.is_none());
        let (program, needed) = match &fold {
            Some(fold) => (None, self.apply(fold, false, None, false)?.columns),
            None => {
                let apply = self.apply(&start, self.keep_index(id), None, node.told)?;
                (Some(apply.program), apply.columns)
            }
        };
        let tiling = tiling(self.builder, self.graph, id, &start.schema.domain, read);
        let op = Op::Read(Read {
            source: read.source.clone(),
            files: read.files.clone(),
            offset: read.offset.clone(),
            columns: needed
                .iter()
                .filter_map(|i| read.columns.get(*i).copied().flatten())
                .collect(),
            tiling: tiling.clone(),
            survivors: read.survivors.clone(),
            place: read.place.clone(),
            program,
        });
        let id = self.add(node, op, Vec::new(), node.made());
        Some(Made { id, tiling: node.schema.domain.is_box().then_some(tiling) })
    }

    /// The pass of the one reduction that takes a reader's tiles as they are read, if so.
    fn fold_of(&self, id: NodeId) -> Option<Fused> {
        match self.graph.consumers(id).as_slice() {
            [one] => match &self.graph.nodes[*one].op {
                PlanOp::Fold(FoldPlan { fused: Some(fused), .. }) => Some(fused.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether anything behind a node asks for the index of its rows in the domain.
    fn keep_index(&self, id: NodeId) -> bool {
        self.graph.consumers(id).iter().any(|c| match &self.graph.nodes[*c].op {
            PlanOp::Fold(_) | PlanOp::Apply(_) | PlanOp::Concat => true,
            // What is made of the left's rows is indexed as they are.
            PlanOp::Join(_) => self.graph.nodes[*c].inputs[0] == id && self.keep_index(*c),
            PlanOp::Task(_) => self.keep_index(*c),
            PlanOp::Partition(plan) => plan.by == Dealt::Range,
            PlanOp::Read(_) | PlanOp::Order(_) | PlanOp::Write(_) | PlanOp::Show(_) => false,
            PlanOp::Stream(_) => false,
        })
    }

    fn fold(&mut self, at: NodeId, node: &PlanNode, fold: &FoldPlan, input: Made) -> Option<Made> {
        let before = &self.graph.nodes[node.inputs[0]];
        let fused = fold.fused.clone().unwrap_or_else(|| before.then(Vec::new()));
        let mut apply = self.apply(&fused, false, before.kept.as_deref(), node.told)?;
        // A reader without a program hands on just what is needed.
        if matches!(&self.nodes[input.id].op, Op::Read(Read { program: None, .. })) {
            apply.columns = (0..apply.columns.len()).collect();
        }
        let sizes = before.schema.domain.sizes();
        let aggregates = fold.calls.iter().map(|c| Aggregate {
            reduction: c.reduction,
            columns: c.columns.clone(),
            constants: c.constants.clone(),
            place: c.place.clone(),
            once: once(&sizes, c.once),
        });
        let (kind, tiling) = kind(fold, input.tiling.as_ref());
        let spec = Fold { apply, aggregates: aggregates.collect(), kind: kind.clone() };
        let takes = before.made();
        let partial = Op::Partial(Reduce::Fold(spec.clone()));
        let partial = self.add(node, partial, vec![input.id], takes);
        let route = match &kind {
            FoldKind::All => Some(Route::Gather),
            FoldKind::By(keys) => Some(Route::Hash(keys.len())),
            FoldKind::Over { parts: 1, .. } => None,
            FoldKind::Over { .. } => Some(Route::Tile),
        };
        let routed = match route {
            Some(route) => self.add(node, Op::Exchange(route), vec![partial], node.schema.clone()),
            None => partial,
        };
        let last = Op::Final(Reduce::Fold(spec));
        let id = self.add(node, last, vec![routed], node.schema.clone());
        let FoldKind::By(keys) = &kind else { return Some(Made { id, tiling }) };
        // Groups come in any order from all workers: in that of their keys the answer is one.
        let keys = (0..keys.len()).map(|column| SortKey { column, descending: false });
        let fits = match tasks_behind(self.graph, at) {
            true => task_rows(rows_at_most(self.graph, at)) as usize,
            false => TILE_ROWS,
        };
        let tile_rows = self.tile_rows(at, fits);
        let order = Order { keys: keys.collect(), limit: None, tile_rows };
        Some(self.sorted(node, order, id, node.schema.clone()))
    }

    /// Rows of a tile that a sort makes: as the user asks, or as fits.
    fn tile_rows(&self, id: NodeId, fits: usize) -> usize {
        let asked = match &self.builder.options.tile {
            Some(TileRequest::Points(points)) => Some(*points),
            Some(TileRequest::Shape(sizes)) => {
                sizes.iter().find(|(name, _)| name == "row").map(|(_, rows)| *rows)
            }
            None => batch_behind(self.graph, id),
        };
        // Not more than there can be: room is made for so many.
        let most = rows_at_most(self.graph, id).unwrap_or(fits as u64).min(u64::from(u32::MAX));
        asked.map_or(fits, |rows| rows.min(most).max(1) as usize)
    }

    fn order(&mut self, id: NodeId, node: &PlanNode, order: &OrderPlan, input: Made) -> Made {
        let fits = match () {
            () if tasks_behind(self.graph, id) => task_rows(rows_at_most(self.graph, id)) as usize,
            () if parts_behind(self.graph, id) => PART_ROWS as usize,
            () => TILE_ROWS,
        };
        let tile_rows = self.tile_rows(id, fits);
        let order = Order { keys: order.keys.clone(), limit: order.limit, tile_rows };
        let takes = self.graph.nodes[node.inputs[0]].schema.clone();
        if order.limit.is_none() {
            return self.sorted(node, order, input.id, takes);
        }
        let partial = Op::Partial(Reduce::Order(order.clone()));
        let partial = self.add(node, partial, vec![input.id], takes);
        let rows = node.schema.clone();
        let gathered = self.add(node, Op::Exchange(Route::Gather), vec![partial], rows.clone());
        let id = self.add(node, Op::Final(Reduce::Order(order)), vec![gathered], rows);
        Made { id, tiling: None }
    }

    /// All rows that a node makes, in order; each worker has some of the result.
    fn sorted(&mut self, node: &PlanNode, order: Order, input: usize, takes: Schema) -> Made {
        let rows = node.schema.clone();
        let steps = [
            (Op::Partial(Reduce::Order(order.clone())), takes),
            (Op::Exchange(Route::Address), rows.clone()),
            (Op::Split(order.clone()), rows.clone()),
            (Op::Exchange(Route::Address), rows.clone()),
            (Op::Final(Reduce::Order(order.clone())), rows.clone()),
            (Op::Exchange(Route::Address), rows.clone()),
            (Op::Assemble(order.tile_rows), rows),
        ];
        let add = |id, (op, schema)| self.add(node, op, vec![id], schema);
        Made { id: steps.into_iter().fold(input, add), tiling: None }
    }

    fn task(&mut self, id: NodeId, node: &PlanNode, task: &Task, input: Made) -> Made {
        let before = self.graph.nodes[node.inputs[0]].schema.clone();
        // Rows that come from a reader are dealt as workers ask for them; others are spread.
        let stay = dealt(self.graph, node.inputs[0]);
        let processes = if task.first.is_some() { Some(1) } else { task.concurrency };
        let route = Route::Tasks { processes: processes.unwrap_or(usize::MAX), stay };
        let from = self.add(node, Op::Exchange(route), vec![input.id], before);
        let task = Task { keep_index: self.keep_index(id), ..task.clone() };
        let tiling = input.tiling.filter(|_| !task.many && node.schema.domain.is_box());
        let made = self.add(node, Op::Task(Box::new(task)), vec![from], node.schema.clone());
        if tiling.is_none() && parts_behind(self.graph, id) {
            // Tiles are of few rows: put together, they make parts of a size.
            let tile_rows = self.tile_rows(id, PART_ROWS as usize);
            let order = Order { keys: Vec::new(), limit: None, tile_rows };
            return self.sorted(node, order, made, node.schema.clone());
        }
        Made { id: made, tiling }
    }

    fn partition(&mut self, node: &PlanNode, plan: &PartitionPlan, input: Made) -> Made {
        let (rows, sizes) = (&node.schema, self.graph.nodes[node.inputs[0]].schema.domain.sizes());
        let plan =
            Partition { keys: plan.keys.clone(), into: plan.into, by: plan.by.clone(), sizes };
        let mut from = input.id;
        if plan.by == Dealt::Range {
            from = self.add(node, Op::Sample(plan.clone()), vec![from], rows.clone());
            from = self.add(node, Op::Exchange(Route::Address), vec![from], rows.clone());
        }
        from = self.add(node, Op::Deal(plan.clone()), vec![from], rows.clone());
        from = self.add(node, Op::Exchange(Route::Address), vec![from], rows.clone());
        Made { id: self.add(node, Op::Parts(plan), vec![from], rows.clone()), tiling: None }
    }

    fn stream(&mut self, node: &PlanNode, plan: &StreamPlan, input: Made) -> Made {
        let takes = self.graph.nodes[node.inputs[0]].made().arrow();
        let program = tasks::stream::Program { takes, ..(*plan.program).clone() };
        let op = Op::Stream(Arc::new(program));
        Made { id: self.add(node, op, vec![input.id], node.schema.clone()), tiling: None }
    }

    fn concat(&mut self, id: NodeId, node: &PlanNode) -> Made {
        let (mut numbers, mut indices) = (vec![0u64], vec![0i64]);
        for input in &node.inputs {
            // Where only the run can tell how many tiles or rows come, leave room for all.
            let tiles = self.made[*input].tiling.as_ref().map(Tiling::count);
            let points = self.graph.nodes[*input].schema.domain.points();
            numbers.push(numbers[numbers.len() - 1] + tiles.unwrap_or(1 << 32));
            let room = self.room(self.made[*input].id).or(points).unwrap_or(1 << 40);
            indices.push(indices[indices.len() - 1].saturating_add(room as i64));
        }
        let sizes = node.inputs.iter().map(|i| self.graph.nodes[*i].schema.domain.sizes());
        let sizes = sizes.collect();
        numbers.pop();
        indices.pop();
        let op = Op::Concat(Concat { numbers, indices, sizes, keep_index: self.keep_index(id) });
        let inputs = node.inputs.iter().map(|i| self.made[*i].id).collect();
        Made { id: self.add(node, op, inputs, node.schema.clone()), tiling: None }
    }

    /// How many indices the rows of a node are among, if they are numbered behind a program.
    fn room(&self, mut id: usize) -> Option<u64> {
        let mut streamed = false;
        loop {
            match &self.nodes[id].op {
                Op::Stream(_) => streamed = true,
                Op::Apply(_) => {}
                Op::Read(read) if streamed => return Some(read.tiling.count() << TILE_INDEX_BITS),
                _ if streamed => return Some(1 << (20 + TILE_INDEX_BITS)),
                _ => return None,
            }
            id = *self.nodes[id].inputs.first()?;
        }
    }

    /// Whether the tiles of a node are the parts of a `partition`.
    fn makes_parts(&self, mut id: usize) -> bool {
        while let Op::Apply(_) = &self.nodes[id].op {
            match self.nodes[id].inputs.first() {
                Some(before) => id = *before,
                None => return false,
            }
        }
        matches!(self.nodes[id].op, Op::Parts(_))
    }

    fn write(&mut self, node: &PlanNode, input: Made) -> Option<Made> {
        let PlanOp::Write(write) = &node.op else { return None };
        let parts = self.makes_parts(input.id);
        let sink = sink(self.builder, write, &node.schema, input.tiling.clone(), parts)?;
        let mut from = input.id;
        if sink.arrangement() != Arrangement::Anywhere {
            from = self.add(node, Op::Encode(sink.clone()), vec![from], node.schema.clone());
            from = self.add(node, Op::Exchange(Route::Gather), vec![from], node.schema.clone());
        }
        let id = self.add(node, Op::Write(sink), vec![from], node.schema.clone());
        Some(Made { id, tiling: None })
    }
}

/// Whether the tiles of a node are those of a reader, passed on.
fn dealt(graph: &Graph, id: NodeId) -> bool {
    match (&graph.nodes[id].op, graph.nodes[id].inputs.first()) {
        (PlanOp::Read(_), _) => true,
        (PlanOp::Apply(_), Some(input)) => dealt(graph, *input),
        _ => false,
    }
}

/// The steps of a node, and a last one that keeps what is used.
fn pruned(node: &PlanNode, steps: &[expr::Step]) -> Vec<expr::Step> {
    let keep = node.kept.iter().map(|kept| {
        expr::Step::Project(kept.iter().map(|i| (*i, node.schema.fields[*i].clone())).collect())
    });
    steps.iter().cloned().chain(keep).collect()
}

/// Over what is folded, and the cuts of the result if it is a box.
fn kind(fold: &FoldPlan, tiling: Option<&Tiling>) -> (FoldKind, Option<Tiling>) {
    match (&fold.kind, tiling) {
        (FoldPlanKind::By(keys), _) => (FoldKind::By(keys.clone()), None),
        (FoldPlanKind::Over(keep), Some(tiling)) => {
            let counts = tiling.counts();
            let others = (0..counts.len()).filter(|d| !keep.contains(d));
            let parts = others.map(|d| counts[d]).product();
            let result = match (tiling.project(keep), parts) {
                (result, 1) => result,
                (result, _) => result.finer(RESULT_TILES, RESULT_POINTS),
            };
            let kind = FoldKind::Over { keep: keep.clone(), tiling: result.clone(), parts };
            (kind, Some(result))
        }
        (FoldPlanKind::All | FoldPlanKind::Over(_), _) => {
            let one = base::Domain::new([("row", 1)]);
            (FoldKind::All, Some(Tiling::even(&one, &[1])))
        }
    }
}

/// For some dimensions of a box how many of its points stand between two of theirs, and their sizes.
fn once(sizes: &[u64], dims: DimMask) -> Vec<(u64, u64)> {
    let inner = |d: usize| sizes[d + 1..].iter().product::<u64>().max(1);
    let known = dims.iter().take_while(|d| *d < sizes.len());
    known.map(|d| (inner(d), sizes[d].max(1))).filter(|(_, size)| *size > 1).collect()
}
