//! `Parts`: the parts that a worker has, each as a tile.
use super::ASIDE;
use crate::nodes::order::rows::{compact, internal};
use crate::nodes::{Out, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use arrow_array::cast::AsArray;
use arrow_array::types::{UInt32Type, UInt64Type};
use arrow_array::{Array, new_empty_array};
use arrow_select::concat::concat;
use base::{DType, Failure, Schema, Tile};
use plan::physical::Partition;
use std::ops::Range;

/// Rows that wait for the others of their parts.
pub struct Parts {
    types: Vec<DType>,
    place: Place,
    /// Columns, then the part of each row, ascending.
    tiles: Vec<Tile>,
    /// How many rows each part has.
    counts: Vec<u64>,
    next: usize,
}

impl Parts {
    /// For one worker and tiles of this schema.
    pub fn new(plan: &Partition, schema: &Schema, place: Place) -> Parts {
        let types = schema.fields.iter().map(|f| f.dtype).collect();
        let counts = vec![0; plan.into as usize];
        Parts { types, place, tiles: Vec::new(), counts, next: place.worker }
    }

    /// The rows of a part, in the order of their tiles and places.
    fn part(&self, part: usize) -> Result<Tile, Failure> {
        let pieces = self.tiles.iter().map(|tile| (tile, rows(tile, part as u32)));
        let pieces: Vec<_> = pieces.filter(|(_, rows)| !rows.is_empty()).collect();
        let column = |(i, dtype): (usize, &DType)| {
            let some = |(tile, rows): &(&Tile, Range<usize>)| {
                tile.columns[i].array.slice(rows.start, rows.len())
            };
            let arrays: Vec<_> = pieces.iter().map(some).collect();
            if arrays.is_empty() {
                return Ok(new_empty_array(&dtype.arrow()).into());
            }
            let arrays: Vec<&dyn Array> = arrays.iter().map(|a| &**a).collect();
            Ok(concat(&arrays).map_err(internal)?.into())
        };
        let columns = self.types.iter().enumerate().map(column).collect::<Result<_, Failure>>()?;
        let shape = vec![pieces.iter().map(|(_, rows)| rows.len()).sum()];
        let origin = vec![self.counts[..part].iter().sum()];
        Ok(Tile { number: part as u64, origin, shape, columns, index: None })
    }
}

/// Where the rows of a part are in a tile.
fn rows(tile: &Tile, part: u32) -> Range<usize> {
    let last = tile.columns.last().and_then(|c| c.array.as_primitive_opt::<UInt32Type>());
    let parts: &[u32] = last.map_or(&[], |parts| parts.values());
    parts.partition_point(|p| *p < part)..parts.partition_point(|p| *p <= part)
}

impl Stage for Parts {
    fn tile(&mut self, _input: usize, parcel: Parcel, _out: Out) -> Result<(), Failure> {
        let Parcel { tile, credit: _given_back } = parcel;
        if tile.number != ASIDE {
            self.tiles.push(compact(tile)?);
            return Ok(());
        }
        let counts = tile.columns.first().and_then(|c| c.array.as_primitive_opt::<UInt64Type>());
        let counts = counts.ok_or_else(|| Failure::internal("parts without counts"))?;
        self.counts.iter_mut().zip(counts.values()).for_each(|(all, own)| *all += own);
        Ok(())
    }

    fn finish(&mut self, _out: Out) -> Result<(), Failure> {
        self.tiles.sort_by_key(|tile| tile.number);
        Ok(())
    }

    /// Parts without rows are made too.
    fn more(&mut self, out: Out) -> Result<bool, Failure> {
        if self.next >= self.counts.len() {
            return Ok(false);
        }
        out(Item::Tile(Parcel::free(self.part(self.next)?)));
        self.next += self.place.workers;
        Ok(true)
    }
}
