//! `Final` of `Order`: sorts the rows of a worker and gives them on in tiles.
use super::gather::Gather;
use super::rows::{self, Rows};
use super::runs::Runs;
use super::too_many;
use crate::nodes::{Out, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::spill::{Budget, Share, give_back};
use arrow_array::{ArrayRef, UInt32Array};
use base::{Failure, Schema, Tile};
use plan::physical::{Order, SortKey};
use std::sync::Arc;

/// Puts rows in order: those of this worker between two splitters, or on worker 0 the first of all.
pub struct Final {
    rows: Rows,
    keys: Vec<SortKey>,
    share: Share,
    /// The rows that did not fit, in order.
    runs: Option<Runs>,
    tile_rows: usize,
    /// Whether all rows are here.
    alone: bool,
    place: Place,
    /// How many rows other workers have before those of this one, and how many there are in all.
    before: u64,
    all: u64,
    columns: Vec<Gather>,
    order: UInt32Array,
    given: u64,
}

impl Final {
    /// For tiles of this schema.
    pub fn new(order: &Order, schema: &Schema, place: Place, budget: &Arc<Budget>) -> Final {
        Final {
            rows: Rows::new(order, schema),
            keys: order.keys.clone(),
            share: budget.share(),
            runs: None,
            tile_rows: order.tile_rows.max(1),
            alone: order.limit.is_some(),
            place,
            before: 0,
            all: 0,
            columns: Vec::new(),
            order: UInt32Array::from(Vec::<u32>::new()),
            given: 0,
        }
    }

    fn spill(&mut self) -> Result<(), Failure> {
        let (keys, share) = (&self.keys, &self.share);
        self.rows.spill(self.runs.get_or_insert_with(|| Runs::new(keys, share)))?;
        self.share.hold(0);
        give_back();
        Ok(())
    }

    /// A tile is known by its number whoever makes it. One that may be a part of a tile goes to the
    /// worker that puts it together.
    fn give(&self, first: u64, columns: Vec<ArrayRef>, rows: usize, out: Out) {
        let number = first / self.tile_rows as u64;
        let columns = columns.into_iter().map(Into::into).collect();
        let (origin, shape) = (vec![first], vec![rows]);
        let tile = Tile { number, origin, shape, columns, index: None };
        out(match self.alone || rows == self.tile_rows {
            true => Item::Tile(Parcel::free(tile)),
            false => Item::to((number % self.place.workers as u64) as usize, tile),
        });
    }
}

impl Stage for Final {
    fn tile(&mut self, _input: usize, parcel: Parcel, _out: Out) -> Result<(), Failure> {
        // The rows stay here, so they are copied out of what they may be a small part of.
        let Parcel { tile, credit: _given_back } = parcel;
        self.rows.push(rows::compact(tile)?)?;
        let weight = self.rows.weight();
        match self.share.hold(weight) {
            true => Ok(()),
            false if self.alone => Err(too_many(self.rows.len(), weight)),
            false => self.spill(),
        }
    }

    fn rows(&mut self, before: u64, all: u64) {
        self.before += before;
        self.all += all;
    }

    fn finish(&mut self, out: Out) -> Result<(), Failure> {
        if self.runs.is_some() {
            if self.rows.len() > 0 {
                self.spill()?;
            }
            let chunks = self.share.own() as usize / (2 * self.share.chunk());
            self.runs.iter_mut().for_each(|runs| runs.end(chunks));
            return Ok(());
        }
        self.order = UInt32Array::from(self.rows.order()?);
        if !self.order.values().is_empty() {
            self.columns = self.rows.gather()?;
        } else if self.all == 0 && self.place.worker == 0 {
            self.give(0, self.rows.none(), 0, out);
        }
        Ok(())
    }

    fn more(&mut self, out: Out) -> Result<bool, Failure> {
        if let Some(runs) = &mut self.runs {
            let first = self.before + self.given;
            let rows = room(first, self.tile_rows);
            let Some(mut sorted) = runs.next(rows)? else { return Ok(true) };
            self.given += sorted.rows as u64;
            if sorted.rows > 0 {
                sorted.columns.pop();
                self.give(first, sorted.columns, sorted.rows, out);
            }
            return Ok(sorted.rows == rows);
        }
        let left = &self.order.values()[self.given as usize..];
        if left.is_empty() {
            return Ok(false);
        }
        let first = self.before + self.given;
        let rows = room(first, self.tile_rows).min(left.len());
        let order = UInt32Array::new(self.order.values().slice(self.given as usize, rows), None);
        let pick = |column: &Gather| column.pick(&order).map_err(rows::internal);
        let columns = self.columns.iter().map(pick).collect::<Result<_, Failure>>()?;
        self.give(first, columns, rows, out);
        self.given += rows as u64;
        Ok(true)
    }
}

/// How many rows there may be from a place in the result to the end of its tile.
fn room(first: u64, tile_rows: usize) -> usize {
    tile_rows - (first % tile_rows as u64) as usize
}
