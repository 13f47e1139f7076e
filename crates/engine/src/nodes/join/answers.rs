//! `Match`: puts a tile together when all answers about it have come.
use super::beside::beside;
use super::message::Message;
use super::table::check;
use super::{internal, table};
use crate::credit::Credit;
use crate::nodes::{Out, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::spill::{Budget, size};
use arrow_array::builder::UInt32Builder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_select::concat::concat;
use arrow_select::take::take;
use base::{Failure, Tile};
use plan::physical::{How, Join};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Tiles of the left that wait for answers, and answers that wait for the others.
pub struct Match {
    join: Join,
    open: BTreeMap<u64, Open>,
    closing: Vec<Range<u64>>,
    /// How many workers have not yet said how many rows a key has at most there.
    silent: usize,
    most: u64,
    /// Whether some of them answer late: then tiles wait on loans of the budget, as far as it has
    /// room, so that more of them are asked about at once.
    late: bool,
    budget: Arc<Budget>,
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
        let (open, closing, budget) = (BTreeMap::new(), Vec::new(), budget.clone());
        let silent = place.workers;
        Match { join: join.clone(), open, closing, silent, most: 1, late: false, budget }
    }

    /// A tile waits, on a loan rather than on its credit if answers come late. The loan is for what
    /// is asked about it, and for its answers, too.
    fn wait(&self, parcel: &mut Parcel) {
        if self.late
            && parcel.credit.is_some()
            && let Some(loan) = self.budget.lend(size(&parcel.tile) + self.asked(&parcel.tile))
        {
            parcel.credit = Some(Credit::lent(loan));
        }
    }

    /// Bytes of the questions about a tile, and of their answers, which are there twice when they
    /// are put together.
    fn asked(&self, tile: &Tile) -> u64 {
        let keys: usize = self.join.types.iter().map(|t| t.width()).sum();
        let right = self.join.right.iter().map(|i| self.join.right_types[*i].width());
        let answer = 4 + right.sum::<usize>() as u64;
        // A key with many rows is the exception.
        let matches = self.join.most(self.most).min(2);
        tile.points() as u64 * (keys as u64 + 8 + 2 * matches * answer)
    }

    /// Gives the tile on if it is whole.
    fn give(&mut self, number: u64, out: Out) -> Result<(), Failure> {
        let whole = |open: &Open| self.silent == 0 && open.is_whole();
        if !self.open.get(&number).is_some_and(whole) {
            return Ok(());
        }
        let Some(Open { parcel: Some(parcel), answers, .. }) = self.open.remove(&number) else {
            return Ok(());
        };
        let tile = self.whole(&parcel.tile, answers)?;
        out(Item::Tile(parcel.derive(tile)));
        Ok(())
    }

    fn whole(&self, tile: &Tile, answers: Vec<Vec<ArrayRef>>) -> Result<Tile, Failure> {
        let most = self.join.most(self.most);
        let rows = |answer: &Vec<ArrayRef>| match answer.first().map(|a| a.as_primitive_opt()) {
            Some(Some(rows)) => Ok::<UInt32Array, Failure>(UInt32Array::clone(rows)),
            _ => Err(Failure::internal("an answer without rows")),
        };
        let rows: Vec<UInt32Array> = answers.iter().map(rows).collect::<Result<_, _>>()?;
        let order = Order::new(&rows, tile.points(), self.join.how)?;
        let column = |i: usize| {
            let arrays: Vec<&dyn Array> = answers.iter().map(|a| &*a[i + 1]).collect();
            let all = match answers.as_slice() {
                [one] => one[i + 1].clone(),
                _ => concat(&arrays).map_err(internal)?,
            };
            match &order.right {
                Some(order) => take(&all, order, None).map_err(internal),
                None => Ok(all),
            }
        };
        let right = (0..self.join.right.len()).map(column).collect::<Result<_, Failure>>()?;
        beside(&self.join, tile, order.left, right, most)
    }

    /// Passes on that no more tiles of a range come, once those that are here have gone.
    fn close(&mut self, out: Out) {
        let open = &self.open;
        let waits = |range: &Range<u64>| open.range(range.clone()).any(|(_, o)| o.parcel.is_some());
        for range in self.closing.extract_if(.., |range| !waits(range)) {
            out(Item::Closed(range));
        }
    }
}

