//! Rows of a lane by what has become of them.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Rows of a lane by what has become of them.
#[derive(Debug, Default)]
pub struct Counts {
    pub(super) taken: AtomicU64,
    pub(super) done: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) recalled: AtomicU64,
    pub(super) running: AtomicU64,
}

/// The same at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counted {
    /// Rows that have come.
    pub taken: u64,
    /// Of these, rows that have ended well, those of earlier runs included.
    pub done: u64,
    /// Rows that have failed.
    pub failed: u64,
    /// Rows that earlier runs had done.
    pub recalled: u64,
    /// Rows of starts that run.
    pub running: u64,
}

impl Counted {
    /// The sum of both.
    pub fn plus(self, more: Counted) -> Counted {
        Counted {
            taken: self.taken + more.taken,
            done: self.done + more.done,
            failed: self.failed + more.failed,
            recalled: self.recalled + more.recalled,
            running: self.running + more.running,
        }
    }
}

impl Counts {
    /// At this moment.
    pub fn counted(&self) -> Counted {
        Counted {
            taken: self.taken.load(Relaxed),
            done: self.done.load(Relaxed),
            failed: self.failed.load(Relaxed),
            recalled: self.recalled.load(Relaxed),
            running: self.running.load(Relaxed),
        }
    }
}
