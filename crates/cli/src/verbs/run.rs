//! `run`: runs a pipeline.
use super::{Act, End};
use crate::budget::{Budget, MemoryArgs};
use crate::job::Job;
use crate::launch::{Launch, LaunchArgs, Spread};
use crate::machine::{self, Cores, MemoryLimit};
use crate::numbers::{bytes, count};
use crate::pipeline::PipelineArgs;
use crate::profile::{Profiled, Target};
use crate::progress::{Progress, Style};
use crate::report::{Report, Summary, Table, warnings};
use crate::run::{Stops, alone, refuse_for_memory, tiles, together};
use crate::say;
use crate::signals::Signals;
use crate::spread::{Led, follow, lead};
use crate::state::{self, Begun, State};
use base::{Failure, FailureKind, Warning};
use clap::{Parser, ValueEnum};
use engine::supervisor::{Group, turn_away};
use plan::Plan;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
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
    #[command(flatten)]
    launch: LaunchArgs,
    #[command(flatten)]
    memory: MemoryArgs,
    /// How results are printed
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// How progress is shown
    #[arg(long, value_enum, default_value = "auto")]
    progress: Style,
    /// Says nothing but results and errors
    #[arg(short, long)]
    quiet: bool,
    /// Where the run keeps its ledger of what is done [default: .tidemill/NAME beside the first
    /// output, NAME its name]
    #[arg(long, value_name = "DIR", conflicts_with = "no_state")]
    state: Option<PathBuf>,
    /// Keeps no ledger: a run that is ended begins anew
    #[arg(long)]
    no_state: bool,
    /// Starts again so many times, where it had got to, if a process is lost
    #[arg(long, value_name = "N", default_value_t = 0)]
    restarts: u32,
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
        let signals = Signals::watch()?;
        let mut starts = 0;
        let done = loop {
            starts += 1;
            match self.work(&signals, Instant::now()) {
                Err(End::Failure(failure)) if self.again(&failure, starts) => {
                    let of = self.restarts;
                    say::warning(&format!("{failure}: start {starts} of {of} again"));
                }
                done => break done?,
            }
        };
        let Some((plan, state, mut report)) = done else { return Ok(()) };
        if let Some(state) = state {
            state.complete(&mut report)?;
            // What they would have left out is only of no use.
            drop(state.unstage());
            if !state.survey.is_done() {
                drop(state.tidy());
            }
        }
        Warning::merge(&mut report.met, report.tables.iter().filter_map(Table::warning));
        report.warnings = warnings::of(&plan, &report.met);
        self.tell(&plan, &report)
    }
}

impl Run {
    /// Whether a run that ended like this is started again: a lost process says nothing against
    /// the pipeline or its data.
    fn again(&self, failure: &Failure, starts: u32) -> bool {
        failure.kind == FailureKind::Peer && starts <= self.restarts
    }

    /// Runs it, in this process or in several; `None` if another launcher reports.
    fn work(&self, signals: &Signals, start: Instant) -> Result<Option<Done>, End> {
        signals.end();
        let stops = Stops { signals, grace: self.launch.grace };
        let cores = machine::cores();
        let asked = self.threads.map(NonZeroUsize::get);
        let state = match (self.no_state, &self.state) {
            (true, _) => plan::State::Nowhere,
            (false, None) => plan::State::Beside,
            (false, Some(folder)) => plan::State::In(folder.clone()),
        };
        let job = self.pipeline.clone().job(1)?;
        let mut job = Job { profile: self.profile.is_some(), state, ..job };
        let folder = self.pipeline.out.as_deref().filter(|out| out.is_dir());
        match self.launch.launch(&job.key(), folder.unwrap_or(Path::new(".")))? {
            Launch::Here(processes) => {
                job.threads = asked.unwrap_or((cores.count / processes).max(1));
                job.budget = self.memory.budget(processes);
                let Begun { plan, inputs, mut state } = state::begin(&mut job)?;
                let shape = Shape::new(&job, processes, cores, None);
                let mut progress = self.begin(&job, &shape, &plan, &mut state)?;
                let physical = state.as_ref().map_or(&plan.physical, |s| &s.survey.physical);
                let group = Group::here(processes);
                signals.begin();
                let report = match processes {
                    _ if state.as_ref().is_some_and(|s| s.survey.is_done()) => shape.nothing(start),
                    1 if self.restarts == 0 => alone(
                        &job,
                        (physical, &inputs),
                        state.as_ref(),
                        &stops,
                        &mut progress,
                        start,
                    )?,
                    _ => {
                        let state = state.as_ref();
                        together(&job, physical, state, group, &stops, &mut progress, start)?
                    }
                };
                Ok(Some((plan, state, report)))
            }
            Launch::Spread(spread) if spread.ranks.rank > 0 => {
                signals.begin();
                follow(&spread, &job, asked, signals)?;
                Ok(None)
            }
            Launch::Spread(spread) => {
                signals.begin();
                let said = job.clone();
                let mut state = None;
                let load = || {
                    let begun = signals.promptly(|| state::begin(&mut job))?;
                    state = begun.state;
                    Ok(begun.plan)
                };
                let Led { plan, group, threads } = lead(&spread, &said, asked, signals, load)?;
                job.threads = threads;
                job.budget = self.memory.budget(spread.ranks.local.unwrap_or(1));
                let shape = Shape::new(&job, spread.ranks.size, cores, Some(&spread));
                let mut progress = match self.begin(&job, &shape, &plan, &mut state) {
                    Ok(progress) => progress,
                    Err(failure) => {
                        turn_away(group.joined, &failure);
                        return Err(failure.into());
                    }
                };
                let physical = state.as_ref().map_or(&plan.physical, |s| &s.survey.physical);
                let known = state.as_ref();
                let report = together(&job, physical, known, group, &stops, &mut progress, start)?;
                Ok(Some((plan, state, report)))
            }
        }
    }

