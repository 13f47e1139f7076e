//! `Apply` and `Encode`: one tile in, one tile out.
use super::pass::Pass;
use super::{Out, Stage};
use crate::parcel::{Item, Parcel};
use crate::watch::Watch;
use base::{Failure, Tile};
use expr::Block;
use formats::Sink;
use plan::physical;
use std::ops::Range;
use std::sync::Arc;

/// Runs a program on each tile.
pub struct Apply {
    pass: Pass,
    columns: Vec<usize>,
}

impl Apply {
    /// For one worker.
    pub fn new(apply: &physical::Apply, watch: &Arc<Watch>) -> Apply {
        Apply { pass: Pass::new(&apply.program, watch), columns: apply.columns.clone() }
    }

    /// Runs the program on a tile, and gives what it makes a block at a time.
    ///
    /// # Errors
    /// If the program fails, or `consume` does.
    pub fn blocks(
        &mut self,
        tile: &Tile,
        consume: &mut dyn FnMut(&Block) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let input = self.input(tile)?;
        self.pass.blocks(&input, consume)
    }

    /// The tile with only the columns that the program needs.
    fn input(&self, tile: &Tile) -> Result<Tile, Failure> {
        let column = |c: &usize| tile.columns.get(*c).cloned();
        let columns: Option<Vec<_>> = self.columns.iter().map(column).collect();
        let missing = || Failure::internal("a tile lacks a column that the program needs");
        Ok(Tile {
            number: tile.number,
            origin: tile.origin.clone(),
            shape: tile.shape.clone(),
            columns: columns.ok_or_else(missing)?,
            index: tile.index.clone(),
        })
    }
}

impl Stage for Apply {
    fn tile(&mut self, _input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        let input = self.input(&parcel.tile)?;
        let tile = self.pass.tile(&input)?;
        out(Item::Tile(Parcel { tile, ..parcel }));
        Ok(())
    }

    fn closed(&mut self, _in: usize, numbers: Range<u64>, out: Out) -> Result<(), Failure> {
        out(Item::Closed(numbers));
        Ok(())
    }
}

/// Does for a writer what any worker can do, such as compression.
pub struct Encode {
    sink: Arc<dyn Sink>,
    /// For each tile whether an earlier run has written it.
    done: Option<Arc<Vec<bool>>>,
}

impl Encode {
    /// For one worker.
    pub fn new(sink: Arc<dyn Sink>, done: Option<Arc<Vec<bool>>>) -> Encode {
        Encode { sink, done }
    }
}

impl Stage for Encode {
    fn tile(&mut self, _input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        let Parcel { tile, credit } = parcel;
        let done = self.done.as_ref().and_then(|done| done.get(tile.number as usize));
        if done == Some(&true) {
            return Ok(());
        }
        out(Item::Tile(Parcel { tile: self.sink.prepare(tile)?, credit }));
        Ok(())
    }

    fn closed(&mut self, _in: usize, numbers: Range<u64>, out: Out) -> Result<(), Failure> {
        out(Item::Closed(numbers));
        Ok(())
    }
}
