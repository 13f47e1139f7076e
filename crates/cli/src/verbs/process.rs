//! `process`, hidden: one of several processes of a run, started by the launcher.
use super::{Act, End};
use crate::job::{Job, now};
use crate::keep;
use crate::report::Table;
use crate::report::warnings::Met;
use crate::run::{Part, staged};
use crate::signals::Signals;
use crate::state::State;
use base::{Failure, FailureKind};
use clap::Parser;
use engine::supervisor::{Child, Word};
use engine::{Mesh, Options, Watch};
use serde_json::to_value;
use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The verb's name.
pub const PROCESS_VERB: &str = "process-of-a-run";

/// Does one process's part of a run. For the launcher only
#[derive(Parser)]
#[command(name = PROCESS_VERB, hide = true)]
pub struct Process;

impl Act for Process {
    fn act(self) -> Result<(), End> {
        Signals::ignore()?;
        let watch = Arc::new(Watch::new());
        let child = Child::begin(&watch)?;
        work(&child, &watch).map_err(|failure| {
            let code = failure.kind.exit_code();
            child.say(&match failure.kind {
                FailureKind::Terminated => Word::Drained { tiles: watch.tiles_done() },
                _ => failure.into(),
            });
            End::Told(code)
        })
    }
}

fn work(child: &Child, watch: &Arc<Watch>) -> Result<(), Failure> {
    let seen = watch.clone();
    child.beat(move || seen.tiles_done());
    let assignment = child.assignment();
    let job: Job = serde_json::from_value(assignment.job.clone()).map_err(internal)?;
    if let Some(how) = &job.keep {
        return keep::obey(child, watch, &job, how);
    }
    let loaded = SystemTime::now();
    // The launcher has looked at what is in the way, and a sink looks again.
    let plan = Job { dry: true, ..job.clone() }.load()?.0.ok_or_else(|| {
        Failure::data("the inputs have changed while the processes were starting")
    })?;
    let state = State::join(&job, &plan.physical, loaded)?;
    let physical = state.as_ref().map_or(&plan.physical, |state| &state.survey.physical).clone();
    let digest = state.as_ref().map_or(physical.hash, |state| state.survey.digest());
    let (outputs, book) = match (&state, assignment.index) {
        (_, 0) => {
            let (outputs, book) = staged(&job, &physical, state.as_ref())?;
            (Some(outputs), book)
        }
        (Some(state), index) => (None, Some(state.book(&job, index)?)),
        (None, _) => (None, None),
    };
    let mesh = Mesh {
        index: assignment.index,
        processes: assignment.processes,
        sockets: child.link(job.threads, digest)?,
        asking: Child::asking(),
    };
    let options = Options {
        mesh: Some(mesh),
        profile: job.profile,
        // The launcher knows when to wait no longer.
        grace: Duration::MAX,
        ..Options::of(&physical, job.threads)
    };
    let options = job.budget.options(options, &physical, job.out.as_deref())?;
    let tally = engine::run_noting(Arc::new(physical), options, watch.clone(), book.clone())?;
    let table = |(n, s, b): &(String, _, Vec<_>)| Table::new(n, s, b).encode();
    let first = assignment.index == 0;
    let tables = if first { tally.results.iter().map(table).collect() } else { Vec::new() };
    let part = Part {
        tables,
        seconds: tally.seconds,
        tiles: tally.tiles,
        spilled: tally.spilled,
        profile: tally.profile,
        warnings: tally.warnings.iter().map(Met::of).collect(),
    };
    child.finish(to_value(part).map_err(internal)?, || {
        let written = match outputs {
            Some(outputs) if !job.discard => outputs.commit()?,
            _ => Vec::new(),
        };
        if let Some(book) = book {
            book.end(&tally.results, now());
        }
        to_value(written).map_err(internal)
    })
}

fn internal(error: impl Display) -> Failure {
    Failure::internal(error.to_string())
}
