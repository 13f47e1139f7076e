//! What a run needs, in bytes, before it starts.
use crate::graph::{Call, FoldPlan, FoldPlanKind, Graph, JoinPlan, JoinPlanKind, PlanNode, PlanOp};
use crate::physical::{FoldKind, Memory, Node, Op, Reduce, TaskWork};
use crate::size::rows_at_most;
use base::Schema;

/// What a process needs that does nothing: code, libraries, buffers of the links.
const PROCESS: u64 = 24 << 20;
/// What a worker needs beside its tiles: stacks, registers of block programs.
const WORKER: u64 = 4 << 20;
/// A worker makes one tile while another is on its way.
const IN_FLIGHT: u64 = 2;
/// Tiles that workers compress wait for the one that places them, which compresses too.
const IN_FLIGHT_ENCODED: u64 = 4;
/// Cells of a fold over dimensions that a worker holds at most, before it gives them on.
const HELD_CELLS: u64 = 1 << 20;
/// Bytes of a group beside its key and its states.
const GROUP: u64 = 64;

/// Estimates the memory of a plan.
pub fn estimate(graph: &Graph, nodes: &[Node]) -> Memory {
    let encoded = nodes.iter().any(|node| matches!(node.op, Op::Encode(_)));
    let mut memory = Memory {
        in_flight: if encoded { IN_FLIGHT_ENCODED } else { IN_FLIGHT },
        per_worker: WORKER,
        per_process: PROCESS,
        ..Memory::default()
    };
    for node in nodes {
        let tile = tile_bytes(nodes, node);
        match &node.op {
            Op::Read(read) => {
                let read_bytes: u64 = match &read.source {
                    Some(source) => {
                        let widths = read
                            .columns
                            .iter()
                            .map(|c| source.schema().fields[*c].dtype.width() as u64);
                        widths.sum::<u64>() * points(&read.tiling.largest())
                    }
                    None => 0,
                };
                let beside = read.source.as_ref().map_or(0, |source| source.memory(&read.columns));
                memory.per_worker += beside;
                memory.per_process += read.source.as_ref().map_or(0, |s| s.memory_of_all());
                let made = if read.program.is_some() { tile } else { 0 };
                memory.per_tile += made + read_bytes;
            }
            Op::Apply(_) | Op::Encode(_) | Op::Concat(_) => memory.per_tile += tile,
            Op::Join(_) | Op::Match(_) | Op::Overlay(_) => memory.per_tile += tile,
            Op::Task(task) => {
                memory.per_tile += tile;
                if let TaskWork::Each(each) = &task.work {
                    memory.per_worker += each.memory;
                }
            }
            Op::Write(sink) => {
                memory.per_tile += sink.memory(tile);
                memory.per_process += sink.memory_of_all();
            }
            // As rows, on their way into the program, and what comes out.
            Op::Stream(_) => memory.per_tile += 2 * tile,
            Op::Assemble(rows) => memory.per_tile += width(&node.schema) * *rows as u64,
            Op::Partial(_) | Op::Split(_) | Op::Final(_) => {}
            Op::Sample(_) | Op::Deal(_) | Op::Parts(_) => {}
            Op::Exchange(_) | Op::Ask(_) | Op::Find(_) | Op::Show(_) => {}
        }
    }
    for node in &graph.nodes {
        state(graph, node, &mut memory);
    }
    memory.stages = nodes.iter().filter(|node| holds(&node.op)).count() as u64;
    memory
}

/// Whether a node holds rows or groups, and puts into files what does not fit.
fn holds(op: &Op) -> bool {
    match op {
        Op::Partial(Reduce::Fold(fold)) | Op::Final(Reduce::Fold(fold)) => {
            matches!(fold.kind, FoldKind::By(_))
        }
        Op::Final(Reduce::Order(order)) => order.limit.is_none(),
        Op::Split(_) | Op::Join(_) | Op::Find(_) | Op::Parts(_) | Op::Deal(_) => true,
        _ => false,
    }
}

fn points(shape: &[usize]) -> u64 {
    shape.iter().map(|s| *s as u64).product()
}

/// Bytes of a tile of a node: the largest that its readers hand out.
fn tile_bytes(nodes: &[Node], node: &Node) -> u64 {
    let mut at = node;
    loop {
        if let Op::Read(read) = &at.op {
            let shape = read.tiling.largest();
            let all = points(&shape);
            let bytes = |f: &base::Field| {
                let same =
                    node.schema.domain.dims.len() == shape.len() && node.schema.domain.is_box();
                let n = if same { f.mask.points(&shape) as u64 } else { all };
                n * f.dtype.width() as u64
            };
            return node.schema.fields.iter().map(bytes).sum();
        }
        // Tiles of a join are those of its first input.
        let joins = matches!(at.op, Op::Join(_) | Op::Find(_) | Op::Overlay(_));
        let from = if joins { at.inputs.first() } else { at.inputs.last() };
        match from.map(|i| &nodes[*i]) {
            Some(Node { op: Op::Assemble(rows), .. }) => {
                return width(&node.schema) * *rows as u64;
            }
            Some(before) if !matches!(before.op, Op::Final(_)) => at = before,
            _ => return width(&node.schema) << 16,
        }
    }
}

