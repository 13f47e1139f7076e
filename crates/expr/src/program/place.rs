//! Where each node is evaluated: known, read, once, once per tile, or at every point.
use super::Given;
use crate::dag::{Dag, NodeId, Op};
use base::{DimMask, Domain, Schema};

/// The most points of a table that is made once for the whole domain.
const ONCE: u64 = 1 << 20;

/// Where a node is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: nothing needs it.
    Unused,
    /// Its value is known before the run.
    Constant,
    /// It is read: a column of the input, or the index of the point.
    Read,
    /// Once for the whole domain, over the dimensions that it varies along.
    Once,
    /// Once for each tile, over the dimensions that it varies along.
    Tile,
    /// At every point that the first so many filters have left.
    Point {
        /// How many filters come before.
        stage: usize,
    },
}

/// What blocks read.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its node.
    pub node: NodeId,
    /// The dimensions it varies along.
    pub mask: DimMask,
    /// Where its values come from.
    pub from: From,
}

/// Where the values of a source come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The column of the tile at this position among those needed.
    Column(usize),
    /// The given values of this field.
    Given(usize),
    /// The index of each point in the domain.
    Index,
    /// A node evaluated once: its position among them.
    Once(usize),
    /// A node evaluated once per tile: its position among them.
    Tile(usize),
    /// A constant.
    Constant,
}

/// For each node the number of filters before its first use; `usize::MAX` if nothing needs it.
/// `roots` are the predicates of the filters, in order, and then all outputs.
pub fn stages(dag: &Dag, filters: &[NodeId], outputs: &[NodeId]) -> Vec<usize> {
    let mut stages = vec![usize::MAX; dag.nodes.len()];
    outputs.iter().for_each(|id| stages[*id] = filters.len());
    for (stage, id) in filters.iter().enumerate().rev() {
        stages[*id] = stages[*id].min(stage);
    }
    for id in (0..dag.nodes.len()).rev() {
        for argument in &dag.nodes[id].arguments {
            stages[*argument] = stages[*argument].min(stages[id]);
        }
    }
    stages
}

/// Decides for each node.
pub fn places(dag: &Dag, stages: &[usize], input: &Schema, given: &[Given]) -> Vec<Place> {
    let full = input.domain.full();
    let positions = input.positions();
    let mut places: Vec<Place> = Vec::with_capacity(dag.nodes.len());
    // Whether a node depends on nothing but what is known before the run.
    let mut known: Vec<bool> = Vec::with_capacity(dag.nodes.len());
    for (node, stage) in dag.nodes.iter().zip(stages) {
        let (place, is_known) = match &node.op {
            _ if *stage == usize::MAX => (Place::Unused, false),
            Op::Constant(_) => (Place::Constant, true),
            Op::Index => (Place::Read, false),
            Op::Column(name) => {
                let field = positions.get(name).and_then(|i| given.get(*i));
                (Place::Read, field.is_some_and(|given| !given.is_loaded()))
            }
            Op::Call(_) => {
                let known = node.arguments.iter().all(|a| known[*a]);
                let early =
                    node.arguments.iter().all(|a| !matches!(places[*a], Place::Point { .. }));
                let hoist = node.mask != full && early;
                let small = points(&input.domain, node.mask).is_some_and(|p| p <= ONCE);
                match (hoist, known && small) {
                    (false, _) => (Place::Point { stage: *stage }, false),
                    (true, true) => (Place::Once, true),
                    (true, false) => (Place::Tile, false),
                }
            }
        };
        places.push(place);
        known.push(is_known);
    }
    places
}

/// The number of points of the dimensions in a mask, over the whole domain.
pub fn points(domain: &Domain, mask: DimMask) -> Option<u64> {
    mask.iter().try_fold(1u64, |product, i| product.checked_mul(domain.dims.get(i)?.size?))
}
