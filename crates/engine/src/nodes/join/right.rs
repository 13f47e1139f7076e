//! Rows of the right as they come, and where they are when all have come: in memory, or in files.
use super::grace::Grace;
use super::internal;
use super::table::Table;
use crate::nodes::fold::rows;
use crate::nodes::order::rows::compact;
use crate::nodes::to_rows;
use crate::spill::{Buckets, Share, give_back, size};
use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_buffer::NullBuffer;
use arrow_select::filter::filter;
use base::{Failure, Tile};
use plan::physical::Join;

/// Rows of the right, as they come.
pub struct Right {
    join: Join,
    tiles: Vec<Tile>,
    /// Bytes of all rows in a table.
    bytes: u64,
    /// What may be held of them, and what does not fit.
    share: Share,
    files: Option<Buckets>,
}

impl Right {
    /// None yet. What does not fit into the share goes to files.
    pub fn new(join: &Join, share: Share) -> Right {
        Right { join: join.clone(), tiles: Vec::new(), bytes: 0, share, files: None }
    }

    /// Adds the rows of a tile.
    ///
    /// # Errors
    /// If Arrow cannot make an array of them, or the disk fails.
    pub fn push(&mut self, tile: Tile) -> Result<(), Failure> {
        let tile = with_keys(to_rows(tile)?, self.join.types.len())?;
        if tile.points() == 0 {
            return Ok(());
        }
        // As they came and put together; their numbers, and their places in a table.
        self.bytes += 2 * size(&tile) + 48 * tile.points() as u64;
        if let Some(files) = &mut self.files {
            return files.write(tile.number, &columns(tile));
        }
        // They stay, so they are copied out of what they may be a small part of.
        self.tiles.push(compact(tile)?);
        if !self.share.hold(self.bytes) {
            let mut files = Buckets::new(&self.share, self.join.types.len(), 0);
            for tile in std::mem::take(&mut self.tiles) {
                files.write(tile.number, &columns(tile))?;
            }
            self.share.hold(0);
            give_back();
            self.files = Some(files);
        }
        Ok(())
    }

    /// All rows by key, those with equal keys in the order of their tiles and places.
    ///
    /// # Errors
    /// If there are too many, or the disk fails.
    pub fn rows(self) -> Result<Rows, Failure> {
        let Right { join, mut tiles, bytes, share, files } = self;
        if let Some(files) = files {
            return Ok(Rows::Files(Box::new(Grace::new(&join, share, files, bytes))));
        }
        tiles.sort_by_key(|tile| tile.number);
        let table = Table::new(&join, tiles.into_iter().map(columns).collect())?;
        Ok(Rows::Here { table, _held: share })
    }
}

/// The rows that lack none of their keys, which are so many columns: the others match nothing.
fn with_keys(tile: Tile, keys: usize) -> Result<Tile, Failure> {
    let columns = || tile.columns.iter().map(|column| &column.array);
    let nulls = columns().take(keys).map(|array| array.logical_nulls());
    let some = nulls.fold(None, |all, nulls| NullBuffer::union(all.as_ref(), nulls.as_ref()));
    let Some(some) = some.filter(|nulls| nulls.null_count() > 0) else { return Ok(tile) };
    let there = BooleanArray::from(some.inner().clone());
    let filtered = columns().map(|array| filter(array, &there)).collect::<Result<_, _>>();
    Ok(Tile { number: tile.number, ..rows(filtered.map_err(internal)?) })
}

fn columns(tile: Tile) -> Vec<ArrayRef> {
    tile.columns.into_iter().map(|c| c.array).collect()
}

/// All rows of the right that a worker, or a process, has.
pub enum Rows {
    /// In memory.
    Here {
        /// All of them.
        table: Table,
        /// The share of the memory that they take.
        _held: Share,
    },
    /// In files.
    Files(Box<Grace>),
}
