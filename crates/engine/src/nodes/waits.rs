//! Whether tiles that hold credits could wait for each other in a circle.
use plan::physical::{Node, Op};

/// Behind a `Concat` a writer that keeps the order holds tiles of a later input until those of the
/// earlier ones have come; a join holds tiles of its left side until the right one has ended. So a
/// tile of source x that holds its credit waits for tiles of source y, and so on, maybe back to x.
/// Sources are `Read`s, and what makes tiles with credits of its own of all that it was given.
/// Then tiles behind the first input of any `Concat`, and of the left side of any join, must not
/// hold credits; memory is no longer bounded, but the run ends.
pub fn circular(nodes: &[Node]) -> bool {
    let above: Vec<u128> = sources(nodes, |_| true);
    let holding: Vec<u128> = sources(nodes, |op| !matches!(op, Op::Final(_) | Op::Parts(_)));
    let mut behind = vec![0u128; 128];
    let mut waits = |node: usize, others: u128| {
        for (source, waits) in behind.iter_mut().enumerate() {
            if holding[node] >> source & 1 == 1 {
                *waits |= others;
            }
        }
    };
    for node in nodes {
        match (&node.op, &node.inputs[..]) {
            (Op::Concat(_), inputs) => {
                for (i, later) in inputs.iter().enumerate() {
                    waits(*later, inputs[..i].iter().fold(0, |all, j| all | above[*j]));
                }
            }
            (Op::Join(_) | Op::Find(_) | Op::Overlay(_), [left, right]) => {
                waits(*left, above[*right]);
            }
            _ => {}
        }
    }
    // The transitive closure (Warshall); more than 128 sources share bits, which errs to `true`.
    for middle in 0..128 {
        let reach = behind[middle];
        for waits in behind.iter_mut().filter(|w| **w >> middle & 1 == 1) {
            *waits |= reach;
        }
    }
    behind.iter().enumerate().any(|(source, waits)| waits >> source & 1 == 1)
}

/// For each node the sources it has tiles of, through nodes that `pass`.
fn sources(nodes: &[Node], pass: impl Fn(&Op) -> bool) -> Vec<u128> {
    let mut all: Vec<u128> = Vec::with_capacity(nodes.len());
    let mut next = 0;
    for node in nodes {
        let from_inputs = node.inputs.iter().fold(0, |set, i| set | all[*i]);
        let through = if pass(&node.op) { from_inputs } else { 0 };
        let own = match &node.op {
            Op::Read(_) | Op::Final(_) | Op::Parts(_) => {
                next += 1;
                1 << ((next - 1) % 128)
            }
            _ => 0,
        };
        all.push(through | own);
    }
    all
}
