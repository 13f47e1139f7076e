//! `process`, hidden: one of several processes of a run, started by the launcher.
use super::{Act, End};
use crate::job::{Job, now};
use crate::keep;
use crate::outputs::Told;
use crate::report::Table;
use crate::report::warnings::Met;
use crate::run::{Part, staged};
use crate::state::State;
use base::{Failure, FailureKind};
use clap::Parser;
use engine::ledger::Inputs;
use engine::supervisor::{Child, Word};
use engine::{Mesh, Options, Watch, panics};
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
        let watch = Arc::new(Watch::new());
        let child = Child::begin(&watch)?;
        panics::catch(|| work(&child, &watch)).map_err(|failure| {
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
    child.beat(move || seen.done());
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
    child.planned();
    let state = State::join(&job, &plan.physical, loaded)?;
    let inputs = match &state {
        Some(state) => state.survey.inputs.clone(),
        None => Inputs::now(&plan.physical)?,
    };
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
    let physical = Arc::new(physical);
    let tally = engine::run_noting(physical.clone(), options, watch.clone(), book.clone())?;
    // Each process looks at what it has read, and the outputs get their names when all have looked.
    inputs.check()?;
    let tables = match assignment.index {
        0 => Table::all(&physical, &tally.results).iter().map(Table::encode).collect(),
        _ => Some(Vec::new()),
    };
    let tables = tables.ok_or_else(|| internal("results cannot be sent to the launcher"))?;
    let part = Part {
        tables,
        seconds: tally.seconds,
        tiles: tally.tiles,
        spilled: tally.spilled,
        profile: tally.profile,
        warnings: tally.warnings.iter().map(Met::of).collect(),
    };
    let (part, told) = (to_value(part).map_err(internal)?, Told::of(&physical));
    child.finish(part, to_value(told).map_err(internal)?, |told| {
        for told in told {
            serde_json::from_value::<Told>(told).map_err(internal)?.hear(&physical);
        }
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
