//! `Join`: all of the right side is in this process.
//!
//! All workers of the process add to it, and look things up in what one of them makes of it. If it
//! does not fit into memory, both sides go to files, and each worker looks into the buckets that
//! the others have not taken.
use super::beside::beside;
use super::columns;
use super::common::Common;
use super::grace::{Found, Grace, Probe, Queue, by_asker};
use super::later::Later;
use super::right::{Right, Rows};
use super::room::Room;
use super::table::Table;
use crate::credit::Wake;
use crate::nodes::{Out, Stage, to_rows};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::spill::{Budget, Share};
use crate::watch::lock;
use base::{Failure, Tile};
use plan::physical;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// What the workers of a process have of a right side.
pub type All = Common<Right, Where>;

/// None of it yet.
pub fn all(plan: &physical::Join, place: Place, budget: &Arc<Budget>) -> All {
    Common::new(place.threads, Right::new(plan, budget.share()))
}

/// Where all of the right side is.
pub enum Where {
    /// In memory.
    Here {
        /// All rows.
        table: Table,
        /// What they take.
        _held: Share,
    },
    /// In files, with what each worker has of the left.
    Files(Box<Files>),
}

/// Both sides in files.
pub struct Files {
    asked: Common<Grace, Queue>,
    /// For each worker of the process.
    later: Vec<Mutex<Later>>,
}

/// Passes the left's tiles on, each with its matches, when the right has ended.
pub struct Join {
    plan: physical::Join,
    place: Place,
    budget: Arc<Budget>,
    room: Room,
    all: Arc<All>,
    /// Tiles of the left that wait for the right to end.
    waiting: Vec<Item>,
    closing: Vec<Range<u64>>,
    /// For buckets in files.
    probe: Probe,
    right_ended: bool,
    left_ended: bool,
    free: bool,
}

impl Join {
    /// For one worker. With `free`, tiles that wait give up their credits.
    pub fn new(
        plan: &physical::Join,
        place: Place,
        budget: &Arc<Budget>,
        all: Arc<All>,
        free: bool,
    ) -> Join {
        Join {
            plan: plan.clone(),
            place,
            budget: budget.clone(),
            room: Room::new(plan, budget, place.threads),
            all,
            waiting: Vec::new(),
            closing: Vec::new(),
            probe: Probe::new(plan, budget.share()),
            right_ended: false,
            left_ended: false,
            free,
        }
    }

    /// Which of the workers of its process it is.
    fn own(&self) -> usize {
        self.place.worker % self.place.threads
    }

    /// All workers of the process have ended.
    fn made(&self, right: Right) -> Result<Where, Failure> {
        Ok(match right.rows()? {
            Rows::Here { table, _held } => Where::Here { table, _held },
            Rows::Files(grace) => {
                let threads = self.place.threads;
                let later = || Mutex::new(Later::new(&self.plan, &self.budget, threads));
                Where::Files(Box::new(Files {
                    asked: Common::new(threads, *grace),
                    later: (0..threads).map(|_| later()).collect(),
                }))
            }
        })
    }

    /// What has waited for the right to end goes on, if it has.
    fn go_on(&mut self, out: Out) -> Result<(), Failure> {
        if self.all.get().is_none() {
            return Ok(());
        }
        for item in std::mem::take(&mut self.waiting) {
            match item {
                Item::Tile(parcel) => self.pass(parcel, out)?,
                Item::Closed(numbers) => self.close(numbers, out),
                other => out(other),
            }
        }
        Ok(())
    }

    fn pass(&mut self, parcel: Parcel, out: Out) -> Result<(), Failure> {
        let Parcel { tile, credit } = parcel;
        let tile = to_rows(tile)?;
        match self.all.get() {
            Some(Where::Here { table, .. }) => {
                let tile = matched(&self.plan, &tile, table, self.room)?;
                out(Item::Tile(Parcel { tile, credit }));
                Ok(())
            }
            Some(Where::Files(files)) => {
                let keys = columns(&tile, &self.plan.keys)?;
                files.asked.add(|asked| asked.ask(self.own(), tile.number, keys, None))?;
                lock(&files.later[self.own()]).keep(tile)
            }
            None => Err(Failure::internal("a join began before its right side had ended")),
        }
    }

