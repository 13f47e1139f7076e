//! `fuse-steps`: maps, filters and selections that follow each other become one pass.
use super::{Rule, fuse};
use crate::graph::{Graph, NodeId, PlanOp};

pub const RULE: Rule = Rule {
    name: "fuse-steps",
    doc: "map, filter, select, drop and rename that follow each other run as one pass over blocks",
    apply,
};

fn apply(graph: &mut Graph) -> bool {
    fuse(graph, merge)
}

fn merge(graph: &mut Graph, id: NodeId, input: NodeId) -> bool {
    let (PlanOp::Apply(before), PlanOp::Apply(steps)) =
        (&graph.nodes[input].op, &graph.nodes[id].op)
    else {
        return false;
    };
    let all = before.iter().chain(steps).cloned().collect();
    graph.nodes[id].op = PlanOp::Apply(all);
    graph.nodes[id].inputs = graph.nodes[input].inputs.clone();
    true
}
