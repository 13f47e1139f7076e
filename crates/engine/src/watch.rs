//! What a run tells the outside while it runs, and how it is told to stop.
use base::{Failure, FailureKind};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Instant;

/// Counts of one process of a run, cheap to poll from another thread.
#[derive(Debug, Default)]
pub struct Watch {
    done: AtomicU64,
    total: AtomicU64,
    rows: AtomicU64,
    bytes: AtomicU64,
    started: OnceLock<Instant>,
    stop: AtomicU8,
    failed: AtomicBool,
    first: Mutex<Option<Failure>>,
    sleepers: Mutex<Vec<Thread>>,
}

/// The kinds that [`Watch::request_stop`] understands, by position + 1.
const STOPS: [FailureKind; 3] =
    [FailureKind::Interrupted, FailureKind::Terminated, FailureKind::Peer];

impl Watch {
    /// Nothing has happened yet.
    pub fn new() -> Watch {
        Watch::default()
    }

    /// Tiles that have left the last node.
    pub fn tiles_done(&self) -> u64 {
        self.done.load(Relaxed)
    }

    /// Tiles that this process takes, as far as is known before it has started: 0 until then.
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

    /// Asks the run to end with a failure of this kind: `Interrupted` or `Terminated`; any other
    /// counts as `Peer`. Only stores a number, so a signal handler may call it; the run notices
    /// within some 20 ms.
    pub fn request_stop(&self, kind: FailureKind) {
        let code = STOPS.iter().position(|k| *k == kind).unwrap_or(2) as u8 + 1;
        self.stop.store(code, SeqCst);
    }

    /// Ends the run with this cause, unless it has one already. Wakes the workers.
    pub fn fail(&self, failure: Failure) {
        lock(&self.first).get_or_insert(failure);
        self.failed.store(true, SeqCst);
        for thread in lock(&self.sleepers).iter() {
            thread.unpark();
        }
    }

    /// Whether the run is to end.
    pub fn failed(&self) -> bool {
        self.failed.load(Relaxed)
    }

    /// The first cause, if the run is to end.
    pub fn failure(&self) -> Option<Failure> {
        lock(&self.first).clone()
    }

    /// Turns a request to stop into a failure.
    pub(crate) fn heed_stop(&self) {
        let code = self.stop.load(SeqCst) as usize;
        let Some(kind) = code.checked_sub(1).and_then(|i| STOPS.get(i)) else { return };
        let message = match kind {
            FailureKind::Interrupted => "interrupted",
            FailureKind::Terminated => "terminated",
            _ => "another process of the run has ended",
        };
        self.fail(Failure::new(*kind, message));
    }

    /// This thread sleeps in between and wants to be woken by a failure.
    pub(crate) fn register(&self) {
        lock(&self.sleepers).push(std::thread::current());
    }

    pub(crate) fn expect_tiles(&self, tiles: u64) {
        self.total.fetch_add(tiles, Relaxed);
    }

    pub(crate) fn hand_out(&self, points: u64) {
        self.started.get_or_init(Instant::now);
        self.rows.fetch_add(points, Relaxed);
    }

    pub(crate) fn tile_done(&self) {
        self.done.fetch_add(1, Relaxed);
    }

    pub(crate) fn wrote(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Relaxed);
    }
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
    fn a_stop_becomes_a_failure_of_its_kind() {
        let watch = Watch::new();
        watch.heed_stop();
        assert!(!watch.failed());
        watch.request_stop(FailureKind::Terminated);
        watch.heed_stop();
        assert_eq!(watch.failure().map(|f| f.kind), Some(FailureKind::Terminated));
    }
}
