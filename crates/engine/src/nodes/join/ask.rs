//! `Ask`: sends the keys of each tile to the workers that have their rows.
use super::message::Message;
use super::{columns, internal};
use crate::hash;
use crate::nodes::route::home;
use crate::nodes::{Out, Stage, to_rows};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_select::take::take;
use base::{Failure, Tile};
use plan::physical::Join;
use std::ops::Range;
use std::sync::Arc;

/// Passes the left's tiles on, and asks for their matches.
pub struct Ask {
    keys: Vec<usize>,
    place: Place,
    free: bool,
}

impl Ask {
    /// For one worker. With `free`, tiles give up their credits, since they have to wait.
    pub fn new(join: &Join, place: Place, free: bool) -> Ask {
        Ask { keys: join.keys.clone(), place, free }
    }

    /// The questions about a tile, and the workers they are for.
    fn questions(&self, tile: &Tile) -> Result<Vec<(usize, Vec<ArrayRef>)>, Failure> {
        let keys = columns(tile, &self.keys)?;
        if self.place.workers == 1 {
            return Ok(vec![(0, keys)]);
        }
        let hashes = hash::rows(&keys, tile.points())?;
        let mut rows: Vec<Vec<u32>> = vec![Vec::new(); self.place.workers];
        let lacking = keys.iter().any(|key| key.null_count() > 0);
        for (row, hash) in hashes.iter().enumerate() {
            // A missing key has no match.
            if !lacking || keys.iter().all(|key| key.is_valid(row)) {
                rows[home(*hash, self.place.workers)].push(row as u32);
            }
        }
        let asked = rows.into_iter().enumerate().filter(|(_, rows)| !rows.is_empty());
        let question = |(worker, rows)| {
            let rows = UInt32Array::from(rows);
            let some = |key: &ArrayRef| take(key, &rows, None).map_err(internal);
            let mut columns = keys.iter().map(some).collect::<Result<Vec<_>, Failure>>()?;
            columns.push(Arc::new(rows));
            Ok((worker, columns))
        };
        asked.map(question).collect()
    }
}

impl Stage for Ask {
    fn tile(&mut self, _input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        let Parcel { tile, credit } = parcel;
        let tile = to_rows(tile)?;
        let asker = self.place.worker;
        let mut questions = self.questions(&tile)?;
        if questions.is_empty() {
            // Somebody has to say that there is no match: this worker.
            let none = columns(&tile, &self.keys)?.iter().map(|key| key.slice(0, 0)).collect();
            questions.push((asker, none));
        }
        let count = questions.len() as u64;
        // What is asked waits as long as the tile, and counts with it.
        let credit = credit.filter(|_| !self.free);
        for (worker, columns) in questions {
            let question =
                Message::Question { tile: tile.number, asker, questions: count, columns };
            let parcel = Parcel { tile: question.tile(), credit: credit.clone() };
            out(Item::To(worker, Box::new(Item::Tile(parcel))));
        }
        out(Item::Tile(Parcel { tile, credit }));
        Ok(())
    }

    fn closed(&mut self, _in: usize, numbers: Range<u64>, out: Out) -> Result<(), Failure> {
        out(Item::Closed(numbers));
        Ok(())
    }
}
