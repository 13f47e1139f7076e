//! `bench`: how a pipeline's time falls with threads and processes.
use super::{Act, End};
use crate::budget::Budget;
use crate::job::{self, Job};
use crate::machine;
use crate::numbers::{count, time};
use crate::pipeline::{self, PipelineArgs};
use crate::progress::Progress;
use crate::report::Report;
use crate::run::{Stops, alone, refuse_for_memory, together};
use crate::say;
use crate::scaling::{Combination, MARK, Scaling, plot};
use crate::scratch::Scratch;
use crate::side_file::SideFile;
use crate::signals::Signals;
use base::{Failure, FailureKind};
use clap::{Parser, ValueEnum};
use engine::ledger::Inputs;
use engine::supervisor::Group;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Runs a pipeline with several numbers of threads and processes, and compares the times
///
/// Each combination runs several times, all in turn. Outputs go to a temporary folder, whatever
/// their names say, in the current folder or that of `--out`, and are thrown away. The time is that of the work, without starting up; speed-up and
/// efficiency are against the fewest workers; exchange and wait are shares of the workers' time.
/// Exit code 3 if results differ.
#[derive(Parser)]
#[command(name = "bench")]
pub struct Bench {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Numbers of threads in each process [default: 1, 2, 4 … up to the cores that the job may use]
    #[arg(short = 'w', long, value_name = "N,…", value_delimiter = ',')]
    threads: Vec<NonZeroUsize>,
    /// Numbers of processes
    #[arg(short = 'n', long, value_name = "N,…", value_delimiter = ',', default_value = "1")]
    processes: Vec<NonZeroUsize>,
    /// How often each combination runs
    #[arg(long, value_name = "N", default_value = "3")]
    runs: NonZeroUsize,
    /// How times are printed
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Draws the speed-up
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Says nothing but times and errors
    #[arg(short, long)]
    quiet: bool,
}

/// How times are printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for people
    Table,
    /// One JSON object
    Json,
}

impl Act for Bench {
    fn act(self) -> Result<(), End> {
        let signals = Signals::watch()?;
        let cores = machine::cores().count;
        let mut scaling = Scaling { title: String::new(), combinations: self.combinations(cores) };
        let job = self.pipeline.clone().job(1)?;
        let folder = Scratch::new(job.out.as_deref().unwrap_or(Path::new(".")), "bench")?;
        let scratch = Some(folder.path().to_owned());
        let job = Job { profile: true, discard: true, scratch, ..job };
        let plan = pipeline::load(&job)?;
        self.picture().map_or(Ok(()), |file| file.check(&job, &plan.physical))?;
        for c in &scaling.combinations {
            let limit = machine::memory(cores, c.processes);
            refuse_for_memory(&plan.physical, c.threads, c.processes, limit.as_ref())?;
        }
        scaling.title = plan.title;
        for _ in 0..self.runs.get() {
            for combination in &mut scaling.combinations {
                let report = run(&job, combination, &signals)?;
                if !self.quiet {
                    let time = time(report.summary.seconds);
                    say::line(&format!("{}: {time}", spread(combination)));
                }
                combination.add(&report);
            }
        }
        let printed = say::print(&match self.format {
            Format::Table => scaling.table(),
            Format::Json => scaling.json() + "\n",
        });
        self.picture().map_or(Ok(()), |file| file.write(&plot(&scaling)))?;
        printed?;
        match scaling.agrees() {
            true => Ok(()),
            false => Err(Failure::new(FailureKind::Data, "the results differ").into()),
        }
    }
}

impl Bench {
    fn picture(&self) -> Option<SideFile<'_>> {
        let path = self.plot.as_deref()?;
        Some(SideFile { what: "picture", path, mark: MARK, overwrite: self.pipeline.overwrite })
    }

    fn combinations(&self, cores: usize) -> Vec<Combination> {
        let doubled = || {
            let powers = std::iter::successors(Some(1), |n| Some(2 * n));
            powers.take_while(|n| *n <= cores).collect()
        };
        let threads: Vec<usize> = match self.threads.is_empty() {
            true => doubled(),
            false => self.threads.iter().map(|n| n.get()).collect(),
        };
        let with = |n: &NonZeroUsize| {
            let n = n.get();
            threads.iter().map(move |w| Combination::new(*w, n)).collect::<Vec<_>>()
        };
        self.processes.iter().flat_map(with).collect()
    }
}

/// One run; its plan is made anew, since staged outputs have the run's name.
fn run(job: &Job, with: &Combination, signals: &Signals) -> Result<Report, End> {
    let start = Instant::now();
    signals.end();
    let budget = Budget::shared(with.processes);
    let job = Job { run_id: job::new_run_id(), threads: with.threads, budget, ..job.clone() };
    let changed = || Failure::data("the inputs have changed between two runs");
    let physical = job.load()?.0.ok_or_else(changed)?.physical;
    let mut progress = Progress::none();
    let stops = Stops { signals, grace: engine::GRACE };
    signals.begin();
    Ok(match with.processes {
        1 => {
            alone(&job, (&physical, &Inputs::now(&physical)?), None, &stops, &mut progress, start)?
        }
        n => together(&job, &physical, None, Group::here(n), &stops, &mut progress, start)?,
    })
}

fn spread(with: &Combination) -> String {
    let processes = count(with.processes as u64, "process");
    format!("{processes} × {}", count(with.threads as u64, "thread"))
}
