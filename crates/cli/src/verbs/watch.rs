//! `watch`: keeps the outputs of a pipeline up to date while its inputs change.
use super::{Act, End};
use crate::budget::MemoryArgs;
use crate::job::{Job, new_run_id, now};
use crate::keep::{ChangeFormat, Ended, How, Keeper, Task, Terminal, Told, shared, together};
use crate::machine;
use crate::numbers::count;
use crate::pipeline::{self, PipelineArgs};
use crate::say;
use crate::side_file::taken;
use crate::signals::Signals;
use crate::state;
use base::{Failure, FailureKind};
use clap::Parser;
use engine::incremental::{Kept, Ledger, Scale, Split};
use engine::ledger::Lock;
use engine::{Options, Watch as Seen};
use plan::{Plan, State};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Keeps the outputs of a pipeline up to date while its input files come, change and go
///
/// Where reductions take the rows of files, only files that have changed are read again, and only
/// keys that they touch are added up again; all else runs anew. The answer has the bits of a run
/// over the files that are there. A file that is not whole is told and left as it was. Ctrl-C ends.
#[derive(Parser)]
#[command(name = "watch")]
pub struct Watch {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Threads in each process [default: all cores that the job may use, shared by its processes]
    #[arg(short = 'w', long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Processes on this machine
    #[arg(short = 'n', long, value_name = "N", default_value = "1")]
    processes: NonZeroUsize,
    #[command(flatten)]
    memory: MemoryArgs,
    /// Time between two looks at the files, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    every: Duration,
    /// How long a file must have stayed as it is before it is read, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "0.2", value_parser = seconds)]
    settle: Duration,
    /// Prints rows that have come (+) and gone (-) in place of tables, or adds them to FILE
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    changes: Option<Option<PathBuf>>,
    /// How changes are printed
    #[arg(long, value_enum, default_value = "csv", requires = "changes")]
    format: ChangeFormat,
    /// Where it keeps its ledger, that of `run` [default: .tidemill/NAME beside the first output,
    /// NAME its name]
    #[arg(long, value_name = "DIR", conflicts_with = "no_state")]
    state: Option<PathBuf>,
    /// Keeps no ledger: another watch or run reads all files anew
    #[arg(long)]
    no_state: bool,
    /// Says nothing but results, warnings and errors
    #[arg(short, long)]
    quiet: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|s| (0.001..1e6).contains(s));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "expected a number of seconds".into())
}

impl Act for Watch {
    fn act(self) -> Result<(), End> {
        let signals = Signals::watch()?;
        let processes = self.processes.get();
        let cores = machine::cores();
        let threads = self.threads.map_or((cores.count / processes).max(1), NonZeroUsize::get);
        let job = self.pipeline.clone().job(threads)?;
        let state = match (self.no_state, &self.state) {
            (true, _) => State::Nowhere,
            (false, None) => State::Beside,
            (false, Some(folder)) => State::In(folder.clone()),
        };
        let mut job = Job { state, budget: self.memory.budget(processes), ..job };
        let told = Told::new(self.changes.clone().flatten(), self.format);
        let terminal = Terminal::new(told);
        let (mut first, mut on_disk) = (true, false);
        loop {
            (job.run_id, job.now) = (new_run_id(), now());
            signals.end();
            let plan = self.plan(&mut job, first, &signals)?;
            if let Some(path) = self.changes.iter().flatten().next().filter(|_| first)
                && let Some(why) = taken(path, &job, &plan.physical)
            {
                let message = format!("changes cannot be added there: {why}");
                return Err(Failure::new(FailureKind::Pipeline, message).into());
            }
            first = false;
            signals.begin();
            let _lock = self.hold(&job, &plan)?;
            if !self.quiet {
                say::line(&first_line(&plan, threads, processes));
            }
            let ended = match processes {
                1 => self.alone(&job, plan, on_disk, &signals, &terminal),
                _ => {
                    let files = shared(&plan.physical)?;
                    job.keep = Some(self.how(files, on_disk));
                    together(&job, &plan.physical, processes, &signals, &terminal)
                        .map_err(End::from)
                }
            };
            let ended = match ended {
                Err(End::Failure(full)) if full.kind == FailureKind::Memory && !on_disk => {
                    on_disk = true;
                    say::line(&format!("{}: goes on with it on disk", full.message));
                    continue;
                }
                ended => ended?,
            };
            let why = match ended {
                Ended::Pipeline => "the pipeline has changed",
                Ended::Plan => "the columns of the files have changed",
            };
            say::line(&format!("{why}: begins anew"));
            if let Ok(text) = std::fs::read_to_string(&job.name) {
                job.text = text;
            }
        }
    }
}

