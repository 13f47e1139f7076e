//! `fuse-reduce`: a reduction takes blocks straight from the pass before it.
use super::Rule;
use crate::graph::{Fused, Graph, PlanOp};

pub const RULE: Rule = Rule {
    name: "fuse-reduce",
    doc: "the pass before a reduction hands it blocks of a few thousand values, never a whole column",
    apply,
};

fn apply(graph: &mut Graph) -> bool {
    let mut gone = vec![false; graph.nodes.len()];
    for id in 0..graph.nodes.len() {
        let &[input] = graph.nodes[id].inputs.as_slice() else { continue };
        if !matches!(graph.nodes[id].op, PlanOp::Fold(_)) || graph.consumers(input).len() != 1 {
            continue;
        }
        let PlanOp::Apply(steps) = &graph.nodes[input].op else { continue };
        let (steps, before) = (steps.clone(), graph.nodes[input].inputs[0]);
        let (schema, given) =
            (graph.nodes[before].schema.clone(), graph.nodes[before].given.clone());
        if let PlanOp::Fold(fold) = &mut graph.nodes[id].op {
            fold.fused = Some(Fused { schema, given, steps });
        }
        graph.nodes[id].inputs = vec![before];
        graph.nodes[input].inputs.clear();
        gone[input] = true;
    }
    let keep: Vec<bool> = gone.iter().map(|g| !g).collect();
    graph.retain(&keep);
    gone.contains(&true)
}
