//! `Final` of `Order`: sorts the rows of a worker and gives them on in tiles.
use super::gather::Gather;
use super::rows::{self, Rows};
use crate::nodes::{Out, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use arrow_array::{ArrayRef, UInt32Array};
use base::{Failure, Schema, Tile};
use plan::physical::Order;

/// Puts rows in order: those of this worker between two splitters, or on worker 0 the first of all.
pub struct Final {
    rows: Rows,
    tile_rows: usize,
    /// Whether all rows are here.
    alone: bool,
    place: Place,
    /// How many rows other workers have before those of this one, and how many there are in all.
    before: u64,
    all: u64,
    columns: Vec<Gather>,
    order: UInt32Array,
    given: usize,
}

impl Final {
    /// For tiles of this schema.
    pub fn new(order: &Order, schema: &Schema, place: Place) -> Final {
        Final {
            rows: Rows::new(order, schema),
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
        self.rows.push(rows::compact(tile)?)
    }

    fn rows(&mut self, before: u64, all: u64) {
        self.before += before;
        self.all += all;
    }

    fn finish(&mut self, out: Out) -> Result<(), Failure> {
        self.order = UInt32Array::from(self.rows.order()?);
        if !self.order.values().is_empty() {
            self.columns = self.rows.gather()?;
        } else if self.all == 0 && self.place.worker == 0 {
            self.give(0, self.rows.none(), 0, out);
        }
        Ok(())
    }

    fn more(&mut self, out: Out) -> Result<bool, Failure> {
        let (start, end) = (self.given, self.order.values().len());
        if start == end {
            return Ok(false);
        }
        let first = self.before + start as u64;
        let room = self.tile_rows - (first % self.tile_rows as u64) as usize;
        let rows = room.min(end - start);
        let order = UInt32Array::new(self.order.values().slice(start, rows), None);
        let pick = |column: &Gather| column.pick(&order).map_err(rows::internal);
        let columns = self.columns.iter().map(pick).collect::<Result<_, Failure>>()?;
        self.give(first, columns, rows, out);
        self.given += rows;
        Ok(true)
    }
}
