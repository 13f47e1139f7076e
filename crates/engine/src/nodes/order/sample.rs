//! A sample: rows that stand for all rows of a worker, to find out where to split them.
use super::SAMPLE;
use super::rows::{internal, pick};
use arrow_array::{Array, ArrayRef, Int64Array};
use arrow_select::concat::concat;
use base::{Column, Failure, Tile};
use plan::physical::SortKey;
use std::sync::Arc;

/// One row stands for so many.
const STANDS_FOR: usize = 1024;

/// A worker's sample has at most about so many rows.
const MOST: usize = 1 << 14;

/// Rows of all tiles of a worker: their keys, then the number of their tile and their place in it,
/// which tell rows with equal keys apart.
pub struct Sample {
    keys: Vec<SortKey>,
    tiles: Vec<Tile>,
}

impl Sample {
    /// No rows yet.
    pub fn new(keys: &[SortKey]) -> Sample {
        Sample { keys: keys.to_vec(), tiles: Vec::new() }
    }

    /// Adds rows of a tile.
    ///
    /// # Errors
    /// If it lacks a key.
    pub fn add(&mut self, tile: &Tile) -> Result<(), Failure> {
        let n = tile.points();
        let count = n.div_ceil(STANDS_FOR);
        if n == 0 {
            return Ok(());
        }
        // In the middle of as many parts of equal length.
        let rows: Vec<u32> = (0..count).map(|i| ((2 * i + 1) * n / (2 * count)) as u32).collect();
        let column = |key: &SortKey| tile.columns.get(key.column).cloned();
        let columns: Option<Vec<Column>> = self.keys.iter().map(column).collect();
        let missing = || Failure::internal("there is no such column to sort by");
        let number: ArrayRef = Arc::new(Int64Array::from(vec![tile.number as i64; count]));
        let place = rows.iter().map(|row| i64::from(*row));
        let place: ArrayRef = Arc::new(Int64Array::from_iter_values(place));
        let keys = Tile { columns: columns.ok_or_else(missing)?, ..tile.clone() };
        let mut sample = pick(keys, rows).map_err(internal)?;
        sample.columns.extend([number.into(), place.into()]);
        self.tiles.push(sample);
        Ok(())
    }

    /// The sample as one tile, if it has rows.
    ///
    /// # Errors
    /// If Arrow cannot make an array of them.
    pub fn tile(self) -> Result<Option<Tile>, Failure> {
        let rows: usize = self.tiles.iter().map(Tile::points).sum();
        if rows == 0 {
            return Ok(None);
        }
        let column = |i: usize| {
            let arrays: Vec<&dyn Array> = self.tiles.iter().map(|t| &*t.columns[i].array).collect();
            Ok(concat(&arrays).map_err(internal)?.into())
        };
        let columns = (0..self.keys.len() + 2).map(column).collect::<Result<_, Failure>>()?;
        let (origin, shape) = (vec![0], vec![rows]);
        let tile = Tile { number: SAMPLE, origin, shape, columns, index: None };
        let few = (0..rows as u32).step_by(rows.div_ceil(MOST)).collect();
        pick(tile, few).map_err(internal).map(Some)
    }
}