impl Watch {
    fn how(&self, files: usize, on_disk: bool) -> How {
        How {
            every: self.every,
            settle: self.settle,
            changes: self.changes.is_some(),
            quiet: self.quiet,
            files,
            on_disk,
        }
    }

    /// The plan. While nothing is wrong but what input files hold, or if a pipeline that was good
    /// has been changed, it is waited for.
    fn plan(&self, job: &mut Job, first: bool, signals: &Signals) -> Result<Plan, End> {
        let waits = |end: &End| {
            !first
                || match end {
                    End::Told(code) => *code == FailureKind::Data.exit_code(),
                    End::Failure(failure) => failure.kind == FailureKind::Data,
                }
        };
        // Its own outputs are in the way later, and are to be replaced.
        let asked = std::mem::replace(&mut job.overwrite, true);
        match pipeline::load(job) {
            Ok(plan) if asked || !first || state::own(&plan.physical)?.is_some() => {
                return Ok(plan);
            }
            // Tells what is in the way, unless that has gone meanwhile.
            Ok(_) => drop(pipeline::load(&Job { overwrite: false, ..job.clone() })?),
            Err(end) if waits(&end) => say::line("waits for a change that makes it good"),
            Err(end) => return Err(end),
        }
        loop {
            if let (Some(plan), _) = job.load()? {
                return Ok(plan);
            }
            if let Some(failure) = signals.failure() {
                return Err(failure.into());
            }
            thread::sleep(self.every.min(Duration::from_millis(200)));
            // Gone for a moment, perhaps, while an editor replaces it.
            if let Ok(text) = std::fs::read_to_string(&job.name) {
                job.text = text;
            }
        }
    }

    /// The lock of the ledger, if one is kept.
    fn hold(&self, job: &Job, plan: &Plan) -> Result<Option<Lock>, End> {
        let Some(folder) = &plan.physical.state else { return Ok(None) };
        // What is noted is of the plan that follows the files; runs note what is of theirs.
        let plans = || {
            let loose = job.load_to(true).ok().and_then(|(plan, _)| plan);
            [Some(plan.physical.clone()), loose.map(|plan| plan.physical)].into_iter().flatten()
        };
        Ok(Some(state::hold(folder, || plans().collect())?))
    }

    fn alone(
        &self,
        job: &Job,
        plan: Plan,
        on_disk: bool,
        signals: &Signals,
        terminal: &Terminal,
    ) -> Result<Ended, End> {
        let physical = Arc::new(plan.physical);
        let how = self.how(crate::keep::files(&physical), on_disk);
        let options = Options::of(&physical, job.threads);
        let options = job.budget.options(options, &physical, job.out.as_deref())?;
        let loose = match Split::of(&physical) {
            Ok(_) => Some(job.load_to(true)?.0),
            Err(_) => None,
        };
        let kept = match loose {
            Some(None) => return Ok(Ended::Plan),
            Some(Some(loose)) => {
                let loose = Arc::new(loose.physical);
                let seen = Arc::new(Seen::new());
                let signals = signals.clone();
                let stop = Box::new(move || signals.failure());
                let (run, process) = (job.run_id.clone(), 0);
                let ledger = physical.state.clone();
                let ledger = ledger.map(|folder| Ledger { folder, run, process });
                let scale = Scale { files: how.files, on_disk };
                Some(Kept::start(loose, scale, options, ledger.as_ref(), seen, stop)?)
            }
            None => None,
        };
        let task = Task { job, how: &how, console: terminal, signals };
        Ok(Keeper::new(task, physical, kept).keep()?)
    }
}

fn first_line(plan: &Plan, threads: usize, processes: usize) -> String {
    format!(
        "tidemill {}: {} · {} · {} · {}",
        env!("CARGO_PKG_VERSION"),
        plan.title,
        count(threads as u64, "thread"),
        count(processes as u64, "process"),
        Keeper::promise(&plan.physical),
    )
}
