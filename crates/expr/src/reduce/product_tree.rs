//! A product over a fixed binary tree: its bits do not depend on how the rows were cut.
//!
//! The tree stands over the indices of the domain: node i of level l covers the indices
//! i·2^l .. (i+1)·2^l, and its value is that of its left half times that of its right half.
//! A row that is not there counts as 1, and a factor of 1 changes no bits. So the product is a
//! function of the set of (index, value) alone. Values are kept with what rounding took away
//! ([`Factor`]), so that products of many factors near 1 do not lose their digits.
//!
//! A state is the set of nodes known to be whole, each numbered (2i+1)·2^l, which is their
//! order from left to right. Siblings that are both there become their parent.
use super::factor::{Factor, pairwise};
use crate::exact::Bytes;

/// Nodes known so far, of which none covers another.
#[derive(Clone, Debug, Default)]
pub(super) struct ProductTree {
    nodes: Vec<Node>,
    /// How many there were when siblings were last joined.
    settled: usize,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    number: u64,
    value: Factor,
}

/// Bytes of a node in a state.
const BYTES: usize = 24;

impl Node {
    fn new(level: u32, index: u64, value: Factor) -> Node {
        Node { number: (2 * (index >> level) + 1) << level, value }
    }

    fn level(self) -> u32 {
        self.number.trailing_zeros()
    }

    /// The first index that it covers.
    fn start(self) -> u64 {
        (self.number & (self.number - 1)) >> 1
    }

    /// The parent of this node and the one to its right, if they are siblings.
    fn join(self, right: Node) -> Option<Node> {
        let level = self.level();
        let parent = self.number.checked_add(1 << level)?;
        let siblings = right.number == parent.checked_add(1 << level)? && right.level() == level;
        (siblings && parent.trailing_zeros() == level + 1)
            .then_some(Node { number: parent, value: self.value.times(right.value) })
    }
}

impl ProductTree {
    /// Adds the value of one row.
    pub fn add(&mut self, index: i64, value: f64) {
        self.nodes.push(Node::new(0, index as u64, value.into()));
        self.settle_if_many();
    }

    /// Adds the value of one row of a contiguous run that began at index `first`, whose rows
    /// come in order: those of the run that were not added to this tree are not there.
    pub fn add_in_run(&mut self, first: i64, index: i64, value: f64) {
        let (first, index) = (first as u64, index as u64);
        self.raise_last(first, index);
        self.nodes.push(Node::new(0, index, value.into()));
        self.settle_if_many();
    }

    /// Adds the values of a contiguous run of rows.
    pub fn add_run(&mut self, first: i64, mut values: &[f64]) {
        let mut first = first as u64;
        while let Some(size) = values.len().checked_ilog2() {
            let level = first.trailing_zeros().min(size);
            let (node, rest) = values.split_at(1 << level);
            self.nodes.push(Node::new(level, first, pairwise(node)));
            self.join_last();
            first += 1 << level;
            values = rest;
        }
        self.settle_if_many();
    }

    /// Raises the last node, if it lies in the run from `first` to before `index`, as far as it
    /// neither covers `index` nor leaves the run, and joins what becomes siblings on the way.
    fn raise_last(&mut self, first: u64, index: u64) {
        while let [before @ .., last] = &mut self.nodes[..]
            && let start = last.start()
            && (first..index).contains(&start)
        {
            // Ancestors of this level and below do not cover `index`, nor the node before.
            let mut level = (start ^ index).ilog2();
            if let Some(before) = before.last() {
                level = level.min((before.start() ^ start).checked_ilog2().unwrap_or(0));
            }
            while start >> level << level < first {
                level -= 1;
            }
            if level <= last.level() {
                return;
            }
            *last = Node::new(level, start, last.value);
            self.join_last();
        }
    }

    /// Adds all that another has.
    fn add_nodes(&mut self, nodes: impl Iterator<Item = Node>) {
        self.nodes.extend(nodes);
        self.settle_if_many();
    }

    /// Joins the last nodes as long as they are siblings.
    fn join_last(&mut self) {
        while let [.., left, right] = self.nodes[..]
            && let Some(parent) = left.join(right)
        {
            self.nodes.truncate(self.nodes.len() - 2);
            self.nodes.push(parent);
        }
    }

    /// Settles when that pays: in all, a logarithmic number of times.
    fn settle_if_many(&mut self) {
        if self.nodes.len() > 2 * self.settled + 64 {
            self.settle();
        }
    }

    /// Sorts and joins siblings.
    fn settle(&mut self) {
        self.nodes.sort_unstable_by_key(|node| (node.number, node.value.bits()));
        let n = self.nodes.len();
        let nodes = std::mem::replace(&mut self.nodes, Vec::with_capacity(n));
        for node in nodes {
            self.nodes.push(node);
            self.join_last();
        }
        self.nodes.shrink_to(2 * self.nodes.len());
        self.settled = self.nodes.len();
    }

    /// The product of all; 1 of nothing. Every NaN is `f64::NAN`.
    pub fn product(&mut self) -> f64 {
        self.settle();
        let product = product(&self.nodes).high;
        if product.is_nan() { f64::NAN } else { product }
    }

    /// Bytes of memory besides the value itself.
    pub fn heap(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>()
    }

    /// Writes the nodes.
    pub fn write(&self, out: &mut Vec<u8>) {
        for node in &self.nodes {
            out.extend(node.number.to_le_bytes());
            out.extend(node.value.high.to_le_bytes());
            out.extend(node.value.low.to_le_bytes());
        }
    }

    /// Adds the nodes that [`ProductTree::write`] wrote, up to the end of the bytes.
    pub fn merge(&mut self, bytes: &mut Bytes) -> Option<()> {
        let mut nodes = Vec::with_capacity(bytes.0.len() / BYTES);
        while !bytes.is_empty() {
            let number = bytes.u64().filter(|number| *number != 0)?;
            let value = Factor { high: bytes.f64()?, low: bytes.f64()? };
            nodes.push(Node { number, value });
        }
        self.add_nodes(nodes.into_iter());
        Some(())
    }
}

/// The product of nodes in ascending order; what lies between them is 1.
fn product(nodes: &[Node]) -> Factor {
    match nodes {
        [] => Factor::ONE,
        [node] => node.value,
        [first, .., last] if first.number == last.number => {
            nodes.iter().fold(Factor::ONE, |all, node| all.times(node.value))
        }
        [first, .., last] => {
            // The lowest node over all of them: where their numbers part.
            let level = 63 - (first.number ^ last.number).leading_zeros();
            let over = last.number >> level << level;
            let (left, right) = nodes.split_at(nodes.partition_point(|n| n.number < over));
            product(left).times(product(right))
        }
    }
}
