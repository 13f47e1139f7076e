//! The first half of a fold at the end of a fragment: it leaves out what is done, and its states are
//! noted.
use super::allowance::{Allowance, CREDIT};
use super::book::Book;
use super::states::States;
use super::survey::Progress;
use crate::nodes::{Out, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::spill::size;
use base::{Failure, Tile};
use plan::physical::Op;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The time that a byte of states costs: to encode, check and write, and to merge once more.
const PER_BYTE: Duration = Duration::from_nanos(6);

/// So many bytes of states tell what a byte costs; fewer tell what a note costs.
const MANY: u64 = 1 << 16;

/// Wraps the stage of a fold that ends a fragment; any other goes through as it is.
pub fn wrap(
    book: &Arc<Book>,
    node: usize,
    op: &Op,
    place: Place,
    inner: Box<dyn Stage>,
) -> Box<dyn Stage> {
    let fold = matches!(op, Op::Partial(_));
    let Some(progress) = book.fragment(node).filter(|_| fold).cloned() else { return inner };
    Box::new(Folded {
        replay: progress.share(place.worker, place.workers),
        inner,
        book: book.clone(),
        progress,
        segment: Vec::new(),
        broken: false,
        taken: VecDeque::new(),
        ended: false,
        time: Allowance::default(),
        per_byte: PER_BYTE,
        next: Duration::ZERO,
    })
}

/// The first half of a fold. Its states are taken out of it and noted, with the tiles that they are
/// of, as often as the share of time for it allows: what that costs is known before.
struct Folded {
    inner: Box<dyn Stage>,
    book: Arc<Book>,
    progress: Progress,
    /// The tiles whose states are in the fold.
    segment: Vec<u64>,
    /// Whether some of their states were given on without a note, so that they cannot be noted.
    broken: bool,
    /// States to be given on.
    taken: VecDeque<Item>,
    /// Whether all tiles have come, and the fold gives what it holds by itself.
    ended: bool,
    /// States of earlier runs that this worker puts in at the end.
    replay: Vec<States>,
    time: Allowance,
    /// What a byte of the last note has cost.
    per_byte: Duration,
    /// What the next one costs at least.
    next: Duration,
}

impl Folded {
    /// After a tile: whether states should be taken, of which the fold has `given` some by itself.
    fn due(&mut self, given: &[Item]) -> bool {
        // To ask a fold for what it holds takes time, too.
        if !self.time.affords(self.next) {
            return false;
        }
        let given: u64 = given.iter().filter_map(tile).map(size).sum();
        self.next = self.cost(given + self.inner.held());
        self.time.affords(self.next)
    }

    /// Takes the states out of the fold and notes them. `given` are those that it has given by
    /// itself.
    fn take(&mut self, mut given: Vec<Item>) -> Result<(), Failure> {
        let begin = Instant::now();
        self.inner.finish(&mut |item| given.push(item))?;
        while self.inner.more(&mut |item| given.push(item))? {}
        let states: Option<Vec<Tile>> = given.iter().map(|item| tile(item).cloned()).collect();
        let states = states.ok_or_else(|| Failure::internal("a fold gave something else"))?;
        let tiles = std::mem::take(&mut self.segment);
        let bytes = states.iter().map(size).sum::<u64>();
        if !std::mem::take(&mut self.broken) {
            self.book.folded(&self.progress, &tiles, &states)?;
        }
        let took = begin.elapsed();
        self.time.spend(took.max(self.cost(bytes)));
        self.per_byte = PER_BYTE.max(took / u32::try_from(bytes.max(MANY)).unwrap_or(u32::MAX));
        self.next = Duration::ZERO;
        self.taken.extend(given);
        Ok(())
    }

    /// The fold gives states on that are too many to be noted.
    fn pass(&mut self, given: Vec<Item>) -> Result<(), Failure> {
        self.taken.extend(given);
        while self.inner.full() && self.inner.more(&mut |item| self.taken.push_back(item))? {}
        self.segment.clear();
        self.broken = self.inner.held() > 0;
        Ok(())
    }

    /// What a note of states of so many bytes costs.
    fn cost(&self, bytes: u64) -> Duration {
        self.per_byte * u32::try_from(bytes).unwrap_or(u32::MAX)
    }
}

fn tile(item: &Item) -> Option<&Tile> {
    match item {
        Item::Tile(parcel) => Some(&parcel.tile),
        _ => None,
    }
}

impl Stage for Folded {
    fn tile(&mut self, input: usize, parcel: Parcel, _out: Out) -> Result<(), Failure> {
        self.time.begin();
        let number = parcel.tile.number;
        if self.progress.has(number) {
            return Ok(());
        }
        let mut given = Vec::new();
        self.inner.tile(input, parcel, &mut |item| given.push(item))?;
        self.segment.push(number);
        if self.due(&given) {
            return self.take(given);
        }
        if !given.is_empty() || self.inner.full() {
            self.pass(given)?;
        }
        Ok(())
    }

    fn closed(&mut self, input: usize, numbers: Range<u64>, out: Out) -> Result<(), Failure> {
        self.inner.closed(input, numbers, out)
    }

    fn input_ends(&mut self, input: usize, out: Out) -> Result<(), Failure> {
        self.inner.input_ends(input, out)
    }

    fn finish(&mut self, out: Out) -> Result<(), Failure> {
        let new = !self.segment.is_empty() && !self.broken;
        // The last note, where it is small, is made whatever those before it have cost.
        if new && (self.due(&[]) || self.cost(self.inner.held()) <= CREDIT) {
            return self.take(Vec::new());
        }
        self.ended = true;
        self.inner.finish(out)
    }

    /// A run that is told to stop has the time for what it would lose.
    fn drained(&mut self) -> Result<(), Failure> {
        if !self.segment.is_empty() && !self.broken {
            self.take(Vec::new())?;
        }
        self.taken.clear();
        Ok(())
    }

    fn full(&self) -> bool {
        !self.taken.is_empty()
    }

    fn more(&mut self, out: Out) -> Result<bool, Failure> {
        if let Some(item) = self.taken.pop_front() {
            out(item);
            return Ok(true);
        }
        if self.ended && self.inner.more(out)? {
            return Ok(true);
        }
        self.ended = false;
        let Some(states) = self.replay.pop() else { return Ok(false) };
        for tile in states.tiles()? {
            out(Item::Tile(Parcel::free(tile)));
        }
        Ok(true)
    }
}
