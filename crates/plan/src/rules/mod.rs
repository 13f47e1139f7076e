//! The rewrite rules, in the order in which they run.
use crate::graph::{Graph, NodeId};
use base::Entry;

mod fuse_read;
mod fuse_reduce;
mod fuse_steps;
mod prune_columns;
mod prune_range;
mod prune_rows;
mod read_again;

/// A named rewrite of the whole plan.
pub struct Rule {
    /// Its name in `explain` and for `--without`.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// Rewrites the graph; false if nothing was to be done.
    apply: fn(&mut Graph) -> bool,
}

/// All rules. Splitting reductions and placing exchanges comes after them, in `lower`.
pub static RULES: &[Rule] = &[
    read_again::RULE,
    fuse_steps::RULE,
    prune_range::RULE,
    fuse_reduce::RULE,
    fuse_read::RULE,
    prune_columns::RULE,
    prune_rows::RULE,
];

impl Entry for Rule {
    fn name(&self) -> &'static str {
        self.name
    }

    fn doc(&self) -> &'static str {
        self.doc
    }
}

/// The rule of this name; `_` may stand for `-`.
pub fn rule(name: &str) -> Option<&'static Rule> {
    let name = name.replace('_', "-");
    RULES.iter().find(|rule| rule.name == name)
}

/// What a rule made of the plan.
pub struct Rewrite {
    /// The rule.
    pub rule: &'static Rule,
    /// The plan after it; the one before it if nothing was to be done.
    pub graph: Graph,
    /// Whether it did anything.
    pub changed: bool,
    /// Whether it was switched off.
    pub off: bool,
}

/// Runs all rules, once each, but for those of these names.
pub fn rewrite(mut graph: Graph, without: &[&'static str]) -> Vec<Rewrite> {
    let mut rewrites = Vec::new();
    for rule in RULES {
        let off = without.contains(&rule.name);
        let changed = !off && (rule.apply)(&mut graph);
        rewrites.push(Rewrite { rule, graph: graph.clone(), changed, off });
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
