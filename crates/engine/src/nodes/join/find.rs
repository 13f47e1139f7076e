//! `Find`: answers which rows of the right match, of those that this worker has.
use super::grace::{Found, Probe, Queue, by_asker};
use super::internal;
use super::message::Message;
use super::right::{Right, Rows};
use super::room::Room;
use super::table::Table;
use crate::nodes::{Out, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::spill::Budget;
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
    room: Room,
    right: Option<Right>,
    rows: Option<Rows>,
    /// When nothing more is asked of what is in files: what is left to look into.
    probing: Option<(Probe, Queue)>,
    waiting: Vec<Parcel>,
}

/// A question about a tile, and who asks.
struct Asked {
    tile: u64,
    asker: usize,
    questions: u64,
    keys: Vec<ArrayRef>,
    /// Which rows of the tile; all, if that is not said.
    rows: Option<ArrayRef>,
}

impl Find {
    /// For one worker.
    pub fn new(join: &Join, place: Place, budget: &Arc<Budget>) -> Find {
        let right = Some(Right::new(join, budget.share()));
        let (rows, probing, waiting) = (None, None, Vec::new());
        let room = Room::new(join, budget, place.threads);
        Find { join: join.clone(), place, room, right, rows, probing, waiting }
    }

    fn read(&self, tile: Tile) -> Result<Asked, Failure> {
        let Ok(Message::Question { tile, asker, questions, mut columns }) = Message::read(tile)?
        else {
            return Err(Failure::internal("a join was asked what it does not know"));
        };
        let rows = columns.split_off(self.join.types.len()).pop();
        Ok(Asked { tile, asker, questions, keys: columns, rows })
    }

    /// Answers a question, or keeps it with what is in files.
    fn answer(&mut self, tile: Tile, out: Out) -> Result<(), Failure> {
        let asked = self.read(tile)?;
        match &mut self.rows {
            Some(Rows::Here { table, .. }) => {
                let columns = answer(table, &self.join, &asked, self.room)?;
                let answer =
                    Message::Answer { tile: asked.tile, answers: asked.questions, columns };
                out(Item::to(asked.asker, answer.tile()));
                Ok(())
            }
            Some(Rows::Files(files)) => files.ask(asked.asker, asked.tile, asked.keys, asked.rows),
            None => Err(Failure::internal("a join answers before it knows")),
        }
    }

    fn say(&self, message: impl Fn() -> Message, out: Out) {
        (0..self.place.workers).for_each(|worker| out(Item::to(worker, message().tile())));
    }
}

/// The answer to a question: rows, and beside them columns of the right.
fn answer(table: &Table, join: &Join, asked: &Asked, room: Room) -> Result<Vec<ArrayRef>, Failure> {
    let how = match join.how {
        How::Inner | How::Left => How::Inner,
        How::Semi | How::Anti => How::Semi,
    };
    let count = asked.keys.first().map_or(0, |key| key.len());
    let matches = table.matches(&table.find(&asked.keys, count)?, how, room)?;
    let left = matches.left.unwrap_or_else(|| (0..count as u32).collect());
    let left = UInt32Array::from(left);
    let rows: ArrayRef = match &asked.rows {
        Some(rows) => take(rows, &left, None).map_err(internal)?,
        None => Arc::new(left),
    };
    let right = join.right.iter().map(|column| table.pick(*column, &matches.right));
    std::iter::once(Ok(rows)).chain(right).collect()
}

impl Stage for Find {
    fn tile(&mut self, input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        match (input, &mut self.right) {
            (1, Some(right)) => return right.push(parcel.tile),
            // The left's own tiles wait behind this, for the answers.
            _ if parcel.tile.shape.len() == 1 => out(Item::Tile(parcel)),
            (_, Some(_)) => self.waiting.push(parcel),
            (_, None) => self.answer(parcel.tile, out)?,
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
        let Some(right) = self.right.take_if(|_| input == 1) else { return Ok(()) };
        let rows = right.rows()?;
        match &rows {
            Rows::Here { table, .. } => self.say(|| Message::Most(table.most()), out),
            Rows::Files(_) => self.say(|| Message::Late, out),
        }
        self.rows = Some(rows);
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_iter().try_for_each(|parcel| self.answer(parcel.tile, out))
    }

    fn finish(&mut self, _out: Out) -> Result<(), Failure> {
        if let Some(Rows::Files(files)) = self.rows.take() {
            let (queue, share) = files.end(&self.join);
            self.probing = Some((Probe::new(&self.join, share), queue));
        }
        Ok(())
    }

    fn more(&mut self, out: Out) -> Result<bool, Failure> {
        let Some((probe, queue)) = &mut self.probing else { return Ok(false) };
        match probe.next(queue)? {
            Found::Matches(matches) => {
                for (asker, columns) in by_asker(matches, self.place.workers)? {
                    out(Item::to(asker, Message::Answers { columns }.tile()));
                }
            }
            Found::Later => {}
            Found::Nothing => {
                let most = queue.most();
                self.probing = None;
                self.say(|| Message::Most(most), out);
            }
        }
        Ok(true)
    }
}
