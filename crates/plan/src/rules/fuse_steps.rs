//! `fuse-steps`: maps, filters and selections that follow each other become one pass.
use super::Rule;
use crate::graph::{Graph, PlanOp};

pub const RULE: Rule = Rule {
    name: "fuse-steps",
    doc: "map, filter, select, drop and rename that follow each other run as one pass over blocks",
    apply,
};

fn apply(graph: &mut Graph) -> bool {
    let mut gone = vec![false; graph.nodes.len()];
    for id in 0..graph.nodes.len() {
        let &[input] = graph.nodes[id].inputs.as_slice() else { continue };
        let PlanOp::Apply(steps) = &graph.nodes[id].op else { continue };
        let PlanOp::Apply(before) = &graph.nodes[input].op else { continue };
        if graph.consumers(input).len() != 1 {
            continue;
        }
        let all = before.iter().chain(steps).cloned().collect();
        graph.nodes[id].op = PlanOp::Apply(all);
        graph.nodes[id].inputs = graph.nodes[input].inputs.clone();
        graph.nodes[input].inputs.clear();
        gone[input] = true;
    }
    let keep: Vec<bool> = gone.iter().map(|g| !g).collect();
    graph.retain(&keep);
    gone.contains(&true)
}
