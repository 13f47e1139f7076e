//! Joins: rows of the left beside those of the right that have equal keys, or boxes beside smaller
//! boxes.
//!
//! A small right side goes to all workers, and the left's tiles stay where they are: `Join`. A
//! large one is spread over the workers by the hash of its keys. The left's tiles stay nonetheless:
//! a worker sends only the keys of a tile to those that have them (`Ask`), they answer with the
//! rows of the right that match (`Find`), and the worker puts the tile together (`Match`). So a
//! tile is made from one tile of the left, in its order and with its number, whoever does it.
//!
//! Of a worker's rows of the right what does not fit into memory goes to files, in buckets by their
//! keys; then questions wait until nothing more comes, and each bucket is looked into for all of
//! them. As many tiles of the left as there is memory for wait that long.
//!
//! Tiles of the left wait until the right has ended, with their credits, so that few are there.
//!
//! | file | what it has |
//! |---|---|
//! | `table`, `files` | the rows of the right by key, in memory or in files |
//! | `beside` | a tile of the result |
//! | `here` | `Join`: all of the right is here |
//! | `ask`, `find`, `answers` | `Ask`, `Find`, `Match`: the right is spread over the workers |
//! | `message` | what they send each other |
//! | `overlay`, `region` | `Overlay`: boxes by their dimensions; a part of a box from its tiles |
mod answers;
mod ask;
mod beside;
mod files;
mod find;
mod here;
mod message;
mod overlay;
mod region;
mod table;

pub use answers::Match;
pub use ask::Ask;
pub use find::Find;
pub use here::Join;
pub use overlay::Overlay;

use arrow_array::ArrayRef;
use arrow_schema::ArrowError;
use base::{Failure, Tile};

/// What is wrong with Arrow.
fn internal(error: ArrowError) -> Failure {
    Failure::internal(format!("rows cannot be joined: {error}"))
}

/// Columns of a tile.
fn columns(tile: &Tile, places: &[usize]) -> Result<Vec<ArrayRef>, Failure> {
    let column = |i: &usize| tile.columns.get(*i).map(|c| c.array.clone());
    let all: Option<Vec<ArrayRef>> = places.iter().map(column).collect();
    all.ok_or_else(|| Failure::internal("a tile lacks a column that a join needs"))
}
