//! A fold of rows with equal keys.
//!
//! Each worker folds the tiles it has into keys and states, and gives them on whenever it holds too
//! many; where that merges hardly any rows, it gives them on as they are for a while. The worker
//! that the hash of a key names merges them. What does not fit into its memory it writes to buckets
//! of keys with some bits of the hash in common, and at the end merges one bucket after the other;
//! one that is too large is split by further bits.
use super::groups::Groups;
use super::singles::Singles;
use super::{Rows, TILE_ROWS, rows};
use crate::nodes::apply::Apply;
use crate::nodes::{Out, Stage};
use crate::options::Place;
use crate::parcel::Parcel;
use crate::spill::{Bucket, Buckets, Budget, Share, give_back};
use crate::watch::Watch;
use base::{Failure, FailureKind, Tile};
use plan::physical::Fold;
use std::collections::VecDeque;
use std::sync::Arc;

/// A `Partial` gives what it has on when it holds more groups than this, however much memory there
/// is: to look a group up in a larger table costs more than to merge it twice.
const MOST_GROUPS: usize = 1 << 20;

/// A table of groups that had fewer rows than three for two groups was of no use: so many times its
/// rows go on without one, before another is tried.
const PASS: u64 = 15;

/// So few groups cannot be what fills the memory: their states do, and no bucket splits a group.
const FEW_GROUPS: usize = 16;

/// Folds this worker's tiles into a row of keys and states for each group.
pub struct Partial {
    apply: Apply,
    groups: Groups,
    /// The rows that are in `groups`.
    rows: u64,
    /// How many rows are to go on as they are, and those that have not yet gone.
    passing: u64,
    singles: Singles,
    share: Share,
    ready: VecDeque<Rows>,
    given: u64,
}

impl Partial {
    pub fn new(
        fold: &Fold,
        columns: &[usize],
        budget: &Arc<Budget>,
        watch: &Arc<Watch>,
    ) -> Result<Partial, Failure> {
        Ok(Partial {
            apply: Apply::new(&fold.apply, watch),
            groups: Groups::new(fold, columns)?,
            rows: 0,
            passing: 0,
            singles: Singles::new(fold, columns)?,
            share: budget.share(),
            ready: VecDeque::new(),
            given: 0,
        })
    }
}

impl Stage for Partial {
    fn tile(&mut self, _input: usize, parcel: Parcel, _out: Out) -> Result<(), Failure> {
        let Partial { apply, groups, rows, passing, singles, share, ready, .. } = self;
        apply.blocks(&parcel.tile, &mut |block| {
            if *passing > 0 {
                *passing = passing.saturating_sub(block.len as u64);
                if singles.update(block)? >= TILE_ROWS || *passing == 0 {
                    ready.push_back(Rows::new(singles.take()?));
                }
                return Ok(());
            }
            *rows += block.len as u64;
            let weigh = groups.update(block);
            let many = groups.len() > MOST_GROUPS;
            if many || weigh && groups.bytes() > share.own() {
                if *rows * 2 < groups.len() as u64 * 3 {
                    *passing = *rows * PASS;
                }
                *rows = 0;
                // A table that was too large for its share is not to be kept.
                let states = if many { groups.flush() } else { groups.take_states()? };
                ready.push_back(Rows::new(states));
            }
            Ok(())
        })
    }

    fn full(&self) -> bool {
        !self.ready.is_empty()
    }

    fn held(&self) -> u64 {
        self.groups.held() + self.singles.bytes()
    }

    fn finish(&mut self, _out: Out) -> Result<(), Failure> {
        self.ready.push_back(Rows::new(self.singles.take()?));
        self.ready.push_back(Rows::new(self.groups.take_states()?));
        (self.rows, self.passing) = (0, 0);
        Ok(())
    }

    fn more(&mut self, out: Out) -> Result<bool, Failure> {
        let Some(rows) = self.ready.front_mut() else { return Ok(false) };
        if !rows.give(self.given, out) {
            self.ready.pop_front();
        }
        self.given += 1;
        Ok(true)
    }
}

/// Merges the groups whose keys belong to this worker.
pub struct Final {
    groups: Groups,
    keys: usize,
    place: Place,
    share: Share,
    /// What did not fit of the rows that come in, or of the bucket that is read.
    buckets: Option<Buckets>,
    /// Buckets that wait, and the one that is read.
    waiting: Vec<Bucket>,
    reading: Option<Bucket>,
    results: Rows,
    given: u64,
}

impl Final {
    pub fn new(
        fold: &Fold,
        columns: &[usize],
        place: Place,
        budget: &Arc<Budget>,
    ) -> Result<Final, Failure> {
        Ok(Final {
            groups: Groups::new(fold, columns)?,
            keys: columns.len(),
            place,
            share: budget.share(),
            buckets: None,
            waiting: Vec::new(),
            reading: None,
            results: Rows::default(),
            given: 0,
        })
    }

    fn merge(&mut self, tile: &Tile) -> Result<(), Failure> {
        if self.groups.merge(tile)? && !self.groups.fit(&mut self.share) {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> Result<(), Failure> {
        let level = self.reading.as_ref().map_or(0, |bucket| bucket.level + 1);
        if self.groups.len() < FEW_GROUPS || !Buckets::has_level(level) {
            return Err(too_large(self.groups.len(), self.groups.bytes()));
        }
        let (share, keys) = (&self.share, self.keys);
        let buckets = self.buckets.get_or_insert_with(|| Buckets::new(share, keys, level));
        buckets.write(0, &self.groups.take_states()?)?;
        self.share.hold(0);
        give_back();
        Ok(())
    }

    /// All rows have come, or all of a bucket: either they are all here, or in smaller buckets.
    fn end(&mut self) -> Result<(), Failure> {
        if self.buckets.is_some() && self.groups.len() > 0 {
            let columns = self.groups.take_states()?;
            self.buckets.iter_mut().try_for_each(|buckets| buckets.write(0, &columns))?;
        }
        self.reading = None;
        match self.buckets.take() {
            Some(buckets) => self.waiting.extend(buckets.split()),
            None => self.results = Rows::new(self.groups.take_results()?),
        }
        Ok(())
    }
}

impl Stage for Final {
    fn tile(&mut self, _input: usize, parcel: Parcel, _out: Out) -> Result<(), Failure> {
        self.merge(&parcel.tile)
    }

    fn finish(&mut self, _out: Out) -> Result<(), Failure> {
        self.end()
    }

    fn more(&mut self, out: Out) -> Result<bool, Failure> {
        let (worker, workers) = (self.place.worker as u64, self.place.workers as u64);
        if self.results.left() > 0 {
            self.results.give(worker + self.given * workers, out);
            self.given += 1;
            return Ok(true);
        }
        self.results = Rows::default();
        if self.reading.is_none() {
            self.reading = self.waiting.pop();
        }
        let Some(bucket) = &mut self.reading else { return Ok(false) };
        match bucket.take()? {
            Some(columns) => self.merge(&rows(columns))?,
            None => self.end()?,
        }
        Ok(true)
    }
}

fn too_large(groups: usize, bytes: u64) -> Failure {
    Failure::new(
        FailureKind::Memory,
        format!(
            "{groups} groups hold {} MB, more than there is memory for, and a group cannot be \
             split: give the run more memory (--memory), or use what holds no values \
             (mean instead of median or quantile)",
            bytes / 1_000_000
        ),
    )
}
