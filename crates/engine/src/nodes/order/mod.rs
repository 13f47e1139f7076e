//! `Order`: all rows in order, or the first of them.
//!
//! The first rows of all workers go to worker 0, which puts them in order. All rows are sorted
//! where they lie in the result: a sample of every worker's rows goes to all workers, which find
//! the same splitters in it, one fewer than there are workers; each worker gets the rows between
//! two of them, and hears from all how many rows come before. So it knows the places of its rows in
//! the result, which is cut into tiles by place; where two workers have parts of a tile, one of
//! them puts it together. The splitters decide who does what, never what comes out.
//!
//! | file | what it has |
//! |---|---|
//! | `sample` | the rows that stand for a worker's rows |
//! | `split` | `Split`: which rows go to which worker |
//! | `last` | `Final`: sorts a worker's rows |
//! | `runs`, `merge` | sorted rows that did not fit into memory, and one sequence of them |
//! | `assemble` | `Assemble`: tiles from the parts that workers have |
//! | `rows` | rows that wait to be put in order |
//! | `column`, `radix` | columns to sort by, as words, and sorting them |
//! | `gather` | values in a new order |
mod assemble;
pub mod column;
pub mod gather;
mod last;
mod merge;
mod radix;
pub mod rows;
mod runs;
mod sample;
mod split;

pub use assemble::Assemble;
pub use last::Final;
pub use split::Split;

use super::{Out, Stage, to_rows};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::spill::{Budget, Share};
use base::{Failure, FailureKind, Schema, Tile};
use plan::physical;
use rows::Rows;
use sample::Sample;
use std::sync::Arc;

/// The number of tiles that are samples.
const SAMPLE: u64 = u64::MAX;

/// The part that each worker does: keeps the first rows it has, or passes all of them on and a
/// sample to all workers.
pub struct Partial {
    top: Option<Top>,
    sample: Option<Sample>,
    place: Place,
}

/// The first rows so far, which must fit into memory.
struct Top {
    rows: Rows,
    share: Share,
}

impl Top {
    fn push(&mut self, tile: Tile) -> Result<(), Failure> {
        self.rows.push(tile)?;
        let weight = self.rows.weight();
        if self.share.hold(weight) {
            return Ok(());
        }
        self.rows.prune()?;
        let weight = self.rows.weight();
        if self.share.hold(weight) { Ok(()) } else { Err(too_many(self.rows.len(), weight)) }
    }
}

fn too_many(rows: usize, bytes: u64) -> Failure {
    let mb = bytes / 1_000_000;
    Failure::new(
        FailureKind::Memory,
        format!(
            "the first {rows} rows take {mb} MB, more than there is memory for: take fewer rows, \
             sort all of them (`sort`), or give the run more memory (--memory)"
        ),
    )
}

impl Partial {
    /// For tiles of this schema.
    pub fn new(
        order: &physical::Order,
        schema: &Schema,
        place: Place,
        budget: &Arc<Budget>,
    ) -> Partial {
        let top = |_| Top { rows: Rows::new(order, schema), share: budget.share() };
        let top = order.limit.map(top);
        let sample = (top.is_none() && place.workers > 1).then(|| Sample::new(&order.keys));
        Partial { top, sample, place }
    }
}

impl Stage for Partial {
    fn tile(&mut self, _input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        let Parcel { tile, credit } = parcel;
        let tile = Tile { index: None, ..to_rows(tile)? };
        if let Some(top) = &mut self.top {
            return top.push(tile);
        }
        if let Some(sample) = &mut self.sample {
            sample.add(&tile)?;
        }
        out(Item::Tile(Parcel { tile, credit }));
        Ok(())
    }

    fn finish(&mut self, out: Out) -> Result<(), Failure> {
        if let Some(Top { rows, .. }) = &mut self.top {
            rows.prune()?;
            for tile in rows.take() {
                out(Item::Tile(Parcel::free(tile)));
            }
        }
        if let Some(tile) = self.sample.take().map(Sample::tile).transpose()?.flatten() {
            for worker in 0..self.place.workers {
                out(Item::to(worker, tile.clone()));
            }
        }
        Ok(())
    }
}