fn width(schema: &Schema) -> u64 {
    schema.fields.iter().map(|f| f.dtype.width() as u64).sum()
}

/// What reductions and sorts hold.
fn state(graph: &Graph, node: &PlanNode, memory: &mut Memory) {
    let before = node.inputs.first().map(|i| &graph.nodes[*i].schema);
    let rows = before.and_then(|s| s.domain.points());
    match &node.op {
        PlanOp::Order(order) if order.limit.is_none() => {
            // As they came and put together; the words of the keys, and the table of words and
            // rows that is sorted.
            let row = width(&node.schema) * 2 + 8 * order.keys.len() as u64 + 24;
            match rows {
                Some(rows) => memory.state += rows * row,
                None => memory
                    .guesses
                    .push(format!("`{}` sorts all its rows, of {row} bytes each", node.step)),
            }
        }
        // What a report holds, as it came and put together; little of any other order.
        PlanOp::Order(order) => {
            let limit = order.limit.unwrap_or(0);
            let rows = rows.map_or(limit, |rows| rows.min(limit));
            memory.per_process += 2 * rows.saturating_mul(width(&node.schema));
        }
        PlanOp::Fold(fold) => {
            for call in &fold.calls {
                held(call, rows, filtered(fold) || rows.is_none(), memory);
            }
            match &fold.kind {
                FoldPlanKind::By(_) => memory.guesses.push(format!(
                    "`{}` holds about {} bytes for each group",
                    node.step,
                    width(&node.schema) + GROUP * (1 + fold.calls.len() as u64)
                )),
                FoldPlanKind::Over(_) => {
                    let cells = node.schema.domain.points().unwrap_or(0);
                    let cell = GROUP * fold.calls.len() as u64 + 8;
                    memory.per_process += cells * cell;
                    // Those of the tiles that a worker has folded and not given on.
                    memory.per_worker += cells.min(HELD_CELLS) * cell;
                }
                FoldPlanKind::All => {}
            }
        }
        PlanOp::Partition(_) => {
            // As they came, the largest part put together.
            let row = width(&node.schema) + 8;
            match rows {
                Some(rows) => memory.state += rows * row,
                None => memory
                    .guesses
                    .push(format!("`{}` holds all its rows, of {row} bytes each", node.step)),
            }
        }
        PlanOp::Join(join) => joined(graph, node, join, memory),
        PlanOp::Stream(plan) => memory.guesses.push(format!(
            "`{}` runs `{}` once for each worker, whose memory is its own",
            node.step,
            plan.program.shown()
        )),
        _ => {}
    }
}

/// What a join holds of its right side.
fn joined(graph: &Graph, node: &PlanNode, join: &JoinPlan, memory: &mut Memory) {
    let right = graph.nodes[node.inputs[1]].made();
    match &join.kind {
        // As it came, once; and cut as the left's tiles are, in each worker.
        JoinPlanKind::Dimensions { .. } => {
            let shape: Vec<usize> = right.domain.sizes().iter().map(|n| *n as usize).collect();
            let bytes = |f: &base::Field| f.mask.points(&shape) as u64 * f.dtype.width() as u64;
            let bytes = right.fields.iter().map(bytes).sum::<u64>();
            memory.per_process += bytes;
            memory.per_worker += bytes;
        }
        JoinPlanKind::Keys { .. } => {
            // As it came and put together, its key in a table, its number, its place.
            let row = 2 * width(&right) + 48;
            match rows_at_most(graph, node.inputs[1]) {
                Some(rows) => memory.state += rows * row,
                None => memory.guesses.push(format!(
                    "`{}` holds the rows of `{}`, of {row} bytes each",
                    node.step, graph.nodes[node.inputs[1]].step
                )),
            }
        }
    }
}

/// What a reduction holds of each value.
fn held(call: &Call, rows: Option<u64>, gaps: bool, memory: &mut Memory) {
    let bytes = match base::Entry::name(call.reduction) {
        "quantile" | "median" => 8,
        // Neighbours multiply at once; beside a gap a product waits for its partner.
        "prod" if gaps => 24,
        _ => return,
    };
    // How many rows a filter leaves, only the run can tell.
    match rows.filter(|_| !gaps) {
        Some(rows) => memory.per_process += rows * bytes,
        None => memory.guesses.push(format!("`{}` holds {bytes} bytes for each value", call.text)),
    }
}

fn filtered(fold: &FoldPlan) -> bool {
    let steps = fold.fused.iter().flat_map(|f| &f.steps);
    steps.into_iter().any(|step| matches!(step, expr::Step::Filter(_) | expr::Step::Prune { .. }))
}
