//! From a look at the files to outputs that are up to date.
use super::anew::Anew;
use super::reductions::Reductions;
use super::scan::{Stamp, fresh, readers, scan, settled};
use super::shown::Shown;
use super::task::{Next, Runnable, Task};
use crate::numbers::{bytes, count, time};
use crate::outputs::Outputs;
use crate::report::{Report, Table, warnings};
use arrow_array::RecordBatch;
use base::{Failure, Schema, Span, Warning};
use engine::incremental::{Kept, Split};
use engine::ledger::input_print;
use plan::physical::{Op, Physical};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Time between two looks at signals.
const GLANCE: Duration = Duration::from_millis(50);

/// Why a keeper has ended, if not by a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The pipeline file has been changed.
    Pipeline,
    /// The files that are there now need another plan.
    Plan,
}

/// Keeps the outputs of one plan up to date.
pub struct Keeper<'a> {
    task: Task<'a>,
    physical: Arc<Physical>,
    reads: Vec<usize>,
    way: Way,
    /// The pipeline file, as it was.
    pipeline: Option<Stamp>,
    /// Whether it has been told that no more is noted.
    warned: bool,
}

/// What is done at a change.
enum Way {
    /// All of the plan is run.
    Anew(Anew),
    /// Reductions take what has changed.
    Kept(Box<Reductions>),
}

impl<'a> Keeper<'a> {
    /// For a plan and, if its reductions are kept up to date, what keeps them.
    pub fn new(task: Task<'a>, physical: Arc<Physical>, kept: Option<Kept>) -> Keeper<'a> {
        Keeper {
            task,
            reads: readers(&physical),
            way: match kept {
                Some(kept) => Way::Kept(Box::new(Reductions::new(physical.clone(), kept))),
                None => Way::Anew(Anew::default()),
            },
            physical,
            pipeline: input_print(Path::new(&task.job.name)),
            warned: false,
        }
    }

    /// What is kept up to date, for the first line.
    pub fn promise(physical: &Physical) -> String {
        let files = count(scan(physical, &readers(physical)).len() as u64, "file");
        match Split::of(physical) {
            Ok(split) => {
                let mut steps: Vec<String> =
                    split.steps(physical).iter().map(|step| format!("`{step}`")).collect();
                steps.dedup();
                format!("{files}, of which {} is kept up to date", steps.join(", "))
            }
            Err(why) => format!("{files}; a change runs the whole pipeline: {why}"),
        }
    }

    /// Keeps outputs up to date until something ends it.
    ///
    /// # Errors
    /// A signal, workers that have failed, or changes that cannot be told.
    pub fn keep(&mut self) -> Result<Ended, Failure> {
        let mut first = true;
        loop {
            if let Some(ended) = self.look(first)? {
                return Ok(ended);
            }
            first = false;
            let start = Instant::now();
            while start.elapsed() < self.task.how.every {
                let stopped = || self.kept().and_then(Kept::stopped);
                if let Some(failure) = self.task.signals.failure().or_else(stopped) {
                    return Err(failure);
                }
                thread::sleep(GLANCE.min(self.task.how.every));
            }
            if input_print(Path::new(&self.task.job.name)) != self.pipeline {
                return Ok(Ended::Pipeline);
            }
        }
    }

    /// What keeps reductions, if any are kept.
    fn kept(&self) -> Option<&Kept> {
        match &self.way {
            Way::Kept(reductions) => Some(reductions.kept()),
            Way::Anew(_) => None,
        }
    }

    /// Looks at the files once, and does what there is to do.
    fn look(&mut self, first: bool) -> Result<Option<Ended>, Failure> {
        let look = || scan(&self.physical, &self.reads);
        let found = look();
        let differs = first
            || match &self.way {
                Way::Kept(reductions) => reductions.differs(&found),
                Way::Anew(anew) => anew.differs(&found),
            };
        if !differs {
            return Ok(None);
        }
        let (found, changing) = match first {
            true if fresh(&found) => settled(look, found, Duration::ZERO),
            true => (found, Vec::new()),
            false => settled(look, found, self.task.how.settle),
        };
        let start = Instant::now();
        let next = match &mut self.way {
            Way::Kept(reductions) => reductions.update(&self.task, &found, &changing)?,
            Way::Anew(anew) => anew.update(&self.task, found),
        };
        let (runnable, words) = match next {
            Next::Wait => return Ok(None),
            Next::Replan => return Ok(Some(Ended::Plan)),
            Next::Run(runnable, words) => (runnable, words),
        };
        let plan = runnable.0.clone();
        match self.publish(runnable) {
            Ok(tables) => self.tell(&plan, &tables)?,
            Err(failure) if self.task.signals.failure().is_some() => return Err(failure),
            Err(failure) => self.task.complain(&failure),
        }
        self.report(&words, start.elapsed(), first);
        Ok(None)
    }

    /// Runs a plan, and gives its outputs their names.
    fn publish(
        &self,
        (plan, options): Runnable,
    ) -> Result<Vec<(String, Schema, Vec<RecordBatch>)>, Failure> {
        let outputs = Outputs::of(&plan);
        outputs.create()?;
        let book = match &self.way {
            Way::Anew(anew) => anew.book(),
            Way::Kept(_) => None,
        };
        let tally = crate::run::on_threads(&plan, options, book, self.task.signals, &mut |_| ())?;
        match self.kept() {
            Some(kept) => drop(kept.commit(&plan)?),
            None => drop(outputs.commit()?),
        }
        let mut met = self.kept().map(Kept::warnings).unwrap_or_default();
        Warning::merge(&mut met, tally.warnings);
        let source = self.task.job.source();
        for warning in met.iter().filter(|warning| !plan.allow.contains(&warning.code)) {
            let line = warnings::line(&warning.diagnostic(Span::default()), &source);
            self.task.console.note(&line);
        }
        Ok(tally.results)
    }

    /// Tells results, or what has changed in them.
    fn tell(
        &self,
        plan: &Physical,
        tables: &[(String, Schema, Vec<RecordBatch>)],
    ) -> Result<(), Failure> {
        let Task { how, console, .. } = self.task;
        if how.changes {
            return console.tables(tables.iter().map(Shown::of).collect::<Result<_, _>>()?);
        }
        let tables = Table::all(plan, tables);
        console.print(&Report { tables, ..Report::default() }.tables())
    }

    /// Tells what was done, and in what time.
    fn report(&mut self, words: &str, took: Duration, first: bool) {
        let kept = self.kept();
        if !self.task.how.quiet {
            let kept = kept.filter(|_| first).map_or(String::new(), |k| match k.on_disk() {
                0 => format!(", {} kept", bytes(k.bytes())),
                disk => format!(", {} kept and {} on disk", bytes(k.bytes()), bytes(disk)),
            });
            let time = time(took.as_secs_f64());
            self.task.console.note(&format!("{words}: up to date in {time}{kept}"));
        }
        if let Some(why) = kept.and_then(Kept::unnoted).filter(|_| !self.warned) {
            self.warned = true;
            let warning = format!("warning: no more is noted in the ledger: {why}");
            self.task.console.note(&warning);
        }
    }
}

/// About how many files a plan reads.
pub fn files(physical: &Physical) -> usize {
    let files = |node: &plan::physical::Node| match &node.op {
        Op::Read(read) => read.files.as_ref().map_or(0, |files| files.files().len()),
        _ => 0,
    };
    physical.nodes.iter().map(files).max().unwrap_or(0)
}