/// The order in which answers make rows.
struct Order {
    /// As in [`table::Matches`].
    left: Option<Vec<u32>>,
    /// The rows of all answers, one answer after the other; `None` if they are in order.
    right: Option<UInt32Array>,
}

impl Order {
    fn new(answers: &[UInt32Array], rows: usize, how: How) -> Result<Order, Failure> {
        let all = || answers.iter().flat_map(|rows| rows.values().iter().copied());
        let once = all().enumerate().all(|(i, row)| i == row as usize) && all().count() == rows;
        if once && how != How::Anti {
            return Ok(Order { left: None, right: None });
        }
        let mut counts = vec![0u32; rows];
        for row in all() {
            *counts.get_mut(row as usize).ok_or_else(foreign)? += 1;
        }
        let some = |found: bool| {
            let rows = counts.iter().enumerate().filter(|(_, n)| (**n > 0) == found);
            Some(rows.map(|(row, _)| row as u32).collect())
        };
        let alone = match how {
            How::Semi => return Ok(Order { left: some(true), right: None }),
            How::Anti => return Ok(Order { left: some(false), right: None }),
            How::Inner => 0,
            How::Left => 1,
        };
        let total: usize = counts.iter().map(|n| (*n as usize).max(alone)).sum();
        check(total)?;
        // Where the matches of each row begin; all of one row come from one answer.
        let mut next = Vec::with_capacity(rows);
        let mut left = Vec::with_capacity(total);
        for (row, count) in counts.iter().enumerate() {
            next.push(left.len() as u32);
            left.resize(left.len() + (*count as usize).max(alone), row as u32);
        }
        let mut order = vec![table::NO_ROW; total];
        for (at, row) in all().enumerate() {
            let place = &mut next[row as usize];
            order[*place as usize] = at as u32;
            *place += 1;
        }
        let mut right = UInt32Builder::with_capacity(total);
        order.iter().for_each(|at| right.append_option((*at != table::NO_ROW).then_some(*at)));
        Ok(Order { left: Some(left), right: Some(right.finish()) })
    }
}

fn foreign() -> Failure {
    Failure::internal("an answer about rows that a tile does not have")
}

impl Stage for Match {
    fn tile(&mut self, _input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        let number = parcel.tile.number;
        let Parcel { tile, credit } = parcel;
        match Message::read(tile)? {
            Err(tile) => {
                let mut parcel = Parcel { tile, credit };
                self.wait(&mut parcel);
                self.open.entry(number).or_default().parcel = Some(parcel);
                self.give(number, out)?;
            }
            Ok(Message::Answer { tile, answers, columns }) => {
                let open = self.open.entry(tile).or_default();
                open.count = answers;
                open.answers.push(columns);
                self.give(tile, out)?;
            }
            Ok(Message::Most { most, late }) => {
                self.most = self.most.max(most);
                if late && !self.late {
                    self.late = true;
                    let mut open = std::mem::take(&mut self.open);
                    let parcels = open.values_mut().filter_map(|open| open.parcel.as_mut());
                    parcels.for_each(|parcel| self.wait(parcel));
                    self.open = open;
                }
                self.silent = self.silent.saturating_sub(1);
                if self.silent == 0 {
                    let all: Vec<u64> = self.open.keys().copied().collect();
                    all.into_iter().try_for_each(|number| self.give(number, out))?;
                }
            }
            Ok(Message::Question { .. }) => return Err(foreign()),
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
}
