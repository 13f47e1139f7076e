//! `fuse-reduce`: a reduction takes blocks straight from the pass before it.
use super::{Rule, fuse};
use crate::graph::{Graph, NodeId, PlanOp};

pub const RULE: Rule = Rule {
    name: "fuse-reduce",
    doc: "the pass before a reduction hands it blocks of a few thousand values, never a whole column",
    apply,
};

fn apply(graph: &mut Graph) -> bool {
    fuse(graph, merge)
}

fn merge(graph: &mut Graph, id: NodeId, input: NodeId) -> bool {
    let PlanOp::Apply(steps) = &graph.nodes[input].op else { return false };
    let before = graph.nodes[input].inputs[0];
    let fused = graph.nodes[before].then(steps.clone());
    let PlanOp::Fold(fold) = &mut graph.nodes[id].op else { return false };
    fold.fused = Some(fused);
    graph.nodes[id].inputs = vec![before];
    true
}