    /// Prints results, and says what else came out.
    fn tell(&self, plan: &Plan, report: &Report) -> Result<(), End> {
        if !self.quiet {
            for warning in &report.warnings {
                say::line(&warnings::line(warning, &plan.source));
            }
            report.notes().iter().for_each(|line| say::line(line));
        }
        let printed = match self.format {
            Format::Table => say::print(&report.tables()),
            Format::Json => say::print_through(|out| report.json(&plan.source, out)),
        };
        if let Some(target) = &self.profile {
            let Report { summary, profiles, .. } = report;
            let text = target.text(&Profiled { title: &plan.title, summary, profiles });
            target.file(self.pipeline.overwrite).write(&text)?;
            if !self.quiet {
                say::line(&format!("wrote {}", target.path().display()));
            }
        }
        Ok(printed?)
    }

    /// Says how the run is spread, unless it needs more memory than there is.
    fn begin(
        &self,
        job: &Job,
        shape: &Shape,
        plan: &Plan,
        state: &mut Option<State>,
    ) -> Result<Progress, Failure> {
        if let Some(target) = &self.profile {
            target.file(self.pipeline.overwrite).check(job, &plan.physical)?;
        }
        if !self.quiet {
            say::line(&shape.line(plan));
            state.as_ref().and_then(State::line).iter().for_each(|line| say::line(line));
        }
        let done = state.as_ref().is_some_and(|state| state.survey.is_done());
        if !done {
            let limit = shape.limit.as_ref();
            refuse_for_memory(&plan.physical, shape.threads, job.budget.here, limit)?;
            let choice = job.budget.folder(job.out.as_deref())?;
            if choice.in_memory && plan.physical.memory.stages > 0 && !self.quiet {
                say::line(&format!(
                    "warning: {} is in memory: rows and groups that do not fit stay there; name a \
                     folder on a disk with --spill",
                    choice.folder.display()
                ));
            }
            state.as_mut().map_or(Ok(()), |state| state.make_sure())?;
        }
        let style = if self.quiet || done { Style::None } else { self.progress };
        let tiles = state.as_ref().map_or_else(|| tiles(&plan.physical), |s| s.survey.tiles_left());
        Ok(Progress::of(style, &plan.physical, tiles))
    }
}

/// A run that has ended well: its plan, its state if it keeps one, and what came out.
type Done = (Plan, Option<State>, Report);

/// How a run is spread, and over what.
struct Shape {
    threads: usize,
    processes: usize,
    budget: Budget,
    cores: Cores,
    limit: Option<MemoryLimit>,
    /// Who started the processes, if it was not this launcher.
    by: String,
}

impl Shape {
    fn new(job: &Job, processes: usize, cores: Cores, spread: Option<&Spread>) -> Shape {
        let (threads, budget, limit) = (job.threads, job.budget.clone(), job.budget.limit());
        let by = spread.map_or(String::new(), |s| {
            format!(" ({}: this is process {} on {})", s.ranks.by, s.ranks.rank, s.host)
        });
        Shape { threads, processes, budget, cores, limit, by }
    }

    /// The report of a run that found all done.
    fn nothing(&self, start: Instant) -> Report {
        let startup_seconds = start.elapsed().as_secs_f64();
        let (workers, processes) = (self.threads * self.processes, self.processes);
        let summary = Summary { workers, processes, startup_seconds, ..Summary::default() };
        Report { summary, ..Report::default() }
    }

    /// What the run needs, of what there is. More than there is it gets on disk, or not at all.
    fn memory(&self, plan: &Plan) -> String {
        let (memory, threads) = (&plan.physical.memory, self.threads as u64);
        let here = self.budget.here.max(1) as u64;
        let least = memory.least(threads).saturating_mul(here);
        let need = memory.process(threads).saturating_mul(here).max(least);
        let Some(MemoryLimit { bytes: limit, .. }) = self.limit else { return bytes(need) };
        match need <= limit || least > limit {
            true => format!("{} of {}", bytes(need), bytes(limit)),
            false => format!("{} of {} in memory", bytes(limit), bytes(need)),
        }
    }

    /// The first line of a run.
    fn line(&self, plan: &Plan) -> String {
        let memory = self.memory(plan);
        format!(
            "tidemill {}: {} · {} ({}: {}) · {}{} · {} · {memory}",
            env!("CARGO_PKG_VERSION"),
            plan.title,
            count(self.threads as u64, "thread"),
            count(self.cores.count as u64, "core"),
            self.cores.by,
            count(self.processes as u64, "process"),
            self.by,
            count(tiles(&plan.physical), "tile"),
        )
    }
}
