//! `Sample`: passes rows on, and to all workers a sample of their keys.
use super::ASIDE;
use crate::hash;
use crate::nodes::order::rows::{compact, internal, pick};
use crate::nodes::{Out, Stage, to_rows};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_array::{Array, UInt64Array};
use arrow_select::concat::concat;
use base::{Column, Failure, Tile};
use plan::physical::Partition;
use std::sync::Arc;

/// A sample has so many rows; a part of n of them is off by about their root.
const ROWS: usize = 1 << 14;

/// Passes the tiles of one worker on.
pub struct Sample {
    plan: Partition,
    place: Place,
    smallest: Smallest,
}

impl Sample {
    /// For one worker.
    pub fn new(plan: &Partition, place: Place) -> Sample {
        Sample { plan: plan.clone(), place, smallest: Smallest::default() }
    }
}

impl Stage for Sample {
    fn tile(&mut self, _input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        // The rows stay in memory, so they are copied out of what they may be a small part of, and
        // the credit goes back.
        let indices = parcel.tile.indices(&self.plan.sizes);
        let tile = compact(Tile { index: None, ..to_rows(parcel.tile)? })?;
        let hashes = indices.values().iter().map(|index| hash::word(*index as u64)).collect();
        let column = |key: &usize| tile.columns.get(*key).cloned();
        let keys: Option<Vec<Column>> = self.plan.keys.iter().map(column).collect();
        let columns = keys.ok_or_else(|| Failure::internal("there is no such key"))?;
        self.smallest.add(Tile { columns, ..tile.clone() }, hashes)?;
        out(Item::Tile(Parcel::free(tile)));
        Ok(())
    }

    fn finish(&mut self, out: Out) -> Result<(), Failure> {
        if let Some(sample) = std::mem::take(&mut self.smallest).tile()? {
            for worker in 0..self.place.workers {
                out(Item::to(worker, Tile { number: ASIDE, ..sample.clone() }));
            }
        }
        Ok(())
    }
}

/// The rows with the smallest hashes: of the same rows always the same, whoever looks first.
#[derive(Default)]
pub struct Smallest {
    /// Keys, then the hashes.
    tiles: Vec<Tile>,
    rows: usize,
    /// Rows with this hash or a larger one are not among them.
    end: Option<u64>,
}

impl Smallest {
    /// Adds rows and their hashes.
    ///
    /// # Errors
    /// If Arrow cannot make an array of them.
    pub fn add(&mut self, tile: Tile, hashes: Vec<u64>) -> Result<(), Failure> {
        let small = |row: &usize| self.end.is_none_or(|end| hashes[*row] < end);
        let rows: Vec<u32> = (0..hashes.len()).filter(small).map(|row| row as u32).collect();
        let own = rows.iter().map(|row| hashes[*row as usize]);
        let own = UInt64Array::from_iter_values(own);
        let mut tile = pick(tile, rows).map_err(internal)?;
        tile.columns.push(Column::from(Arc::new(own) as Arc<dyn Array>));
        self.push(tile)
    }

    /// Adds a tile that [`Smallest::tile`] made.
    ///
    /// # Errors
    /// If Arrow cannot make an array of its rows.
    pub fn push(&mut self, tile: Tile) -> Result<(), Failure> {
        self.rows += tile.points();
        self.tiles.push(tile);
        if self.rows > 2 * ROWS { self.prune() } else { Ok(()) }
    }

    fn hashes(tile: &Tile) -> &[u64] {
        let last = tile.columns.last().and_then(|c| c.array.as_primitive_opt::<UInt64Type>());
        last.map_or(&[], |hashes| hashes.values())
    }

    fn prune(&mut self) -> Result<(), Failure> {
        let mut all: Vec<u64> = self.tiles.iter().flat_map(Smallest::hashes).copied().collect();
        if all.len() <= ROWS {
            return Ok(());
        }
        let end = *all.select_nth_unstable(ROWS).1;
        let some = |tile: Tile| {
            let hashes = Smallest::hashes(&tile).iter().enumerate();
            let rows = hashes.filter(|(_, hash)| **hash < end).map(|(row, _)| row as u32).collect();
            pick(tile, rows).map_err(internal)
        };
        let tiles = std::mem::take(&mut self.tiles).into_iter().map(some);
        self.tiles = tiles.collect::<Result<_, Failure>>()?;
        self.tiles.retain(|tile| tile.points() > 0);
        self.rows = self.tiles.iter().map(Tile::points).sum();
        self.end = Some(end);
        Ok(())
    }

    /// The rows: keys, then hashes; `None` if there are none.
    ///
    /// # Errors
    /// If Arrow cannot put them together.
    pub fn tile(mut self) -> Result<Option<Tile>, Failure> {
        self.prune()?;
        let Some(first) = self.tiles.first() else { return Ok(None) };
        let column = |i: usize| {
            let arrays: Vec<&dyn Array> = self.tiles.iter().map(|t| &*t.columns[i].array).collect();
            Ok(concat(&arrays).map_err(internal)?.into())
        };
        let columns = (0..first.columns.len()).map(column).collect::<Result<_, Failure>>()?;
        let (origin, shape) = (vec![0], vec![self.rows]);
        Ok(Some(Tile { number: ASIDE, origin, shape, columns, index: None }))
    }
}
