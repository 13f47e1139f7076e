//! Which process takes which tiles of a `Read`.
//!
//! Each process begins with a small share that all know without a word. What is left the launcher
//! deals: a process that has nearly used up what it has asks for more, ahead of need, and gets a
//! part of the rest as large as its speed, and never more than half of that, so that what is dealt
//! gets smaller as the end comes near and all processes end together, however unequal they or the
//! tiles are. Numbers are dealt ascending, and taken so in each process: thus the lowest tile that
//! a writer may wait for is always in somebody's hand with all before it written, and somebody has
//! a credit for it.
//!
//! Who takes a tile decides nothing but who does the work.
//!
//! | file | what it has |
//! |---|---|
//! | `stack` | what all processes know of a `Read`'s tiles |
//! | `hand` | the tiles that one process may take |
//! | `dealer` | the tiles that no process has yet, in the launcher |
mod dealer;
mod hand;
mod stack;

pub use dealer::Dealer;
pub use hand::{Hand, Seat, Taken};
pub use stack::{Shape, Stack, stacks};

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A process asks for more tiles.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    /// The `Read`, by its position in the plan.
    pub read: usize,
    /// Tiles a second that it takes, of late; 0 if that is not known yet.
    pub rate: f64,
    /// Tiles that it takes while it waits for an answer.
    pub pace: u64,
}

/// What it gets: the tiles with these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deal {
    /// The `Read`.
    pub read: usize,
    /// The first number.
    pub first: u64,
    /// The number behind the last.
    pub end: u64,
    /// Whether there are no others.
    pub last: bool,
}

/// Asks the launcher; what it answers goes to [`crate::Watch::dealt`].
#[derive(Clone)]
pub struct Asking(Arc<dyn Fn(Ask) + Send + Sync>);

impl Asking {
    /// Whatever brings an [`Ask`] to a [`Dealer`].
    pub fn new(ask: impl Fn(Ask) + Send + Sync + 'static) -> Asking {
        Asking(Arc::new(ask))
    }

    fn ask(&self, ask: Ask) {
        (self.0)(ask);
    }
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Asking")
    }
}
