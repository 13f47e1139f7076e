//! `read-again`: a join whose two sides come from one reader reads it for each of them.
use super::Rule;
use crate::graph::{Graph, NodeId, PlanNode, PlanOp};
use std::collections::BTreeSet;

pub const RULE: Rule = Rule {
    name: "read-again",
    doc: "a join needs all of its right side first: where both sides are made of the same tiles, \
          they are read, or computed, again for the left, and none has to wait in memory",
    apply,
};

fn apply(graph: &mut Graph) -> bool {
    let mut changed = false;
    let mut id = 0;
    while id < graph.nodes.len() {
        let again = match graph.nodes[id].op {
            PlanOp::Join(_) => again(graph, id),
            _ => Vec::new(),
        };
        changed |= !again.is_empty();
        id += again.len() + 1;
        insert(graph, id - again.len() - 1, again);
    }
    changed
}

/// What is to be done again for the left side of a join, from its reader on; nothing if the right
/// side does not read from it, or the left is more than passes over tiles.
fn again(graph: &Graph, join: NodeId) -> Vec<NodeId> {
    let [left, right] = graph.nodes[join].inputs[..] else { return Vec::new() };
    let mut chain = vec![left];
    let mut at = left;
    while let (PlanOp::Apply(_), [input]) = (&graph.nodes[at].op, &graph.nodes[at].inputs[..]) {
        chain.push(*input);
        at = *input;
    }
    let shared = matches!(graph.nodes[at].op, PlanOp::Read(_)) && above(graph, right).contains(&at);
    chain.reverse();
    if shared { chain } else { Vec::new() }
}

/// A node and all nodes that feed it.
fn above(graph: &Graph, id: NodeId) -> BTreeSet<NodeId> {
    let mut all = BTreeSet::from([id]);
    let mut next = vec![id];
    while let Some(id) = next.pop() {
        next.extend(graph.nodes[id].inputs.iter().filter(|i| all.insert(**i)));
    }
    all
}

/// Puts copies of a chain of nodes in front of a join, which takes the last of them as its left.
fn insert(graph: &mut Graph, join: NodeId, chain: Vec<NodeId>) {
    let count = chain.len();
    if count == 0 {
        return;
    }
    for node in &mut graph.nodes[join..] {
        node.inputs.iter_mut().filter(|i| **i >= join).for_each(|i| *i += count);
    }
    let copy = |(k, id): (usize, &NodeId)| {
        let node = &graph.nodes[*id];
        let inputs = if k == 0 { Vec::new() } else { vec![join + k - 1] };
        PlanNode { inputs, ..node.clone() }
    };
    let mut copies: Vec<PlanNode> = chain.iter().enumerate().map(copy).collect();
    graph.nodes[join].inputs[0] = join + count - 1;
    // What both do is told once.
    for (copy, id) in copies.iter_mut().zip(&chain) {
        copy.told &= graph.consumers(*id).is_empty();
    }
    graph.nodes.splice(join..join, copies);
}
