//! How many rows a node makes at most, as far as the plan can tell.
use crate::graph::{FoldPlanKind, Graph, JoinPlanKind, NodeId, PlanOp};
use crate::physical::How;

/// A right side of a join that is no larger goes to all processes, so that the left's tiles stay
/// where they are. The plan alone decides, never the number of workers.
const BROADCAST: u64 = 64 << 20;

/// Whether all processes get all rows of a node that is the right side of a join.
pub fn broadcast(graph: &Graph, id: NodeId) -> bool {
    let width: u64 = graph.nodes[id].made().fields.iter().map(|f| f.dtype.width() as u64).sum();
    rows_at_most(graph, id).is_some_and(|rows| rows.saturating_mul(width) <= BROADCAST)
}

/// The most rows that a node can make; `None` where only the run can tell.
pub fn rows_at_most(graph: &Graph, id: NodeId) -> Option<u64> {
    let node = &graph.nodes[id];
    let input = |i: usize| rows_at_most(graph, *node.inputs.get(i)?);
    match &node.op {
        PlanOp::Read(read) => {
            let start = read.fused.as_ref().map_or(&node.schema, |fused| &fused.schema);
            start.domain.points()
        }
        PlanOp::Apply(_) | PlanOp::Partition(_) | PlanOp::Write(_) | PlanOp::Show(_) => input(0),
        PlanOp::Task(task) if task.many => None,
        PlanOp::Task(task) => {
            let rows = input(0);
            task.first.map_or(rows, |first| Some(rows.map_or(first, |rows| rows.min(first))))
        }
        PlanOp::Fold(fold) => match &fold.kind {
            FoldPlanKind::All => Some(1),
            FoldPlanKind::By(_) => input(0),
            FoldPlanKind::Over(_) => node.schema.domain.points(),
        },
        PlanOp::Order(order) => {
            let rows = input(0);
            order.limit.map_or(rows, |limit| Some(rows.map_or(limit, |rows| rows.min(limit))))
        }
        PlanOp::Concat => node
            .inputs
            .iter()
            .map(|i| rows_at_most(graph, *i))
            .try_fold(0, |all: u64, rows| rows.map(|rows| all.saturating_add(rows))),
        // As many as the program likes.
        PlanOp::Stream(_) => None,
        PlanOp::Join(join) => match &join.kind {
            JoinPlanKind::Dimensions { .. }
            | JoinPlanKind::Keys { how: How::Semi | How::Anti, .. } => input(0),
            JoinPlanKind::Keys { .. } => None,
        },
    }
}
