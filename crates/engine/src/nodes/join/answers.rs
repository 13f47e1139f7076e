//! `Match`: puts a tile together when all answers about it have come.
use super::later::Later;
use super::message::Message;
use super::room::Room;
use super::whole::whole;
use crate::nodes::{Out, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::spill::Budget;
use arrow_array::ArrayRef;
use base::Failure;
use plan::physical::Join;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Tiles of the left that wait for answers, and answers that wait for the others.
pub struct Match {
    join: Join,
    place: Place,
    budget: Arc<Budget>,
    room: Room,
    open: BTreeMap<u64, Open>,
    /// Where all of them wait if some worker answers late.
    later: Option<Later>,
    closing: Vec<Range<u64>>,
    /// How many workers have not yet said how many rows a key has at most there.
    silent: usize,
    most: u64,
}

/// What is known of a tile.
#[derive(Default)]
struct Open {
    parcel: Option<Parcel>,
    answers: Vec<Vec<ArrayRef>>,
    /// How many there will be, as the first of them says.
    count: u64,
}

impl Open {
    fn is_whole(&self) -> bool {
        self.parcel.is_some() && self.count > 0 && self.answers.len() as u64 == self.count
    }
}

impl Match {
    /// For one worker.
    pub fn new(join: &Join, place: Place, budget: &Arc<Budget>) -> Match {
        Match {
            join: join.clone(),
            place,
            budget: budget.clone(),
            room: Room::new(join, budget, place.threads),
            open: BTreeMap::new(),
            later: None,
            closing: Vec::new(),
            silent: place.workers,
            most: 1,
        }
    }

    /// Gives the tile on if it is whole.
    fn give(&mut self, number: u64, out: Out) -> Result<(), Failure> {
        let ready = |open: &Open| self.silent == 0 && open.is_whole();
        if !self.open.get(&number).is_some_and(ready) {
            return Ok(());
        }
        let Some(Open { parcel: Some(parcel), answers, .. }) = self.open.remove(&number) else {
            return Ok(());
        };
        let tile = whole(&self.join, &parcel.tile, &answers, self.most, self.room)?;
        out(Item::Tile(parcel.derive(tile)));
        Ok(())
    }

    /// A worker answers late: tiles wait in files from now on, without their credits.
    fn wait(&mut self) -> Result<(), Failure> {
        if self.later.is_some() {
            return Ok(());
        }
        let mut later = Later::new(&self.join, &self.budget, self.place.threads);
        for (number, open) in std::mem::take(&mut self.open) {
            open.parcel.map_or(Ok(()), |parcel| later.keep(parcel.tile))?;
            open.answers.into_iter().try_for_each(|answer| later.answer(number, answer))?;
        }
        self.later = Some(later);
        Ok(())
    }

    /// Passes on that no more tiles of a range come, once those that are here have gone.
    fn close(&mut self, out: Out) {
        let (open, later) = (&self.open, &self.later);
        let waits = |range: &Range<u64>| {
            open.range(range.clone()).any(|(_, o)| o.parcel.is_some())
                || later.as_ref().is_some_and(|later| later.waits(range))
        };
        for range in self.closing.extract_if(.., |range| !waits(range)) {
            out(Item::Closed(range));
        }
    }
}

impl Stage for Match {
    fn tile(&mut self, _input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        let number = parcel.tile.number;
        let Parcel { tile, credit } = parcel;
        match (Message::read(tile)?, &mut self.later) {
            (Err(tile), Some(later)) => later.keep(tile)?,
            (Err(tile), None) => {
                self.open.entry(number).or_default().parcel = Some(Parcel { tile, credit });
                self.give(number, out)?;
            }
            (Ok(Message::Answer { tile, columns, .. }), Some(later)) => {
                later.answer(tile, columns)?;
            }
            (Ok(Message::Answer { tile, answers, columns }), None) => {
                let open = self.open.entry(tile).or_default();
                open.count = answers;
                open.answers.push(columns);
                self.give(tile, out)?;
            }
            (Ok(Message::Answers { columns }), Some(later)) => later.answers(columns)?,
            (Ok(Message::Late), _) => self.wait()?,
            (Ok(Message::Most(most)), _) => {
                self.most = self.most.max(most);
                self.silent = self.silent.saturating_sub(1);
                if self.silent == 0 {
                    let all: Vec<u64> = self.open.keys().copied().collect();
                    all.into_iter().try_for_each(|number| self.give(number, out))?;
                }
            }
            (Ok(Message::Answers { .. } | Message::Question { .. }), _) => {
                return Err(Failure::internal("a join got answers that it did not wait for"));
            }
        }
        self.close(out);
        Ok(())
    }

    fn closed(&mut self, _in: usize, numbers: Range<u64>, out: Out) -> Result<(), Failure> {
        self.closing.push(numbers);
        self.close(out);
        Ok(())
    }

    fn finish(&mut self, _out: Out) -> Result<(), Failure> {
        match self.open.is_empty() {
            true => Ok(()),
            false => Err(Failure::internal("a join lacks answers")),
        }
    }

    fn more(&mut self, out: Out) -> Result<bool, Failure> {
        let Some(later) = &mut self.later else { return Ok(false) };
        let Some(tile) = later.next(self.most)? else { return Ok(false) };
        out(Item::Tile(Parcel::free(tile)));
        self.close(out);
        Ok(true)
    }
}
