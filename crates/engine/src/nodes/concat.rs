//! `Concat`: tiles of all inputs, one input after the other.
use super::{Out, Stage, to_rows};
use crate::parcel::{Item, Parcel};
use arrow_array::Int64Array;
use base::{Failure, Tile};
use plan::physical;
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
