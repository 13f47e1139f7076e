//! `Assemble`: tiles of a sorted result from the parts that workers have.
use super::rows::internal;
use crate::nodes::{Out, Stage};
use crate::parcel::{Item, Parcel};
use arrow_array::Array;
use arrow_select::concat::concat;
use base::{Column, Failure, Tile};
use std::collections::BTreeMap;

/// Passes whole tiles on and puts others together.
pub struct Assemble {
    tile_rows: usize,
    parts: BTreeMap<u64, Vec<Tile>>,
}

impl Assemble {
    /// For a result cut into tiles of so many rows.
    pub fn new(tile_rows: usize) -> Assemble {
        Assemble { tile_rows: tile_rows.max(1), parts: BTreeMap::new() }
    }
}

impl Stage for Assemble {
    fn tile(&mut self, _input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        let rows = parcel.tile.points();
        if rows == 0 || rows == self.tile_rows {
            out(Item::Tile(parcel));
            return Ok(());
        }
        let number = parcel.tile.number;
        let parts = self.parts.entry(number).or_default();
        parts.push(parcel.tile);
        if parts.iter().map(Tile::points).sum::<usize>() == self.tile_rows {
            let parts = self.parts.remove(&number).unwrap_or_default();
            out(Item::Tile(Parcel::free(whole(parts)?)));
        }
        Ok(())
    }

    /// The last tile may have fewer rows.
    fn finish(&mut self, out: Out) -> Result<(), Failure> {
        for parts in std::mem::take(&mut self.parts).into_values() {
            out(Item::Tile(Parcel::free(whole(parts)?)));
        }
        Ok(())
    }
}

fn whole(mut parts: Vec<Tile>) -> Result<Tile, Failure> {
    parts.sort_by(|a, b| a.origin.cmp(&b.origin));
    let missing = || Failure::internal("a tile without parts");
    let first = parts.first().ok_or_else(missing)?;
    let column = |(i, column): (usize, &Column)| {
        let arrays: Vec<&dyn Array> = parts.iter().map(|part| &*part.columns[i].array).collect();
        Ok(Column { mask: column.mask, array: concat(&arrays).map_err(internal)? })
    };
    let columns = first.columns.iter().enumerate().map(column).collect::<Result<_, Failure>>()?;
    let shape = vec![parts.iter().map(Tile::points).sum()];
    Ok(Tile { shape, columns, origin: first.origin.clone(), ..first.clone() })
}
