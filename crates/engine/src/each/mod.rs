//! A small pipeline for each row: runs what `plan::each` has planned.
//!
//! | file | what it is for |
//! |---|---|
//! | `alone` | a plan in the calling thread, a tile after the other |
//! | `reader` | the tiles of a row |
//! | `written` | outputs of a row: made before it, named after it |
//! | `answer` | what came of some rows, together |
//! | here | the work: rows by the plan for all of them, or by one of their own |
mod alone;
mod answer;
mod reader;
#[cfg(test)]
mod tests;
mod written;

use crate::options::Options;
use crate::panics::{self, Role, catch};
use crate::run::run;
use crate::spill::Budget;
use crate::watch::{Watch, lock};
use alone::{Alone, Shown};
use answer::Answers;
use arrow_array::RecordBatch;
use base::{Failure, FailureKind, Field, Warning};
use futures::future::BoxFuture;
use plan::each::{Each, Planned, Session, Template};
use plan::physical::{Node, Op, Physical};
use reader::Tiles;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tasks::{Answer, Key, Made, Rows, Setting, Stop, Work};
use written::{Names, Outputs};

/// Points that one start should have, if rows are so small: then its own cost does not show.
const POINTS: u64 = 1 << 16;
/// Rows of so many points are worth several threads.
const LARGE: u64 = 1 << 22;
/// How often a row with a run of its own looks whether it is to end.
const LOOK: Duration = Duration::from_millis(20);
/// The most rows of one start.
const MOST: u64 = 256;

/// Runs a small pipeline for each row.
pub struct EachWork {
    each: Arc<Each>,
    budget: Arc<Budget>,
    /// Names that rows have written to.
    names: Names,
    met: Mutex<Vec<Warning>>,
    batch: usize,
    /// Threads of the process for all rows together, and starts that run.
    threads: usize,
    busy: AtomicUsize,
    /// Whether rows may use the plan for all of them; tests compare both ways.
    planned_once: bool,
}

impl EachWork {
    /// What its steps hold is a part of the budget of the process.
    pub fn new(each: Arc<Each>, budget: Arc<Budget>, threads: usize) -> EachWork {
        let points = each.template.as_ref().and_then(Template::points);
        let batch = points.map_or(1, |points| (POINTS / points.max(1)).clamp(1, MOST));
        let (names, met) = (Names::default(), Mutex::default());
        let (batch, busy) = (batch as usize, AtomicUsize::new(0));
        EachWork { each, budget, names, met, batch, threads, busy, planned_once: true }
    }

    fn rows(&self, rows: &Rows, stop: &Stop) -> Answer {
        panics::install();
        panics::enter(Role::Worker);
        let watch = Arc::new(Watch::new());
        let options = self.each.options_of_a_row();
        let template = self.each.template.as_ref().filter(|_| self.planned_once);
        let mut fast = template.map(|t| (self.each.session(t, &options, &rows.batch), t, None));
        let mut answers = Answers::new(&self.each.fields, self.each.one);
        for at in rows.first..rows.first + rows.count {
            if *stop.borrow() {
                answers.failed("stopped".to_owned());
                continue;
            }
            let made = catch(|| {
                if let Some((session, template, alone)) = &mut fast
                    && let Some(made) =
                        self.by_template(session, template, alone, (at, &watch, stop))?
                {
                    return Ok(made);
                }
                self.by_own_plan(&rows.batch, at, &watch, stop)
            });
            match made.and_then(|(shown, made)| answers.row(shown, made)) {
                Ok(()) => {}
                Err(failure) => {
                    // What it was in the middle of is not gone on with.
                    fast.iter_mut().for_each(|(_, _, alone)| *alone = None);
                    answers.failed(sentence(&failure));
                }
            }
        }
        Warning::merge(&mut lock(&self.met), watch.take_warnings());
        answers.answer()
    }

    /// A row by the plan for all of them; `None` if it needs one of its own.
    fn by_template(
        &self,
        session: &mut Session,
        template: &Template,
        alone: &mut Option<Alone>,
        (at, watch, stop): (usize, &Arc<Watch>, &Stop),
    ) -> Result<Option<(Shown, Vec<Made>)>, Failure> {
        let Some(moved) = session.row(at).map_err(Failure::data)? else { return Ok(None) };
        watch.warn(moved.warnings.iter().cloned());
        let outputs = Outputs::create(&moved.sinks, &self.names)?;
        let nodes = &template.physical.nodes;
        let alone = match alone {
            Some(alone) => alone,
            None => alone.insert(Alone::new(nodes, watch, &self.budget, stop)),
        };
        let mut sinks = template.sinks.iter().copied().zip(moved.sinks.iter().cloned());
        alone.begin(nodes, &moved.row, &mut sinks)?;
        let tiles = Tiles::of(template, &moved)?;
        let shown = alone.run(nodes, template.read, tiles)?;
        Ok(Some((shown, outputs.commit()?)))
    }

