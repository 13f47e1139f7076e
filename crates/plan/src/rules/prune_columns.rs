//! `prune-columns`: where a path forks, and at joins, columns that no branch uses are not made.
use super::Rule;
use crate::graph::{FoldPlan, Fused, Graph, NodeId, PlanOp};
use expr::Program;
use std::collections::BTreeSet;

pub const RULE: Rule = Rule {
    name: "prune-columns",
    doc: "where several steps read from one, and at joins, columns that no step uses are not made",
    apply,
};

fn apply(graph: &mut Graph) -> bool {
    let mut changed = false;
    // The last first: what a join uses depends on what is used of it.
    for id in (0..graph.nodes.len()).rev() {
        let consumers = graph.consumers(id);
        let node = &graph.nodes[id];
        let joined = |c: &NodeId| matches!(graph.nodes[*c].op, PlanOp::Join(_));
        let chooses = match node.op {
            PlanOp::Join(_) => true,
            PlanOp::Apply(_) | PlanOp::Read(_) => {
                consumers.len() > 1 || consumers.iter().any(joined)
            }
            _ => false,
        };
        if !chooses {
            continue;
        }
        let used: BTreeSet<usize> = consumers.iter().flat_map(|c| uses(graph, *c, id)).collect();
        if used.len() < node.schema.fields.len() {
            graph.nodes[id].kept = Some(used.into_iter().collect());
            changed = true;
        }
    }
    changed
}

/// The columns of its input that a node uses. Only passes and joins are choosy; others take what
/// comes.
fn uses(graph: &Graph, at: NodeId, id: NodeId) -> Vec<usize> {
    let (node, input) = (&graph.nodes[at], &graph.nodes[id]);
    let width = input.schema.fields.len();
    let all = || (0..width).collect();
    let needed = |fused: &Fused| {
        let (schema, given) = graph.before(fused);
        let program = Program::compile(&schema, given, &fused.steps, false);
        let own = |p: Program| p.needed().iter().copied().filter(|i| *i < width).collect();
        program.map_or_else(|_| all(), own)
    };
    match &node.op {
        PlanOp::Apply(steps) => needed(&input.then(steps.clone())),
        PlanOp::Fold(FoldPlan { fused: Some(fused), .. }) => needed(fused),
        PlanOp::Join(join) => {
            let made = || match &node.kept {
                Some(kept) => kept.clone(),
                None => (0..node.schema.fields.len()).collect(),
            };
            let sides = (0..2).filter(|side| node.inputs[*side] == id);
            sides.flat_map(|side| join.uses(side, made().into_iter())).collect()
        }
        _ => all(),
    }
}
