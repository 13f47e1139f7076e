//! What all processes know of a `Read`'s tiles.
use formats::Arrangement;
use plan::physical::{Node, Op};
use std::sync::Arc;

/// How a run is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many processes there are, at least 1.
    pub processes: u64,
    /// Worker threads in each, at least 1.
    pub threads: u64,
}

/// The tiles of a `Read`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack {
    /// How many there are.
    pub tiles: u64,
    /// Whether a writer waits for each number in turn. Then all processes stay close together.
    pub in_order: bool,
}

/// One part in so many of the tiles is shared out before anything is known of the processes: one
/// that is so many times slower than the others still ends with them.
const OPENING: u64 = 8;

impl Stack {
    /// So many tiles each process has without asking: with numbers that are its own index modulo
    /// the processes.
    pub fn opening(&self, shape: Shape) -> u64 {
        if shape.processes == 1 {
            return self.tiles;
        }
        match self.in_order {
            true => shape.threads,
            false => shape.threads.max(self.tiles / (OPENING * shape.processes)),
        }
    }

    /// The first number that is not part of an opening.
    pub fn dealt_at_once(&self, shape: Shape) -> u64 {
        self.opening(shape).saturating_mul(shape.processes).min(self.tiles)
    }
}

/// For each node that is a `Read` its tiles: those that are `left`, where some are done. A stack
/// counts places among them.
pub fn stacks(nodes: &[Node], left: &[Option<Arc<Vec<u64>>>]) -> Vec<Option<Stack>> {
    let mut in_order = vec![false; nodes.len()];
    for (at, node) in nodes.iter().enumerate().rev() {
        // What is behind a reduction has numbers of its own.
        let keeps = !matches!(node.op, Op::Final(_));
        let writes = matches!(&node.op, Op::Write(s) if s.arrangement() == Arrangement::InOrder);
        if keeps && (in_order[at] || writes) {
            node.inputs.iter().for_each(|input| in_order[*input] = true);
        }
    }
    let stack = |(at, (node, in_order)): (usize, (&Node, bool))| {
        let Op::Read(read) = &node.op else { return None };
        let left = left.get(at).and_then(Option::as_ref);
        let tiles = left.map_or_else(|| read.tiling.count(), |left| left.len() as u64);
        Some(Stack { tiles, in_order })
    };
    nodes.iter().zip(in_order).enumerate().map(stack).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openings_leave_something_to_deal() {
        let shape = |processes, threads| Shape { processes, threads };
        let stack = |tiles, in_order| Stack { tiles, in_order };
        assert_eq!(stack(1000, false).opening(shape(1, 2)), 1000);
        assert_eq!(stack(1000, false).opening(shape(2, 1)), 62);
        assert_eq!(stack(1000, false).dealt_at_once(shape(2, 1)), 124);
        assert_eq!(stack(10, false).opening(shape(2, 3)), 3);
        assert_eq!(stack(3, false).dealt_at_once(shape(4, 1)), 3);
        assert_eq!(stack(1000, true).opening(shape(2, 3)), 3);
    }
}
