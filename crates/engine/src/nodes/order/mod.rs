//! `Order`: all rows in order, or the first of them.
mod rank;
mod rows;

use super::{Out, Stage, to_rows};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use arrow_array::ArrayRef;
use base::{Failure, Schema, Tile};
use plan::physical;
use rows::Rows;

/// The part that each worker does: keeps the first rows it has, or passes all of them on.
pub struct Partial {
    top: Option<Rows>,
}

impl Partial {
    /// For tiles of this schema.
    pub fn new(order: &physical::Order, schema: &Schema) -> Partial {
        Partial { top: order.limit.map(|_| Rows::new(order, schema)) }
    }
}

impl Stage for Partial {
    fn tile(&mut self, _input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        let Parcel { tile, credit } = parcel;
        let tile = Tile { index: None, ..to_rows(tile)? };
        match &mut self.top {
            Some(rows) => rows.push(tile)?,
            None => out(Item::Tile(Parcel { tile, credit })),
        }
        Ok(())
    }

    fn finish(&mut self, out: Out) -> Result<(), Failure> {
        if let Some(rows) = &mut self.top {
            rows.prune()?;
            for tile in rows.take() {
                out(Item::Tile(Parcel::free(tile)));
            }
        }
        Ok(())
    }
}

/// Puts the rows of all workers in order, on worker 0.
pub struct Final {
    rows: Rows,
    tile_rows: usize,
    place: Place,
}

impl Final {
    /// For tiles of this schema.
    pub fn new(order: &physical::Order, schema: &Schema, place: Place) -> Final {
        Final { rows: Rows::new(order, schema), tile_rows: order.tile_rows.max(1), place }
    }
}

impl Stage for Final {
    fn tile(&mut self, _input: usize, parcel: Parcel, _out: Out) -> Result<(), Failure> {
        // The rows stay here, so they are copied out of what they may be a small part of.
        let Parcel { tile, credit: _given_back } = parcel;
        self.rows.push(rows::compact(tile)?)
    }

    fn finish(&mut self, out: Out) -> Result<(), Failure> {
        if self.place.worker != 0 {
            return Ok(());
        }
        let mut give = |number: u64, first: u64, columns: Vec<ArrayRef>, rows: usize| {
            let columns = columns.into_iter().map(Into::into).collect();
            let (origin, shape) = (vec![first], vec![rows]);
            out(Item::Tile(Parcel::free(Tile { number, origin, shape, columns, index: None })));
        };
        let order = self.rows.order()?;
        if order.is_empty() {
            give(0, 0, self.rows.none(), 0);
        }
        for (number, places) in order.chunks(self.tile_rows).enumerate() {
            let first = (number * self.tile_rows) as u64;
            give(number as u64, first, self.rows.pick(places)?, places.len());
        }
        Ok(())
    }
}
