//! `fuse-read`: the first pass runs where a tile is read.
use super::{Rule, fuse};
use crate::graph::{Graph, NodeId, PlanOp};

pub const RULE: Rule = Rule {
    name: "fuse-read",
    doc: "the first pass runs as a tile is read: only columns that it uses are read or computed",
    apply,
};

fn apply(graph: &mut Graph) -> bool {
    fuse(graph, merge)
}

fn merge(graph: &mut Graph, id: NodeId, input: NodeId) -> bool {
    let (PlanOp::Read(read), PlanOp::Apply(steps)) = (&graph.nodes[input].op, &graph.nodes[id].op)
    else {
        return false;
    };
    // It has one pass at most.
    if read.fused.is_some() {
        return false;
    }
    let mut read = read.clone();
    read.place.clone_from(&graph.nodes[input].place);
    read.fused = Some(graph.nodes[input].then(steps.clone()));
    // The reader takes the place of the pass, whose schema and coordinates stay.
    graph.nodes[id].op = PlanOp::Read(read);
    graph.nodes[id].inputs.clear();
    true
}
