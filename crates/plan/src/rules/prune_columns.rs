//! `prune-columns`: where a path forks, columns that no branch uses are not made.
use super::Rule;
use crate::graph::{FoldPlan, Fused, Graph, PlanNode, PlanOp};
use expr::Program;
use std::collections::BTreeSet;

pub const RULE: Rule = Rule {
    name: "prune-columns",
    doc: "where several steps read from one, columns that none of them uses are not made",
    apply,
};

fn apply(graph: &mut Graph) -> bool {
    let mut changed = false;
    for id in 0..graph.nodes.len() {
        let consumers = graph.consumers(id);
        let node = &graph.nodes[id];
        if consumers.len() < 2 || !matches!(node.op, PlanOp::Apply(_) | PlanOp::Read(_)) {
            continue;
        }
        let used: BTreeSet<usize> =
            consumers.iter().flat_map(|c| uses(&graph.nodes[*c], node)).collect();
        if used.len() < node.schema.fields.len() {
            graph.nodes[id].kept = Some(used.into_iter().collect());
            changed = true;
        }
    }
    changed
}

/// The columns of its input that a node uses. Only passes are choosy; others take what comes.
fn uses(node: &PlanNode, input: &PlanNode) -> Vec<usize> {
    let all = || (0..input.schema.fields.len()).collect();
    let needed = |fused: &Fused| {
        let program = Program::compile(&fused.schema, fused.given.clone(), &fused.steps, false);
        program.map_or_else(|_| all(), |p| p.needed().to_vec())
    };
    match &node.op {
        PlanOp::Apply(steps) => needed(&input.then(steps.clone())),
        PlanOp::Fold(FoldPlan { fused: Some(fused), .. }) => needed(fused),
        _ => all(),
    }
}
