//! `Concat`: tiles of all inputs, one input after the other.
use super::{Out, Stage, to_rows};
use crate::parcel::{Item, Parcel};
use arrow_array::Int64Array;
use base::{Failure, Tile};
use plan::physical::{self, Node, Op};
use std::ops::Range;

/// Numbers tiles on; tiles go on as they come.
pub struct Concat {
    plan: physical::Concat,
    free: bool,
}

impl Concat {
    /// For one worker. With `free`, tiles of all inputs but the first give up their credits.
    pub fn new(plan: &physical::Concat, free: bool) -> Concat {
        Concat { plan: plan.clone(), free }
    }

    fn renumber(&self, input: usize, tile: Tile) -> Result<Tile, Failure> {
        let missing = || Failure::internal("a concat has more inputs than it knows of");
        let number = self.plan.numbers.get(input).ok_or_else(missing)? + tile.number;
        let first = *self.plan.indices.get(input).ok_or_else(missing)?;
        let sizes = self.plan.sizes.get(input).ok_or_else(missing)?;
        let index = self.plan.keep_index.then(|| {
            let own = tile.indices(sizes);
            Int64Array::from_iter_values(own.values().iter().map(|i| i + first))
        });
        let line = tile.shape.len() == 1 && tile.index.is_none();
        let rows = to_rows(tile)?;
        let at = rows.origin.first().copied().unwrap_or(0);
        let origin = if line { vec![at.saturating_add_signed(first)] } else { vec![0] };
        Ok(Tile { number, origin, index, ..rows })
    }

    /// The numbers that an input's tiles may have.
    fn range(&self, input: usize) -> Range<u64> {
        let start = self.plan.numbers.get(input).copied().unwrap_or(u64::MAX);
        start..self.plan.numbers.get(input + 1).copied().unwrap_or(u64::MAX)
    }
}

impl Stage for Concat {
    fn tile(&mut self, input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        let Parcel { tile, credit } = parcel;
        let credit = if self.free && input > 0 { None } else { credit };
        out(Item::Tile(Parcel { tile: self.renumber(input, tile)?, credit }));
        Ok(())
    }

    fn closed(&mut self, input: usize, numbers: Range<u64>, out: Out) -> Result<(), Failure> {
        let all = self.range(input);
        let on = |number: u64| all.start.saturating_add(number).min(all.end);
        out(Item::Closed(on(numbers.start)..on(numbers.end)));
        Ok(())
    }

    fn input_ends(&mut self, input: usize, out: Out) -> Result<(), Failure> {
        out(Item::Closed(self.range(input)));
        Ok(())
    }
}

/// Whether writers that keep the order could wait in a circle: a tile of source x that holds its
/// credit waits there for tiles of source y (x stands behind y in a `Concat`), and so on back to
/// x. Sources are `Read`s, and what makes tiles with credits of its own of all that it was given.
/// Then tiles behind the first input of any `Concat` must not hold credits; memory is no longer
/// bounded, but the run ends.
pub fn waits(nodes: &[Node]) -> bool {
    let above: Vec<u128> = sources(nodes, |_| true);
    let holding: Vec<u128> = sources(nodes, |op| !matches!(op, Op::Final(_)));
    let mut behind = vec![0u128; 128];
    for node in nodes.iter().filter(|n| matches!(n.op, Op::Concat(_))) {
        for (i, later) in node.inputs.iter().enumerate() {
            let earlier = node.inputs[..i].iter().fold(0, |all, j| all | above[*j]);
            for (source, waits) in behind.iter_mut().enumerate() {
                if holding[*later] >> source & 1 == 1 {
                    *waits |= earlier;
                }
            }
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
            Op::Read(_) | Op::Final(_) => {
                next += 1;
                1 << ((next - 1) % 128)
            }
            _ => 0,
        };
        all.push(through | own);
    }
    all
}
