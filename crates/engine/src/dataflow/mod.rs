//! The dataflow of a run: with `incremental` the only part of Tidemill that names timely.
//!
//! | file | what it does |
//! |---|---|
//! | `workers` | starts the workers of this process, runs the dataflow in each, ends them |
//! | `render` | a timely operator for each node, one timestamp for the whole run |
//! | `source` | the tiles of a `Read`: an operator, or for the one stage behind it |
//! | `stage` | the operator of all other nodes: one tile after the other |
//! | `exchange` | the operators of an `Exchange`: send, receive, give credits back |
//! | `packets` | what travels between workers |
mod exchange;
mod packets;
mod render;
mod source;
mod stage;
mod workers;

pub use workers::{NAP, Workers, start, start_with};

use crate::deal::Hand;
use crate::ledger::Book;
use crate::nodes::Shown;
use crate::nodes::ahead::Lookahead;
use crate::nodes::join::Commons;
use crate::options::Place;
use crate::parcel::Item;
use crate::profile::{self, Recorder};
use crate::spill::Budget;
use crate::watch::Watch;
use plan::physical::Physical;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tasks::lane::Limits;
use timely::dataflow::Stream;

/// How the place of a step begins in a failure's context,
const STEP: &str = "step ";
/// and that of a tile.
pub const TILE: &str = "tile ";

/// The one time at which everything happens.
type Time = u64;

/// Tiles on their way inside a worker.
type Items<'scope> = Stream<'scope, Time, Vec<Item>>;

/// What all workers of a process share.
pub struct Job {
    /// What is run.
    pub physical: Arc<Physical>,
    /// Where to count and to fail.
    pub watch: Arc<Watch>,
    /// Where it is noted what is done, if it is.
    pub book: Option<Arc<Book>>,
    /// For each node that is a `Read` the tiles that this process may take.
    pub hands: Arc<Vec<Option<Hand>>>,
    /// For each of them that reads from elsewhere what it has asked for.
    pub ahead: Vec<Option<Lookahead>>,
    /// What `Show` nodes collect.
    pub shown: Shown,
    /// Credits of each `Read` in each worker.
    pub in_flight: usize,
    /// Whether tiles that wait for others give up their credits.
    pub free: bool,
    /// What state may take.
    pub budget: Arc<Budget>,
    /// What the workers have together.
    pub commons: Arc<Commons>,
    /// What programs take.
    pub limits: Arc<Limits>,
    /// Where workers leave what they have measured, if they are to measure.
    pub profile: Option<Measured>,
}

/// What the workers of a process have measured.
pub struct Measured {
    /// Time 0.
    pub origin: Instant,
    /// The workers that have ended.
    pub workers: Mutex<Vec<profile::Worker>>,
}

impl Job {
    /// What a worker measures with, if it is to measure.
    fn recorder(&self, worker: usize) -> Option<Recorder> {
        let operators = profile::operators(&self.physical.nodes).len();
        self.profile.as_ref().map(|measured| Recorder::new(worker, operators, measured.origin))
    }

    /// A failure in a node, with its place: that of the step and of the tile, unless it knows
    /// better.
    fn fail(&self, mut failure: base::Failure, node: usize, number: Option<u64>) {
        let mut known = |what: &str| {
            let at = failure.context.iter().position(|place| place.starts_with(what))?;
            Some(failure.context.remove(at))
        };
        let (step, tile) = (known(STEP), known(TILE));
        let node = &self.physical.nodes[node];
        let mut place = step.unwrap_or_else(|| match node.place.as_str() {
            "" => format!("{STEP}\"{}\"", node.step),
            place => place.to_owned(),
        });
        let number = number.map(|number| format!("{TILE}{number}"));
        if let Some(tile) = tile.or(number).filter(|_| !place.contains(&format!(", {TILE}"))) {
            place = format!("{place}, {tile}");
        }
        self.watch.fail(failure.context(place));
    }
}

/// Which worker a timely worker is.
fn place(worker: &timely::worker::Worker, threads: usize) -> Place {
    Place { worker: worker.index(), workers: worker.peers(), threads }
}
