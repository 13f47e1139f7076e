//! `run`: runs a pipeline.
use super::{Act, End};
use crate::job::Job;
use crate::machine::{self, Cores, MemoryLimit};
use crate::numbers::{bytes, count};
use crate::pipeline::{self, PipelineArgs};
use crate::profile::{Profiled, Target};
use crate::progress::{Progress, Style};
use crate::report::Report;
use crate::run::{alone, print, refuse_for_memory, tiles, together};
use crate::signals::Signals;
use clap::{Parser, ValueEnum};
use plan::Plan;
use std::num::NonZeroUsize;
use std::time::Instant;

/// Runs a pipeline
///
/// Results go to standard output, all else to standard error.
/// Exit codes: 0 done, 1 an output could not be written, 2 mistakes in the pipeline, 3 bad data,
/// 4 a process was lost, 5 not enough memory, 130 and 143 interrupted.
#[derive(Parser)]
#[command(name = "run")]
pub struct Run {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Threads in each process [default: all cores that the job may use, shared by its processes]
    #[arg(short = 'w', long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Processes on this machine
    #[arg(short = 'n', long, value_name = "N", default_value = "1")]
    processes: NonZeroUsize,
    /// How results are printed
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// How progress is shown
    #[arg(long, value_enum, default_value = "auto")]
    progress: Style,
    /// Says nothing but results and errors
    #[arg(short, long)]
    quiet: bool,
    /// Writes what the time went into: a trace for ui.perfetto.dev (.json) or a page (.html)
    #[arg(long, value_name = "FILE", value_parser = Target::parse)]
    profile: Option<Target>,
}

/// How results are printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables for people
    Table,
    /// One JSON object; not-a-number and infinities are the strings "nan", "inf" and "-inf"
    Json,
}

impl Act for Run {
    fn act(self) -> Result<(), End> {
        let start = Instant::now();
        let signals = Signals::watch()?;
        let cores = machine::cores();
        let processes = self.processes.get();
        let threads = self.threads.map_or((cores.count / processes).max(1), NonZeroUsize::get);
        let job = Job { profile: self.profile.is_some(), ..self.pipeline.job(threads)? };
        let plan = pipeline::load(&job)?;
        let limit = machine::memory(cores.count);
        let shape = Shape { threads, processes, cores, limit };
        if !self.quiet {
            eprintln!("{}", shape.line(&plan));
        }
        refuse_for_memory(&plan.physical, threads, processes, shape.limit.as_ref())?;
        let style = if self.quiet { Style::None } else { self.progress };
        let mut progress = Progress::new(style, tiles(&plan.physical));
        let report = run(&job, &plan, processes, &signals, &mut progress, start)?;
        if !self.quiet {
            report.notes().iter().for_each(|line| eprintln!("{line}"));
        }
        print(&match self.format {
            Format::Table => report.tables(),
            Format::Json => report.json() + "\n",
        });
        if let Some(target) = &self.profile {
            let Report { summary, profiles, .. } = &report;
            target.write(&Profiled { title: &plan.title, summary, profiles })?;
            if !self.quiet {
                eprintln!("wrote {}", target.path().display());
            }
        }
        Ok(())
    }
}

fn run(
    job: &Job,
    plan: &Plan,
    processes: usize,
    signals: &Signals,
    progress: &mut Progress,
    start: Instant,
) -> Result<Report, End> {
    Ok(match processes {
        1 => alone(job, &plan.physical, signals, progress, start)?,
        n => together(job, &plan.physical, n, signals, progress, start)?,
    })
}

/// How a run is spread, and over what.
struct Shape {
    threads: usize,
    processes: usize,
    cores: Cores,
    limit: Option<MemoryLimit>,
}

impl Shape {
    /// The first line of a run.
    fn line(&self, plan: &Plan) -> String {
        let need = plan.physical.memory.process(self.threads as u64) * self.processes as u64;
        let memory = match &self.limit {
            Some(limit) => format!("{} of {}", bytes(need), bytes(limit.bytes)),
            None => bytes(need),
        };
        format!(
            "tidemill {}: {} · {} ({}: {}) · {} · {} · {memory}",
            env!("CARGO_PKG_VERSION"),
            plan.title,
            count(self.threads as u64, "thread"),
            count(self.cores.count as u64, "core"),
            self.cores.by,
            count(self.processes as u64, "process"),
            count(tiles(&plan.physical), "tile"),
        )
    }
}
