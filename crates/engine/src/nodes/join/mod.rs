//! Joins: rows of the left beside those of the right that have equal keys, or boxes beside smaller
//! boxes.
//!
//! A small right side goes to all processes, and the left's tiles stay where they are: `Join`. A
//! large one is spread over the workers by the hash of its keys. The left's tiles stay nonetheless:
//! a worker sends only the keys of a tile to those that have them (`Ask`), they answer with the
//! rows of the right that match (`Find`), and the worker puts the tile together (`Match`). So a
//! tile is made from one tile of the left, in its order and with its number, whoever does it.
//!
//! If the right side does not fit into memory, both sides go to files, in buckets by their keys,
//! and one bucket is joined after the other. The left's tiles wait in files, too, and so do the
//! matches, until all of a tile are there.
//!
//! Tiles of the left wait until the right has ended, with their credits, so that few are there.
//!
//! | file | what it has |
//! |---|---|
//! | `table` | rows of the right by key, in memory |
//! | `right`, `grace` | all rows of the right as they come; both sides in files |
//! | `beside`, `whole` | a tile of the result, from rows of the right and from answers |
//! | `room` | how many rows may match those of a tile |
//! | `later` | tiles of the left, and answers about them, in files |
//! | `here` | `Join`: all of the right is here |
//! | `common` | what the workers of a process gather and use together |
//! | `ask`, `find`, `answers` | `Ask`, `Find`, `Match`: the right is spread over the workers |
//! | `message` | what they send each other |
//! | `overlay`, `region` | `Overlay`: boxes by their dimensions; a part of a box from its tiles |
mod answers;
mod ask;
mod beside;
mod common;
mod find;
mod grace;
pub mod here;
mod later;
mod message;
pub mod overlay;
mod region;
mod right;
mod room;
mod table;
mod whole;

pub use answers::Match;
pub use ask::Ask;
pub use common::Commons;
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
