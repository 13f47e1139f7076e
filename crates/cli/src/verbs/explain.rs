//! `explain`: how a pipeline would run.
use super::{Act, End};
use crate::machine;
use crate::pipeline::{self, PipelineArgs};
use crate::run::print;
use clap::Parser;
use std::num::NonZeroUsize;

/// Shows how a pipeline would run: the plan before and after each rewrite, tiles, memory
#[derive(Parser)]
#[command(name = "explain")]
pub struct Explain {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Threads to reckon with [default: all cores that the job may use]
    #[arg(short = 'w', long, value_name = "N")]
    threads: Option<NonZeroUsize>,
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
        job.overwrite = true;
        let plan = pipeline::load(&job)?;
        print(&match (self.dot, self.mermaid) {
            (true, _) => plan::dot(&plan.physical),
            (_, true) => plan::mermaid(&plan.physical),
            _ => plan::explain(&plan, threads as u64),
        });
        Ok(())
    }
}
