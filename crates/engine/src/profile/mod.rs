//! What a run is made of: time, rows and bytes of each operator in each worker, and when it ran.
//!
//! | file | what it does |
//! |---|---|
//! | `meter` | what an operator counts with; does nothing unless the run is profiled |
//! | `recorder` | what one worker has counted |
//! | `spans` | when operators ran: bounded, however long the run is |
mod meter;
mod recorder;
mod spans;

pub use meter::Meter;
pub use recorder::{Recorder, Turn};
pub use spans::Span;

use plan::physical::{Node, Op, Reduce};
use serde::{Deserialize, Serialize};

/// What one process has measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The time 0 of the workers, in microseconds since 1970.
    pub origin: u64,
    /// The operators, the same in all workers and processes.
    pub operators: Vec<Operator>,
    /// The workers of this process.
    pub workers: Vec<Worker>,
}

/// An operator of the dataflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// The step that it is for.
    pub step: String,
    /// What it does: `read`, `apply`, `fold`, `send` …
    pub kind: String,
}

impl Operator {
    /// Whether it moves tiles to other workers and does nothing else.
    pub fn exchanges(&self) -> bool {
        matches!(self.kind.as_str(), SEND | RECEIVE)
    }
}

/// What one worker has measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Worker {
    /// Which one it is among all workers of all processes.
    pub index: usize,
    /// When it began and ended, in nanoseconds after the profile's origin.
    pub start: u64,
    /// See `start`.
    pub end: u64,
    /// For each operator.
    pub counts: Vec<Counts>,
    /// Nanoseconds in which no operator had anything to do: waiting for tiles, credits, others.
    pub wait: u64,
    /// Nanoseconds between operators: timely's own work.
    pub engine: u64,
    /// When operators ran, ascending, one after the other.
    pub spans: Vec<Span>,
    /// If there were too many: nanoseconds within which spans of an operator were merged into
    /// one. 0 if none were.
    pub grain: u64,
}

/// What an operator has done in one worker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Time in it.
    pub nanoseconds: u64,
    /// How often it was called.
    pub activations: u64,
    /// What came in.
    pub taken: Amount,
    /// What went out.
    pub given: Amount,
}

/// Some tiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// How many.
    pub tiles: u64,
    /// Their points or rows.
    pub rows: u64,
    /// Bytes of memory of their columns.
    pub bytes: u64,
}

impl Amount {
    /// One tile of so many rows and bytes.
    pub fn tile(rows: usize, bytes: usize) -> Amount {
        Amount { tiles: 1, rows: rows as u64, bytes: bytes as u64 }
    }

    /// Adds some more.
    pub fn add(&mut self, more: Amount) {
        self.tiles += more.tiles;
        self.rows += more.rows;
        self.bytes += more.bytes;
    }
}

const SEND: &str = "send";
const RECEIVE: &str = "receive";

/// The operators of a plan, in the order of its nodes: an `Exchange` has two.
pub fn operators(nodes: &[Node]) -> Vec<Operator> {
    let named = |node: &Node, kind: &str| Operator { step: node.step.clone(), kind: kind.into() };
    let mut list = Vec::new();
    for node in nodes {
        list.push(named(node, kind(&node.op)));
        if matches!(node.op, Op::Exchange(_)) {
            list.push(named(node, RECEIVE));
        }
    }
    list
}

/// The position in [`operators`] of a node's operator, the first one of an `Exchange`.
fn position(nodes: &[Node], node: usize) -> usize {
    node + nodes[..node].iter().filter(|n| matches!(n.op, Op::Exchange(_))).count()
}

fn kind(op: &Op) -> &'static str {
    match op {
        Op::Read(_) => "read",
        Op::Apply(_) => "apply",
        Op::Partial(Reduce::Fold(_)) => "fold",
        Op::Partial(Reduce::Order(_)) => "sort",
        Op::Exchange(_) => SEND,
        Op::Final(_) => "merge",
        Op::Split(_) => "split",
        Op::Assemble(_) => "assemble",
        Op::Concat(_) => "concat",
        Op::Join(_) | Op::Match(_) | Op::Overlay(_) => "join",
        Op::Ask(_) => "ask",
        Op::Find(_) => "find",
        Op::Sample(_) => "sample",
        Op::Deal(_) => "deal",
        Op::Parts(_) => "parts",
        Op::Task(_) => "task",
        Op::Stream(_) => "stream",
        Op::Encode(_) => "encode",
        Op::Write(_) => "write",
        Op::Show(_) => "show",
    }
}
