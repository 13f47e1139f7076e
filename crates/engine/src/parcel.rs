//! Parcels: what travels between the stages of a worker.
use crate::credit::Credit;
use crate::spill::size;
use base::Tile;
use std::ops::Range;

/// A tile on its way, with the credit it holds; none if nothing bounds how many there are.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The tile.
    pub tile: Tile,
    /// Held until the parcel, and all that was made of it, are gone.
    pub credit: Option<Credit>,
}

impl Parcel {
    /// A tile that holds no credit.
    pub fn free(tile: Tile) -> Parcel {
        Parcel { tile, credit: None }
    }

    /// Another tile, made of this one, that shares its credit.
    pub fn derive(&self, tile: Tile) -> Parcel {
        Parcel { tile, credit: self.credit.clone() }
    }
}

/// A message between stages.
#[derive(Clone, Debug)]
pub enum Item {
    /// A tile.
    Tile(Parcel),
    /// No more tiles with numbers in this range come from this worker. Only `Concat` says so:
    /// behind it numbers may have gaps, and a writer that keeps the order must not wait for them.
    Closed(Range<u64>),
    /// For a worker; only an `Exchange` by address takes such.
    To(usize, Box<Item>),
    /// Of the rows of a sorted result so many from one worker come before those of the worker that
    /// gets this, and so many there are from that worker in all.
    Rows {
        /// Before the first row of the receiver.
        before: u64,
        /// In all.
        all: u64,
    },
}

impl Item {
    /// A tile without a credit for a worker.
    pub fn to(worker: usize, tile: Tile) -> Item {
        Item::To(worker, Box::new(Item::Tile(Parcel::free(tile))))
    }

    /// Bytes of its values, not of what they are a part of.
    pub fn bytes(&self) -> u64 {
        match self {
            Item::Tile(parcel) => size(&parcel.tile),
            Item::To(_, item) => item.bytes(),
            Item::Closed(_) | Item::Rows { .. } => 0,
        }
    }

    /// Its points or rows.
    pub fn rows(&self) -> u64 {
        match self {
            Item::Tile(parcel) => parcel.tile.points() as u64,
            Item::To(_, item) => item.rows(),
            Item::Closed(_) | Item::Rows { .. } => 0,
        }
    }
}
