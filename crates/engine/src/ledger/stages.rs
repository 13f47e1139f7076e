//! The stages at the end of a fragment: they leave out what is done, and note what they do.
use super::book::Book;
use super::states::States;
use super::survey::Progress;
use crate::nodes::{Out, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use base::{Failure, Tile};
use plan::physical::Op;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is noted takes at most this part of the time,
const PART: u32 = 50;

/// and so much more: a run that is over soon is noted whole.
const CREDIT: Duration = Duration::from_millis(5);

/// The time that a byte of states costs: to encode, check and write, and to merge once more.
const PER_BYTE: Duration = Duration::from_nanos(6);

/// Wraps the stage of a node that ends a fragment; any other goes through as it is.
pub fn wrap(
    book: &Arc<Book>,
    node: usize,
    op: &Op,
    place: Place,
    inner: Box<dyn Stage>,
) -> Box<dyn Stage> {
    let Some(progress) = book.fragment(node).cloned() else { return inner };
    match op {
        Op::Write(_) => Box::new(Written { inner, book: book.clone(), progress }),
        _ => Box::new(Folded {
            replay: progress.share(place.worker, place.workers),
            inner,
            book: book.clone(),
            progress,
            segment: Vec::new(),
            taken: VecDeque::new(),
            start: None,
            spent: Duration::ZERO,
            last: Duration::ZERO,
        }),
    }
}

/// A writer that takes tiles in any order.
struct Written {
    inner: Box<dyn Stage>,
    book: Arc<Book>,
    progress: Progress,
}

impl Stage for Written {
    fn tile(&mut self, input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        let number = parcel.tile.number;
        if self.progress.done.get(number as usize) == Some(&true) {
            return Ok(());
        }
        self.inner.tile(input, parcel, out)?;
        self.book.wrote(&self.progress, number);
        Ok(())
    }

    fn input_ends(&mut self, input: usize, out: Out) -> Result<(), Failure> {
        self.inner.input_ends(input, out)
    }

    fn finish(&mut self, out: Out) -> Result<(), Failure> {
        self.inner.finish(out)
    }

    fn full(&self) -> bool {
        self.inner.full()
    }

    fn more(&mut self, out: Out) -> Result<bool, Failure> {
        self.inner.more(out)
    }
}

/// The first half of a fold. Whenever its states are given on, they are noted with the tiles that
/// they are of; that is done as often as the share of time for it allows.
struct Folded {
    inner: Box<dyn Stage>,
    book: Arc<Book>,
    progress: Progress,
    /// The tiles whose states are in the fold.
    segment: Vec<u64>,
    /// States that were taken out of it, to be given on.
    taken: VecDeque<Item>,
    /// States of earlier runs that this worker puts in at the end.
    replay: Vec<States>,
    start: Option<Instant>,
    /// What notes have cost so far, and the last one.
    spent: Duration,
    last: Duration,
}

impl Folded {
    /// Takes the states out of the fold and notes them. `given` are those that it has given by
    /// itself.
    fn take(&mut self, mut given: Vec<Item>) -> Result<(), Failure> {
        let begin = Instant::now();
        self.inner.finish(&mut |item| given.push(item))?;
        while self.inner.more(&mut |item| given.push(item))? {}
        let tile = |item: &Item| match item {
            Item::Tile(parcel) => Some(parcel.tile.clone()),
            _ => None,
        };
        let states: Option<Vec<Tile>> = given.iter().map(tile).collect();
        let states = states.ok_or_else(|| Failure::internal("a fold gave something else"))?;
        let tiles = std::mem::take(&mut self.segment);
        let bytes = states.iter().map(Tile::bytes).sum::<usize>();
        self.last = begin.elapsed() + PER_BYTE * u32::try_from(bytes).unwrap_or(u32::MAX);
        if !tiles.is_empty() && self.affords(self.last) {
            self.book.folded(&self.progress, &tiles, &states)?;
            self.last = self.last.max(begin.elapsed());
            self.spent += self.last;
        }
        self.taken.extend(given);
        Ok(())
    }

    /// Whether there is time for a note that takes so long.
    fn affords(&self, time: Duration) -> bool {
        let ran = self.start.map_or(Duration::ZERO, |start| start.elapsed());
        (self.spent + time).saturating_sub(CREDIT) * PART <= ran
    }
}

impl Stage for Folded {
    fn tile(&mut self, input: usize, parcel: Parcel, _out: Out) -> Result<(), Failure> {
        self.start.get_or_insert_with(Instant::now);
        let number = parcel.tile.number;
        if self.progress.done.get(number as usize) == Some(&true) {
            return Ok(());
        }
        let mut given = Vec::new();
        self.inner.tile(input, parcel, &mut |item| given.push(item))?;
        self.segment.push(number);
        if !given.is_empty() || self.inner.full() || self.affords(self.last) {
            self.take(given)?;
        }
        Ok(())
    }

    fn closed(&mut self, input: usize, numbers: Range<u64>, out: Out) -> Result<(), Failure> {
        self.inner.closed(input, numbers, out)
    }

    fn input_ends(&mut self, input: usize, out: Out) -> Result<(), Failure> {
        self.inner.input_ends(input, out)
    }

    fn finish(&mut self, _out: Out) -> Result<(), Failure> {
        self.take(Vec::new())
    }

    fn full(&self) -> bool {
        !self.taken.is_empty()
    }

    fn more(&mut self, out: Out) -> Result<bool, Failure> {
        if let Some(item) = self.taken.pop_front() {
            out(item);
            return Ok(true);
        }
        let Some(states) = self.replay.pop() else { return Ok(false) };
        for tile in states.tiles()? {
            out(Item::Tile(Parcel::free(tile)));
        }
        Ok(true)
    }
}
