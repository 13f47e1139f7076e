//! The tiles of a `Read` that one process may take.
use super::{Ask, Asking, Deal, Shape, Stack};
use crate::credit::Wake;
use crate::watch::lock;
use std::collections::VecDeque;
use std::iter::StepBy;
use std::ops::Range;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// An answer is taken to need at least so long: on a busy machine it does.
const LEAST_FLIGHT: Duration = Duration::from_micros(500);

/// The numbers that this process has, handed out ascending to its workers.
pub struct Hand {
    read: usize,
    held: Mutex<Held>,
    asking: Option<Asking>,
    wakes: Mutex<Vec<Wake>>,
}

/// Where a process stands among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Its index, from 0.
    pub index: u64,
    /// How the run is spread.
    pub shape: Shape,
}

/// What a worker gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The tile with this number.
    Tile(u64),
    /// Nothing now; it is woken when there may be more.
    Wait,
    /// Nothing ever again.
    End,
}

struct Held {
    runs: VecDeque<StepBy<Range<u64>>>,
    left: u64,
    /// Half of what came last: no need to ask before so little is left.
    half: u64,
    /// Whether no more will come.
    last: bool,
    asked: Option<Instant>,
    flight: Duration,
    speed: Speed,
}

impl Hand {
    /// The opening of process `index` of the tiles of the `Read` at position `read`. `asking`
    /// reaches the launcher, if there is one; `ahead` tiles are taken before the first is done.
    pub fn new(read: usize, stack: Stack, seat: Seat, asking: Option<Asking>, ahead: u64) -> Hand {
        let Seat { index, shape } = seat;
        let dealt = stack.dealt_at_once(shape);
        let left = dealt.saturating_sub(index).div_ceil(shape.processes);
        let held = Held {
            runs: [(index..dealt).step_by(shape.processes as usize)].into(),
            left,
            half: left / 2,
            last: asking.is_none() || dealt == stack.tiles,
            asked: None,
            flight: LEAST_FLIGHT,
            speed: Speed { ahead: ahead as f64, ..Speed::default() },
        };
        Hand { read, held: Mutex::new(held), asking, wakes: Mutex::default() }
    }

    /// Called when there may be something for a worker that had to wait.
    pub fn wake_by(&self, wake: Wake) {
        lock(&self.wakes).push(wake);
    }

    /// The next tile.
    pub fn take(&self) -> Taken {
        let mut held = lock(&self.held);
        let taken = held.take();
        let ask = held.needs_more().then(|| held.ask(self.read));
        drop(held);
        if let (Some(ask), Some(asking)) = (ask, &self.asking) {
            asking.ask(ask);
        }
        taken
    }

    /// The tiles that come next, as far as that is known.
    pub fn coming(&self, most: usize) -> Vec<u64> {
        let held = lock(&self.held);
        held.runs.iter().flat_map(|run| run.clone()).take(most).collect()
    }

    /// More tiles have come, or the word that there are none.
    pub fn receive(&self, deal: &Deal) {
        lock(&self.held).add(deal);
        self.wake();
    }

    /// Hands out nothing more.
    pub fn close(&self) {
        let mut held = lock(&self.held);
        (held.left, held.last) = (0, true);
        held.runs.clear();
        drop(held);
        self.wake();
    }

    fn wake(&self) {
        lock(&self.wakes).iter().for_each(|wake| wake());
    }
}

impl Held {
    fn take(&mut self) -> Taken {
        while let Some(run) = self.runs.front_mut() {
            if let Some(number) = run.next() {
                self.left -= 1;
                self.speed.took();
                return Taken::Tile(number);
            }
            self.runs.pop_front();
        }
        if self.last { Taken::End } else { Taken::Wait }
    }

    /// Whether what is left may be gone before an answer comes.
    fn needs_more(&self) -> bool {
        !self.last && self.asked.is_none() && self.left <= self.half && self.left <= self.pace()
    }

    /// Tiles that are taken while an answer is on its way.
    fn pace(&self) -> u64 {
        (self.speed.rate() * self.flight.as_secs_f64()) as u64
    }

    fn ask(&mut self, read: usize) -> Ask {
        let ask = Ask { read, rate: self.speed.rate(), pace: self.pace() };
        self.asked = Some(Instant::now());
        self.speed.fade();
        ask
    }

