//! `Find`: answers which rows of the right match, of those that this worker has.
use super::files::Question;
use super::message::Message;
use super::table::{Right, Rows};
use crate::nodes::{Out, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::spill::Budget;
use arrow_array::cast::AsArray;
use base::{Failure, Tile};
use plan::physical::{How, Join};
use std::ops::Range;
use std::sync::Arc;

/// After so many turns without a new question nobody can ask more before there are answers.
const QUIET: u32 = 32;

/// Keeps the right's rows by key, and questions until all have come.
pub struct Find {
    join: Join,
    place: Place,
    right: Option<Right>,
    rows: Option<Rows>,
    waiting: Vec<Tile>,
    quiet: u32,
}

/// A question about a tile, and who asks.
struct Asked {
    tile: u64,
    asker: usize,
    questions: u64,
    question: Question,
}

impl Find {
    /// For one worker.
    pub fn new(join: &Join, place: Place, budget: &Arc<Budget>) -> Find {
        let right = Some(Right::new(join, Some(budget.share())));
        Find { join: join.clone(), place, right, rows: None, waiting: Vec::new(), quiet: 0 }
    }

    fn read(&self, tile: Tile) -> Result<Asked, Failure> {
        let Ok(Message::Question { tile, asker, questions, mut columns }) = Message::read(tile)?
        else {
            return Err(Failure::internal("a join was asked what it does not know"));
        };
        let rows = columns.split_off(self.join.types.len()).pop();
        let rows = rows.and_then(|rows| rows.as_primitive_opt().cloned());
        Ok(Asked { tile, asker, questions, question: Question { keys: columns, rows } })
    }

    /// Answers all questions that wait.
    fn answer(&mut self, out: Out) -> Result<(), Failure> {
        self.quiet = 0;
        let how = match self.join.how {
            How::Inner | How::Left => How::Inner,
            How::Semi | How::Anti => How::Semi,
        };
        let asked = std::mem::take(&mut self.waiting).into_iter().map(|tile| self.read(tile));
        let asked: Vec<Asked> = asked.collect::<Result<_, Failure>>()?;
        let mut say = |asked: &Asked, columns| {
            let answer = Message::Answer { tile: asked.tile, answers: asked.questions, columns };
            out(Item::to(asked.asker, answer.tile()));
        };
        match &mut self.rows {
            Some(Rows::Here { table, .. }) => {
                for asked in &asked {
                    say(asked, table.answer(&self.join, &asked.question, how)?);
                }
            }
            Some(Rows::Files(files)) => {
                let (who, questions): (Vec<Asked>, Vec<Question>) = asked
                    .into_iter()
                    .map(|mut asked| {
                        let none = Question { keys: Vec::new(), rows: None };
                        let question = std::mem::replace(&mut asked.question, none);
                        (asked, question)
                    })
                    .unzip();
                let answers = files.answers(&questions, how)?;
                who.iter().zip(answers).for_each(|(asked, columns)| say(asked, columns));
            }
            None => return Err(Failure::internal("a join answers before it knows")),
        }
        Ok(())
    }

    fn is_late(&self) -> bool {
        matches!(self.rows, Some(Rows::Files(_)))
    }
}

impl Stage for Find {
    fn tile(&mut self, input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        self.quiet = 0;
        match (input, &mut self.right) {
            (1, Some(right)) => return right.push(parcel.tile),
            // The left's own tiles wait behind this, for the answers.
            _ if parcel.tile.shape.len() == 1 => out(Item::Tile(parcel)),
            _ => self.waiting.push(parcel.tile),
        }
        match &self.rows {
            Some(Rows::Here { .. }) => self.answer(out),
            _ => Ok(()),
        }
    }

    fn closed(&mut self, input: usize, numbers: Range<u64>, out: Out) -> Result<(), Failure> {
        if input == 0 {
            out(Item::Closed(numbers));
        }
        Ok(())
    }

    fn idle(&mut self, out: Out) -> Result<bool, Failure> {
        if !self.is_late() || self.waiting.is_empty() {
            return Ok(false);
        }
        self.quiet += 1;
        if self.quiet < QUIET {
            return Ok(true);
        }
        self.answer(out)?;
        Ok(false)
    }

    fn input_ends(&mut self, input: usize, out: Out) -> Result<(), Failure> {
        if let Some(right) = self.right.take_if(|_| input == 1) {
            let rows = right.rows()?;
            let (most, late) = match &rows {
                Rows::Here { table, .. } => (table.most(), false),
                Rows::Files(files) => (files.most(), true),
            };
            for worker in 0..self.place.workers {
                out(Item::to(worker, Message::Most { most, late }.tile()));
            }
            self.rows = Some(rows);
            if !late {
                self.answer(out)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: Out) -> Result<(), Failure> {
        self.answer(out)
    }
}
