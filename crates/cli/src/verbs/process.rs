//! `process`, hidden: one of several processes of a run, started by the launcher.
use super::{Act, End};
use crate::job::Job;
use crate::keep;
use crate::outputs::Outputs;
use crate::report::Table;
use crate::run::Part;
use crate::signals::Signals;
use base::{Failure, FailureKind};
use clap::Parser;
use engine::supervisor::{Child, Word};
use engine::{Mesh, Options, Watch};
use serde_json::to_value;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

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
    let plan = job.load()?.0.ok_or_else(|| {
        Failure::data("the inputs have changed while the processes were starting")
    })?;
    let outputs = (assignment.index == 0).then(|| Outputs::of(&plan.physical));
    outputs.iter().try_for_each(Outputs::create)?;
    let mesh = Mesh {
        index: assignment.index,
        processes: assignment.processes,
        sockets: child.link(job.threads, plan.physical.hash)?,
        asking: Child::asking(),
    };
    let options = Options {
        mesh: Some(mesh),
        profile: job.profile,
        // The launcher knows when to wait no longer.
        grace: Duration::MAX,
        ..Options::of(&plan.physical, job.threads)
    };
    let tally = engine::run(Arc::new(plan.physical), options, watch.clone())?;
    let table = |(n, s, b): &(String, _, Vec<_>)| Table::new(n, s, b).encode();
    let first = assignment.index == 0;
    let tables = if first { tally.results.iter().map(table).collect() } else { Vec::new() };
    let part = Part { tables, seconds: tally.seconds, tiles: tally.tiles, profile: tally.profile };
    child.finish(to_value(part).map_err(internal)?, || {
        let written = match outputs {
            Some(outputs) if !job.discard => outputs.commit()?,
            _ => Vec::new(),
        };
        to_value(written).map_err(internal)
    })
}

fn internal(error: impl Display) -> Failure {
    Failure::internal(error.to_string())
}
