//! Parcels: what travels between the stages of a worker.
use crate::credit::Credit;
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
}

impl Item {
    /// Its points or rows.
    pub fn rows(&self) -> u64 {
        match self {
            Item::Tile(parcel) => parcel.tile.points() as u64,
            Item::Closed(_) => 0,
        }
    }
}
