//! `fuse-read`: the first pass runs where a tile is read.
use super::Rule;
use crate::graph::{Fused, Graph, PlanOp};

pub const RULE: Rule = Rule {
    name: "fuse-read",
    doc: "the first pass runs as a tile is read: only columns that it uses are read or computed",
    apply,
};

fn apply(graph: &mut Graph) -> bool {
    let mut gone = vec![false; graph.nodes.len()];
    for id in 0..graph.nodes.len() {
        let &[input] = graph.nodes[id].inputs.as_slice() else { continue };
        let PlanOp::Apply(steps) = graph.nodes[id].op.clone() else { continue };
        if graph.consumers(input).len() != 1 {
            continue;
        }
        let (schema, given) = (graph.nodes[input].schema.clone(), graph.nodes[input].given.clone());
        let PlanOp::Read(read) = &graph.nodes[input].op else { continue };
        let mut read = read.clone();
        read.fused = Some(Fused { schema, given, steps });
        // The reader takes the place of the pass, whose schema and coordinates stay.
        graph.nodes[id].op = PlanOp::Read(read);
        graph.nodes[id].inputs.clear();
        gone[input] = true;
    }
    let keep: Vec<bool> = gone.iter().map(|g| !g).collect();
    graph.retain(&keep);
    gone.contains(&true)
}
