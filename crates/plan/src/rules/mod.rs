//! The rewrite rules, in the order in which they run.
use crate::graph::{Graph, NodeId};

mod fuse_read;
mod fuse_reduce;
mod fuse_steps;
mod prune_columns;
mod prune_rows;

/// A named rewrite of the whole plan.
pub struct Rule {
    /// Its name in `explain`.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// Rewrites the graph; false if nothing was to be done.
    apply: fn(&mut Graph) -> bool,
}

/// All rules. Splitting reductions and placing exchanges comes after them, in `lower`.
pub static RULES: &[Rule] =
    &[fuse_steps::RULE, fuse_reduce::RULE, fuse_read::RULE, prune_columns::RULE, prune_rows::RULE];

/// What a rule made of the plan.
pub struct Rewrite {
    /// The rule.
    pub rule: &'static Rule,
    /// The plan after it; the one before it if nothing was to be done.
    pub graph: Graph,
    /// Whether it did anything.
    pub changed: bool,
}

/// Runs all rules, once each.
pub fn rewrite(mut graph: Graph) -> Vec<Rewrite> {
    let mut rewrites = Vec::new();
    for rule in RULES {
        let changed = (rule.apply)(&mut graph);
        rewrites.push(Rewrite { rule, graph: graph.clone(), changed });
    }
    rewrites
}

/// Shows `merge` each node that alone reads from another, and that other. Where `merge` has moved
/// the other into the node, the other ends. Returns whether any did.
fn fuse(graph: &mut Graph, merge: fn(&mut Graph, NodeId, NodeId) -> bool) -> bool {
    let mut keep = vec![true; graph.nodes.len()];
    for id in 0..graph.nodes.len() {
        let &[input] = graph.nodes[id].inputs.as_slice() else { continue };
        if graph.consumers(input).len() == 1 && merge(graph, id, input) {
            graph.nodes[input].inputs.clear();
            keep[input] = false;
        }
    }
    graph.retain(&keep);
    keep.contains(&false)
}
