//! `Find`: answers which rows of the right match, of those that this worker has.
use super::internal;
use super::message::Message;
use super::table::{Right, Table};
use crate::nodes::{Out, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use arrow_array::{ArrayRef, UInt32Array};
use arrow_select::take::take;
use base::{Failure, Tile};
use plan::physical::{How, Join};
use std::ops::Range;
use std::sync::Arc;

/// Keeps the right's rows by key, and questions until all have come.
pub struct Find {
    join: Join,
    place: Place,
    right: Option<Right>,
    table: Option<Table>,
    waiting: Vec<Tile>,
}

impl Find {
    /// For one worker.
    pub fn new(join: &Join, place: Place) -> Find {
        let right = Some(Right::new(join));
        Find { join: join.clone(), place, right, table: None, waiting: Vec::new() }
    }

    fn answer(&self, question: Tile, out: Out) -> Result<(), Failure> {
        let (Some(table), Ok(Message::Question { tile, asker, questions, columns })) =
            (&self.table, Message::read(question)?)
        else {
            return Err(Failure::internal("a join was asked what it does not know"));
        };
        let (keys, rows) = columns.split_at(self.join.types.len());
        let count = keys.first().map_or(0, |key| key.len());
        let how = match self.join.how {
            How::Inner | How::Left => How::Inner,
            How::Semi | How::Anti => How::Semi,
        };
        let matches = table.matches(keys, count, how)?;
        let left = matches.left.unwrap_or_else(|| (0..count as u32).collect());
        let left = UInt32Array::from(left);
        let rows: ArrayRef = match rows {
            [rows] => take(rows, &left, None).map_err(internal)?,
            _ => Arc::new(left),
        };
        let pick = |column: &usize| table.pick(*column, &matches.right);
        let right = self.join.right.iter().map(pick);
        let columns = std::iter::once(Ok(rows)).chain(right).collect::<Result<_, Failure>>()?;
        out(Item::to(asker, Message::Answer { tile, answers: questions, columns }.tile()));
        Ok(())
    }
}

impl Stage for Find {
    fn tile(&mut self, input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        match (input, &mut self.right) {
            (1, Some(right)) => return right.push(parcel.tile),
            // The left's own tiles wait behind this, for the answers.
            _ if parcel.tile.shape.len() == 1 => out(Item::Tile(parcel)),
            (_, Some(_)) => self.waiting.push(parcel.tile),
            (_, None) => return self.answer(parcel.tile, out),
        }
        Ok(())
    }

    fn closed(&mut self, input: usize, numbers: Range<u64>, out: Out) -> Result<(), Failure> {
        if input == 0 {
            out(Item::Closed(numbers));
        }
        Ok(())
    }

    fn input_ends(&mut self, input: usize, out: Out) -> Result<(), Failure> {
        if let Some(right) = self.right.take_if(|_| input == 1) {
            let table = right.table()?;
            for worker in 0..self.place.workers {
                out(Item::to(worker, Message::Most(table.most()).tile()));
            }
            self.table = Some(table);
            for question in std::mem::take(&mut self.waiting) {
                self.answer(question, out)?;
            }
        }
        Ok(())
    }
}