    fn add(&mut self, deal: &Deal) {
        if let Some(asked) = self.asked.take() {
            self.flight = (2 * asked.elapsed()).max(LEAST_FLIGHT);
        }
        if self.last {
            return;
        }
        let numbers = deal.first..deal.end;
        let count = deal.end.saturating_sub(deal.first);
        self.runs.push_back(numbers.step_by(1));
        self.left += count;
        self.half = count / 2;
        self.last = deal.last;
    }
}

/// Tiles a second; what was longer ago counts less.
#[derive(Default)]
struct Speed {
    since: Option<Instant>,
    tiles: f64,
    /// So many tiles are taken at once, whatever the speed.
    ahead: f64,
    before: (f64, f64),
}

impl Speed {
    fn took(&mut self) {
        self.since.get_or_insert_with(Instant::now);
        self.tiles += 1.0;
    }

    /// 0 while it is not known.
    fn rate(&self) -> f64 {
        let (tiles, seconds) = self.sums();
        if seconds > 0.0 { tiles / seconds } else { 0.0 }
    }

    fn sums(&self) -> (f64, f64) {
        let seconds = self.since.map_or(0.0, |since| since.elapsed().as_secs_f64());
        (self.before.0 + (self.tiles - self.ahead).max(0.0), self.before.1 + seconds)
    }

    fn fade(&mut self) {
        let (tiles, seconds) = self.sums();
        self.before = (tiles / 2.0, seconds / 2.0);
        self.ahead = (self.ahead - self.tiles).max(0.0);
        (self.tiles, self.since) = (0.0, Some(Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::deal::Taken::{End, Tile, Wait};
    use std::sync::Arc;

    fn hand(tiles: u64, index: u64, processes: u64) -> (Hand, Arc<Mutex<Vec<Ask>>>) {
        let asks: Arc<Mutex<Vec<Ask>>> = Arc::default();
        let heard = asks.clone();
        let asking = (processes > 1).then(|| Asking::new(move |ask| lock(&heard).push(ask)));
        let seat = Seat { index, shape: Shape { processes, threads: 1 } };
        (Hand::new(3, Stack { tiles, in_order: false }, seat, asking, 2), asks)
    }

    #[test]
    fn alone_it_has_all() {
        let (hand, _) = hand(3, 0, 1);
        assert_eq!(hand.coming(2), [0, 1]);
        let all: Vec<Taken> = (0..4).map(|_| hand.take()).collect();
        assert_eq!(all, [Tile(0), Tile(1), Tile(2), End]);
    }

    #[test]
    fn it_asks_once_and_waits_for_the_answer() {
        let (hand, asks) = hand(100, 1, 2);
        let opening: Vec<Taken> = (0..6).map(|_| hand.take()).collect();
        assert_eq!(opening, [1, 3, 5, 7, 9, 11].map(Tile));
        assert_eq!((hand.take(), hand.take()), (Wait, Wait));
        assert_eq!(lock(&asks).len(), 1);
        let woken = Arc::new(Mutex::new(0));
        let count = woken.clone();
        hand.wake_by(Box::new(move || *lock(&count) += 1));
        hand.receive(&Deal { read: 3, first: 40, end: 42, last: true });
        assert_eq!(*lock(&woken), 1);
        assert_eq!([hand.take(), hand.take(), hand.take()], [Tile(40), Tile(41), End]);
        assert_eq!(lock(&asks).len(), 1);
    }

    #[test]
    fn few_tiles_are_not_asked_for() {
        let all = |hand: Hand| std::iter::from_fn(move || Some(hand.take())).take(2);
        assert_eq!(all(hand(1, 0, 3).0).collect::<Vec<_>>(), [Tile(0), End]);
        assert_eq!(all(hand(1, 2, 3).0).collect::<Vec<_>>(), [End, End]);
    }

    #[test]
    fn what_is_closed_stays_closed() {
        let (hand, asks) = hand(100, 0, 2);
        hand.take();
        hand.close();
        hand.receive(&Deal { read: 3, first: 40, end: 42, last: false });
        assert_eq!(hand.take(), End);
        assert!(lock(&asks).is_empty());
    }
}
