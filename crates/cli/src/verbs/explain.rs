//! `explain`: how a pipeline would run.
use super::{Act, End};
use crate::budget::MemoryArgs;
use crate::job::Job;
use crate::machine;
use crate::numbers::bytes;
use crate::pipeline::{self, PipelineArgs};
use crate::say::print;
use crate::state;
use base::Failure;
use clap::Parser;
use plan::{Plan, State};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Shows how a pipeline would run: the plan before and after each rewrite, tiles, memory
#[derive(Parser)]
#[command(name = "explain")]
pub struct Explain {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Threads to reckon with [default: all cores that the job may use]
    #[arg(short = 'w', long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    #[command(flatten)]
    memory: MemoryArgs,
    /// Instead: which tiles a run would do, and why, as the ledger of earlier runs has it
    #[arg(long, conflicts_with_all = ["dot", "mermaid"])]
    ledger: bool,
    /// The folder of the ledger [default: .tidemill/NAME beside the first output]
    #[arg(long, value_name = "DIR", requires = "ledger")]
    state: Option<PathBuf>,
    /// As a drawing for Graphviz
    #[arg(long, conflicts_with = "mermaid")]
    dot: bool,
    /// As a drawing for Mermaid
    #[arg(long)]
    mermaid: bool,
}

impl Act for Explain {
    fn act(self) -> Result<(), End> {
        let threads = self.threads.map_or_else(|| machine::cores().count, NonZeroUsize::get);
        let mut job = self.pipeline.job(threads)?;
        // Nothing is written, so what is there already is not in the way.
        job.dry = true;
        if self.ledger {
            job.state = self.state.map_or(State::Beside, State::In);
            return Ok(print(&state::explain(&job)?)?);
        }
        let plan = pipeline::load(&job)?;
        Ok(print(&match (self.dot, self.mermaid) {
            (true, _) => plan::dot(&plan.physical),
            (_, true) => plan::mermaid(&plan.physical),
            _ => plan::explain(&plan, threads as u64) + &spills(&self.memory, &plan, &job)?,
        })?)
    }
}

/// What happens to rows and groups that do not fit.
fn spills(memory: &MemoryArgs, plan: &Plan, job: &Job) -> Result<String, Failure> {
    let budget = memory.budget(1);
    if plan.physical.memory.stages == 0 {
        return Ok(String::new());
    }
    let folder = budget.folder(job.out.as_deref())?.folder;
    let state = budget.state(&plan.physical, job.threads);
    Ok(format!("  rows and groups beyond {} go to {}\n", bytes(state), folder.display()))
}
