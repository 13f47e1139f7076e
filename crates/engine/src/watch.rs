//! What a run tells the outside while it runs, and how it is told to stop.
use crate::credit::Wake;
use crate::deal::{Deal, Hand};
use base::{Failure, Warning, grouped};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};
use tasks::lane::{Counted, Lane};

/// Counts of one process of a run, cheap to poll from another thread.
#[derive(Default)]
pub struct Watch {
    done: AtomicU64,
    total: AtomicU64,
    taken: AtomicU64,
    rows: AtomicU64,
    bytes: AtomicU64,
    started: OnceLock<Instant>,
    stop: Mutex<Option<Failure>>,
    draining: AtomicBool,
    wakes: Mutex<Vec<Wake>>,
    hands: OnceLock<Arc<Vec<Option<Hand>>>>,
    failed: AtomicBool,
    first: Mutex<Option<Failure>>,
    sleepers: Mutex<Vec<Thread>>,
    warnings: Mutex<Vec<Warning>>,
    lanes: Mutex<Vec<Arc<Lane>>>,
}

/// How far a process, or all of them, have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Tiles that have left the last node.
    pub tiles: u64,
    /// Rows that something is done for.
    pub rows: Counted,
}

impl Done {
    /// Both together.
    pub fn plus(self, more: Done) -> Done {
        Done { tiles: self.tiles + more.tiles, rows: self.rows.plus(more.rows) }
    }
}

impl Watch {
    /// Nothing has happened yet.
    pub fn new() -> Watch {
        Watch::default()
    }

    /// Tiles that have left the last node.
    pub fn tiles_done(&self) -> u64 {
        self.done.load(Relaxed)
    }

    /// How far the run has come.
    pub fn done(&self) -> Done {
        let lanes = lock(&self.lanes);
        let rows = lanes.iter().map(|lane| lane.counted());
        Done { tiles: self.tiles_done(), rows: rows.fold(Counted::default(), Counted::plus) }
    }

    /// Rows of this lane count.
    pub(crate) fn lane(&self, lane: Arc<Lane>) {
        lock(&self.lanes).push(lane);
    }

    /// Tiles that this process has taken.
    pub fn tiles_taken(&self) -> u64 {
        self.taken.load(Relaxed)
    }

    /// Tiles that all processes together take: 0 until the run has started.
    pub fn tiles_total(&self) -> u64 {
        self.total.load(Relaxed)
    }

    /// Points of the tiles that were handed out.
    pub fn rows(&self) -> u64 {
        self.rows.load(Relaxed)
    }

    /// Bytes of column values given to writers.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Seconds since the first tile was handed out.
    pub fn seconds(&self) -> f64 {
        self.started.get().map_or(0.0, |t| t.elapsed().as_secs_f64())
    }

    /// Asks the run to end with this failure: no more tiles are handed out, those in flight reach
    /// their sinks, then the run ends. It notices within some 20 ms; the first request counts.
    pub fn request_stop(&self, why: Failure) {
        lock(&self.stop).get_or_insert(why);
    }

    /// What the launcher answers when this process asks for tiles.
    pub fn dealt(&self, deal: &Deal) {
        let hand = self.hands.get().and_then(|hands| hands.get(deal.read)?.as_ref());
        if let Some(hand) = hand {
            hand.receive(deal);
        }
    }

    /// Ends the run with this cause, unless it has one already. Wakes the workers.
    pub fn fail(&self, failure: Failure) {
        lock(&self.first).get_or_insert(failure);
        self.failed.store(true, SeqCst);
        self.stop_lanes();
        for thread in lock(&self.sleepers).iter() {
            thread.unpark();
        }
    }

    /// Ends what is done for rows.
    pub(crate) fn stop_lanes(&self) {
        lock(&self.lanes).iter().for_each(|lane| lane.stop());
    }