    fn close(&mut self, numbers: Range<u64>, out: Out) {
        match self.all.get() {
            Some(Where::Files(files)) => {
                self.closing.push(numbers);
                let later = lock(&files.later[self.own()]);
                give_closed(&mut self.closing, &later, out);
            }
            _ => out(Item::Closed(numbers)),
        }
    }

    /// Looks into a part of the files. Whether there is something left.
    fn look(&mut self, files: &Files, queue: &Queue, out: Out) -> Result<bool, Failure> {
        match self.probe.next(queue)? {
            Found::Matches(matches) => {
                for (asker, answers) in by_asker(matches, self.place.threads)? {
                    lock(&files.later[asker]).answers(answers)?;
                }
                return Ok(true);
            }
            Found::Later => {
                // There may be something to take, or all has been done.
                self.all.wake();
                return Ok(true);
            }
            Found::Nothing if !queue.is_done() => return Ok(true),
            Found::Nothing => {}
        }
        let mut later = lock(&files.later[self.own()]);
        let tile = later.next(queue.most())?;
        let more = tile.is_some();
        tile.into_iter().for_each(|tile| out(Item::Tile(Parcel::free(tile))));
        give_closed(&mut self.closing, &later, out);
        Ok(more)
    }
}

/// A tile of the left with its matches.
fn matched(plan: &physical::Join, tile: &Tile, table: &Table, room: Room) -> Result<Tile, Failure> {
    let keys = columns(tile, &plan.keys)?;
    let matches = table.matches(&table.find(&keys, tile.points())?, plan.how, room)?;
    let pick = |column: &usize| table.pick(*column, &matches.right);
    let right = plan.right.iter().map(pick).collect::<Result<_, Failure>>()?;
    beside(plan, tile, matches.left, right, plan.most(table.most()))
}

/// Passes on that no more tiles of a range come, once those that wait have gone.
fn give_closed(closing: &mut Vec<Range<u64>>, later: &Later, out: Out) {
    closing.extract_if(.., |range| !later.waits(range)).for_each(|range| out(Item::Closed(range)));
}

impl Stage for Join {
    fn wake_by(&mut self, wake: Wake) {
        self.all.wake_by(wake);
    }

    fn tile(&mut self, input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        if input == 1 {
            return self.all.add(|right| right.push(parcel.tile));
        }
        // Who waits for the right to end gives up the credit only if it has to.
        let keep = !self.free || self.all.get().is_some();
        let credit = parcel.credit.filter(|_| keep);
        self.waiting.push(Item::Tile(Parcel { credit, ..parcel }));
        self.go_on(out)
    }

    fn closed(&mut self, input: usize, numbers: Range<u64>, out: Out) -> Result<(), Failure> {
        if input == 0 {
            self.waiting.push(Item::Closed(numbers));
            self.go_on(out)?;
        }
        Ok(())
    }

    fn idle(&mut self, out: Out) -> Result<bool, Failure> {
        self.go_on(out)?;
        Ok(false)
    }

    fn input_ends(&mut self, input: usize, out: Out) -> Result<(), Failure> {
        if input == 1 {
            self.right_ended = true;
            self.all.end(|right| self.made(right))?;
            self.go_on(out)?;
        }
        Ok(())
    }

    fn waits(&self) -> bool {
        match self.all.get() {
            None => self.right_ended,
            Some(Where::Here { .. }) => false,
            Some(Where::Files(files)) => match files.asked.get() {
                None => self.left_ended,
                Some(queue) => self.probe.is_idle() && queue.is_empty() && !queue.is_done(),
            },
        }
    }

    fn more(&mut self, out: Out) -> Result<bool, Failure> {
        self.go_on(out)?;
        let all = self.all.clone();
        let Some(Where::Files(files)) = all.get() else { return Ok(false) };
        if !self.left_ended {
            self.left_ended = true;
            files.asked.end(|asked| Ok(asked.end(&self.plan).0))?;
            self.all.wake();
        }
        match files.asked.get() {
            Some(queue) => self.look(files, queue, out),
            None => Ok(true),
        }
    }
}
