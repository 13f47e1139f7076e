//! `check`: finds all mistakes of pipeline files, and runs nothing.
use super::{Act, End};
use crate::pipeline::{self, PipelineArgs};
use crate::say;
use clap::Parser;

/// Finds all mistakes in a pipeline, and runs nothing
#[derive(Parser)]
#[command(name = "check")]
pub struct Check {
    #[command(flatten)]
    pipeline: PipelineArgs,
}

impl Act for Check {
    fn act(self) -> Result<(), End> {
        let job = self.pipeline.job(1)?;
        pipeline::check(&job)?;
        say::line(&format!("{}: no mistakes", job.name));
        Ok(())
    }
}