    /// Waits so long for what is done for rows to end, which it does soon after it has been stopped:
    /// then nothing is left of what it had begun.
    pub(crate) fn lanes_end_within(&self, time: Duration) {
        let begin = Instant::now();
        let busy = || lock(&self.lanes).iter().any(|lane| lane.is_busy());
        while busy() && begin.elapsed() < time {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Notes what the user should know of the values, to be told when the run has ended.
    pub fn warn(&self, warnings: impl IntoIterator<Item = Warning>) {
        Warning::merge(&mut lock(&self.warnings), warnings);
    }

    /// What has been noted so far.
    pub fn warnings(&self) -> Vec<Warning> {
        lock(&self.warnings).clone()
    }

    /// The same, and it is noted no more.
    pub fn take_warnings(&self) -> Vec<Warning> {
        std::mem::take(&mut lock(&self.warnings))
    }

    /// Whether the run is to end.
    pub fn failed(&self) -> bool {
        self.failed.load(Relaxed)
    }

    /// The first cause, if the run is to end.
    pub fn failure(&self) -> Option<Failure> {
        lock(&self.first).clone()
    }

    /// Why the run is to stop, if that was asked for: how far it came is part of the sentence.
    pub(crate) fn stop(&self) -> Option<Failure> {
        let why = lock(&self.stop).clone();
        why.map(|why| so_far(why, self.tiles_done(), self.tiles_total()))
    }

    /// Called when the last tiles are in flight, should a stage wait for something else.
    pub(crate) fn wake_by(&self, wake: Wake) {
        lock(&self.wakes).push(wake);
    }

    /// Hands out no more tiles.
    pub(crate) fn drain(&self) {
        if !self.draining.swap(true, SeqCst) {
            self.hands.get().into_iter().flat_map(|h| h.iter().flatten()).for_each(Hand::close);
            lock(&self.wakes).iter().for_each(|wake| wake());
        }
    }

    /// Whether tiles in flight are the last ones, though there would be more.
    pub(crate) fn draining(&self) -> bool {
        self.draining.load(SeqCst)
    }

    /// The tiles that this process may take.
    pub(crate) fn begin(&self, hands: Arc<Vec<Option<Hand>>>, tiles: u64) {
        self.total.store(tiles, Relaxed);
        // Set once: a watch is for one run.
        drop(self.hands.set(hands));
    }

    /// This thread sleeps in between and wants to be woken by a failure.
    pub(crate) fn register(&self) {
        lock(&self.sleepers).push(std::thread::current());
    }

    pub(crate) fn hand_out(&self, points: u64) {
        self.started.get_or_init(Instant::now);
        self.taken.fetch_add(1, Relaxed);
        self.rows.fetch_add(points, Relaxed);
    }

    pub(crate) fn tile_done(&self) {
        self.done.fetch_add(1, Relaxed);
    }

    pub(crate) fn wrote(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Relaxed);
    }
}

/// A failure that ended a run before its time, and how far it came.
pub(crate) fn so_far(why: Failure, done: u64, tiles: u64) -> Failure {
    let plural = if tiles == 1 { "" } else { "s" };
    let message =
        format!("{} after {} of {} tile{plural}", why.message, grouped(done), grouped(tiles));
    Failure { message, ..why }
}

/// A lock that a panicking thread does not spoil: what it guards is always whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_first_failure() {
        let watch = Watch::new();
        watch.fail(Failure::data("one"));
        watch.fail(Failure::data("two"));
        assert_eq!(watch.failure().map(|f| f.message), Some("one".into()));
    }

    #[test]
    fn a_stop_says_how_far_the_run_came() {
        let watch = Watch::new();
        assert!(watch.stop().is_none());
        watch.begin(Arc::default(), 1600);
        watch.tile_done();
        watch.request_stop(Failure::new(base::FailureKind::Terminated, "terminated"));
        watch.request_stop(Failure::new(base::FailureKind::Interrupted, "interrupted"));
        let why = watch.stop().map(|failure| failure.message);
        assert_eq!(why.as_deref(), Some("terminated after 1 of 1,600 tiles"));
        assert!(!watch.failed());
    }
}