    /// How many threads share the tiles of a row: where it is large, those that no other row has.
    fn threads_for(&self, physical: &Physical) -> usize {
        let read = |node: &Node| match &node.op {
            Op::Read(read) => (read.tiling.points(), read.tiling.count()),
            _ => (0, 0),
        };
        let sum = |(a, b): (u64, u64), (c, d)| (a.saturating_add(c), b.saturating_add(d));
        let (points, tiles) = physical.nodes.iter().map(read).fold((0, 0), sum);
        if points < LARGE {
            return 1;
        }
        let idle = self.threads / self.busy.load(Relaxed).max(1);
        idle.clamp(1, usize::try_from(tiles).unwrap_or(usize::MAX).max(1))
    }

    /// A row by a plan of its own.
    fn by_own_plan(
        &self,
        batch: &RecordBatch,
        at: usize,
        watch: &Arc<Watch>,
        stop: &Stop,
    ) -> Result<(Shown, Vec<Made>), Failure> {
        let planned = self.each.plan(batch, at).map_err(Failure::data)?;
        let Planned { physical, warnings, .. } = planned;
        watch.warn(warnings);
        let sinks = written::sinks(&physical);
        let outputs = Outputs::create(&sinks, &self.names)?;
        let threads = self.threads_for(&physical);
        let shown = match alone::fits(&physical.nodes) && threads == 1 {
            true => {
                let mut alone = Alone::new(&physical.nodes, watch, &self.budget, stop);
                alone.begin(&physical.nodes, &[], &mut std::iter::empty())?;
                alone.whole(&physical.nodes)?
            }
            false => {
                // As many rows as there are threads may run so at once.
                let state = self.budget.limit() / self.threads.max(1) as u64;
                let options = Options { state, ..Options::of(&physical, threads) };
                let own = Arc::new(Watch::new());
                let tally = stoppable(&own, stop, || run(Arc::new(physical), options, own.clone()));
                watch.warn(own.take_warnings());
                tally?.results.into_iter().map(|(_, schema, rows)| (schema, rows)).collect()
            }
        };
        Ok((shown, outputs.commit()?))
    }
}

impl Work for EachWork {
    fn fields(&self) -> &[Field] {
        &self.each.fields
    }

    fn batch(&self) -> usize {
        self.batch
    }

    fn computes(&self) -> bool {
        true
    }

    fn key(&self, rows: &Rows) -> Option<Key> {
        self.each.key(&rows.batch, rows.first..rows.first + rows.count)
    }

    fn begin(&self, setting: Setting) {
        if let Some(is_made) = setting.is_made {
            let made = move |path: &Path| Made::at(path).is_some_and(|file| is_made(&file));
            self.each.may_replace(made);
        }
    }

    fn met(&self) -> Vec<Warning> {
        std::mem::take(&mut *lock(&self.met))
    }

    fn run<'a>(&'a self, rows: Rows, stop: Stop) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            self.busy.fetch_add(1, Relaxed);
            let answer = self.rows(&rows, &stop);
            self.busy.fetch_sub(1, Relaxed);
            answer
        })
    }
}

/// Does something that a watch can end, and has it end when `stop` says so.
fn stoppable<T>(watch: &Watch, stop: &Stop, work: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let look = scope.spawn(|| {
            while !over.load(Relaxed) && !*stop.borrow() {
                std::thread::park_timeout(LOOK);
            }
            if !over.load(Relaxed) {
                watch.fail(Failure::new(FailureKind::Interrupted, "the run has ended"));
            }
        });
        let made = work();
        over.store(true, Relaxed);
        look.thread().unpark();
        made
    })
}

/// A failure with the place of its step before it.
fn sentence(failure: &Failure) -> String {
    match failure.context.is_empty() {
        true => failure.message.clone(),
        false => format!("{}: {}", failure.context.join(", "), failure.message),
    }
}
