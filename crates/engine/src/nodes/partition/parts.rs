//! `Parts`: the parts that a worker has, each as a tile.
use super::ASIDE;
use crate::nodes::numbered::in_order;
use crate::nodes::order::rows::compact;
use crate::nodes::{Out, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::spill::{Budget, Chunk, Share, Store, give_back, joined, size};
use arrow_array::cast::AsArray;
use arrow_array::types::{UInt32Type, UInt64Type};
use arrow_array::{ArrayRef, UInt64Array, new_empty_array};
use base::{Column, DType, Failure, Schema, Tile};
use plan::physical::Partition;
use std::ops::Range;
use std::sync::Arc;

/// Rows that wait for the others of their parts.
pub struct Parts {
    types: Vec<DType>,
    place: Place,
    /// Columns, then the part of each row, ascending.
    tiles: Vec<Tile>,
    share: Share,
    bytes: u64,
    /// What did not fit.
    store: Option<Store>,
    /// Where the rows of each part are in it: columns, then the number of each row's tile.
    chunks: Vec<Vec<Chunk>>,
    /// How many rows each part has.
    counts: Vec<u64>,
    next: usize,
}

impl Parts {
    /// For one worker and tiles of this schema.
    pub fn new(plan: &Partition, schema: &Schema, place: Place, budget: &Arc<Budget>) -> Parts {
        let parts = plan.into as usize;
        Parts {
            types: schema.fields.iter().map(|f| f.dtype).collect(),
            place,
            tiles: Vec::new(),
            share: budget.share(),
            bytes: 0,
            store: None,
            chunks: vec![Vec::new(); parts],
            counts: vec![0; parts],
            next: place.worker,
        }
    }

    /// Writes all rows that are here to a file.
    fn spill(&mut self) -> Result<(), Failure> {
        self.tiles.sort_by_key(|tile| tile.number);
        let mut store = self.store.take().unwrap_or_else(|| Store::new(&self.share));
        for part in (self.place.worker..self.counts.len()).step_by(self.place.workers) {
            let pieces = self.pieces(part);
            if !pieces.is_empty() {
                self.chunks[part].extend(store.write(&joined(pieces)?)?);
            }
        }
        self.store = Some(store);
        self.tiles.clear();
        self.bytes = 0;
        self.share.hold(0);
        give_back();
        Ok(())
    }

    /// The rows of a part that are here, in the order of their tiles: columns, then the number of
    /// each row's tile.
    fn pieces(&self, part: usize) -> Vec<Vec<ArrayRef>> {
        let piece = |tile: &Tile| {
            let rows = rows(tile, part as u32);
            let some = |c: &Column| c.array.slice(rows.start, rows.len());
            let numbers = UInt64Array::from(vec![tile.number; rows.len()]);
            let columns = tile.columns[..self.types.len()].iter().map(some);
            let columns = columns.chain([Arc::new(numbers) as ArrayRef]).collect();
            (!rows.is_empty()).then_some(columns)
        };
        self.tiles.iter().filter_map(piece).collect()
    }

    /// The rows of a part, in the order of their tiles and places.
    fn part(&self, part: usize) -> Result<Tile, Failure> {
        let read = |chunk: &Chunk| match &self.store {
            Some(store) => store.read(*chunk),
            None => Err(Failure::internal("parts in no file")),
        };
        let mut pieces = self.chunks[part].iter().map(read).collect::<Result<Vec<_>, Failure>>()?;
        pieces.extend(self.pieces(part));
        let columns: Vec<ArrayRef> = match pieces.is_empty() {
            true => self.types.iter().map(|t| new_empty_array(&t.arrow())).collect(),
            false => in_order(pieces)?,
        };
        let shape = vec![columns.first().map_or(0, |c| c.len())];
        let columns = columns.into_iter().map(Column::from).collect();
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
            self.bytes += size(&tile);
            self.tiles.push(compact(tile)?);
            return if self.share.hold(self.bytes) { Ok(()) } else { self.spill() };
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
