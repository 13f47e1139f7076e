//! Runs a job: in this process, or in several that this one supervises.
use crate::job::{Job, now};
use crate::numbers::{bytes, count};
use crate::outputs::Outputs;
use crate::progress::Progress;
use crate::report::warnings::{self, DENIED, Met};
use crate::report::{Output, Report, Summary, Table};
use crate::say;
use crate::signals::Signals;
use crate::state::State;
use crate::verbs::PROCESS_VERB;
use base::{Failure, FailureKind, Warning};
use engine::deal::Dealer;
use engine::ledger::{Book, Inputs};
use engine::profile::Profile;
use engine::supervisor::{Crew, Group, News, Outcome, supervise};
use engine::{Options, Tally, Watch};
use plan::physical::{Op, Physical};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Time between two looks at signals and progress.
const GLANCE: Duration = Duration::from_millis(50);

/// The tiles that all readers of a plan hand out.
pub fn tiles(physical: &Physical) -> u64 {
    let tiles = |op: &Op| match op {
        Op::Read(read) => read.tiling.count(),
        _ => 0,
    };
    physical.nodes.iter().map(|node| tiles(&node.op)).sum()
}

/// What ends a run before its time.
#[derive(Clone, Copy)]
pub struct Stops<'a> {
    /// The signals that ask for it.
    pub signals: &'a Signals,
    /// How long tiles in flight may take then.
    pub grace: Duration,
}

/// Runs a plan on the threads of this process, of inputs that are to stay as they were.
///
/// # Errors
/// The first failure, or a signal; then nothing is left of the outputs.
pub fn alone(
    job: &Job,
    (physical, inputs): (&Physical, &Inputs),
    state: Option<&State>,
    stops: &Stops,
    progress: &mut Progress,
    start: Instant,
) -> Result<Report, Failure> {
    let (outputs, book) = staged(job, physical, state)?;
    let (profile, grace) = (job.profile, stops.grace);
    let options = Options { profile, grace, ..Options::of(physical, job.threads) };
    let options = job.budget.options(options, physical, job.out.as_deref())?;
    let spill = options.spill.clone();
    let mut see = |done| progress.show(done);
    let tally = on_threads(physical, options, book.clone(), stops.signals, &mut see);
    progress.finish();
    let tally = tally?;
    inputs.check()?;
    let ready = start.elapsed().as_secs_f64();
    let tables = Table::all(physical, &tally.results);
    let summary = Summary {
        seconds: tally.seconds,
        startup_seconds: (ready - tally.seconds).max(0.0),
        workers: job.threads,
        processes: 1,
        tiles: tally.tiles,
        spilled: tally.spilled,
        spill,
    };
    if let Err(refused) = warnings::refuse(job, physical, &tally.warnings) {
        drop(book);
        forget(job, physical, &outputs);
        return Err(refused);
    }
    let outputs = if job.discard { Vec::new() } else { outputs.commit()? };
    if let Some(book) = book {
        book.end(&tally.results, now());
        if let Some(why) = book.failed() {
            say::warning(&format!("no more could be noted in the ledger: {why}"));
        }
    }
    let profiles = tally.profile.into_iter().collect();
    Ok(Report { tables, outputs, summary, profiles, met: tally.warnings, ..Report::default() })
}

/// Takes away what was staged and noted by a run whose warnings are denied: the next one meets and
/// counts them again.
fn forget(job: &Job, physical: &Physical, outputs: &Outputs) {
    outputs.abandon();
    if let Some(folder) = &physical.state {
        engine::ledger::forget(folder, &job.run_id);
    }
}

/// In process 0: the outputs of a plan, staged, and the book in which the run is noted.
///
/// # Errors
/// If an output cannot be staged, or no ledger kept.
pub fn staged(
    job: &Job,
    physical: &Physical,
    state: Option<&State>,
) -> Result<(Outputs, Option<Arc<Book>>), Failure> {
    let Some(state) = state else {
        let outputs = Outputs::of(physical);
        outputs.create()?;
        return Ok((outputs, None));
    };
    let book = state.book(job, 0)?;
    let outputs = Outputs::noted(physical, book.clone());
    state.open(&book, job)?;
    Ok((outputs, Some(book)))
}

/// Runs a plan on threads; who calls takes care of the outputs. `see` is told now and then how
/// far it has come.
///
/// # Errors
/// The first failure, or a signal.
pub fn on_threads(
    physical: &Physical,
    options: Options,
    book: Option<Arc<Book>>,
    signals: &Signals,
    see: &mut (dyn FnMut(engine::Done) + Send),
) -> Result<Tally, Failure> {
    let watch = Arc::new(Watch::new());
    thread::scope(|scope| {
        let (end, ended) = channel::<()>();
        let seen = watch.clone();
        scope.spawn(move || {
            while ended.recv_timeout(GLANCE) == Err(RecvTimeoutError::Timeout) {
                if let Some(failure) = signals.failure() {
                    seen.request_stop(failure);
                }
                see(seen.done());
            }
        });
        let tally = engine::run_noting(Arc::new(physical.clone()), options, watch, book);
        drop(end);
        tally
    })
}

/// Runs a job in several processes; this one only supervises them.
///
/// # Errors
/// The first failure of any of them, or a signal; then nothing is left of them or the outputs.
pub fn together(
    job: &Job,
    physical: &Physical,
    state: Option<&State>,
    group: Group,
    stops: &Stops,
    progress: &mut Progress,
    start: Instant,
) -> Result<Report, Failure> {
    // Removes what is staged, if it comes to that, after all processes are gone.
    let outputs = match physical.state {
        Some(_) => Outputs::kept(physical),
        None => Outputs::of(physical),
    };
    let left = state.map_or(&[][..], |state| &state.survey.left);
    let processes = group.here + group.joined.len();
    let workers = job.threads * processes;
    let (program, arguments) = child_program()?;
    let crew = Crew {
        group,
        run_id: job.run_id.clone(),
        job: job.assignment(physical)?,
        program,
        arguments,
        dealer: Dealer::new(physical, left, processes, job.threads),
        grace: stops.grace,
        accept: Some(Box::new(|parts| {
            warnings::refuse(job, physical, &met(parts.iter().filter_map(part)))
        })),
    };
    let mut news = |news| match news {
        News::Done(done) => progress.show(done),
        News::Line { process, host: None, line } => progress.say(&format!("[{process}] {line}")),
        News::Line { process, host: Some(host), line } => {
            progress.say(&format!("[{process} on {host}] {line}"));
        }
        // Said where outputs are kept up to date.
        News::Print(_) | News::Tables(_) => {}
        News::Note(line) => progress.say(&line),
    };
    let outcome = supervise(crew, &|| stops.signals.failure(), &mut news);
    progress.finish();
    if outcome.as_ref().is_err_and(|failure| failure.message.contains(DENIED)) {
        forget(job, physical, &outputs);
    }
    let spill = job.budget.folder(job.out.as_deref())?.folder;
    report(outcome?, workers, spill, start)
        .ok_or_else(|| Failure::internal("a process reported what cannot be read"))
}

/// What runs one process of several: this very program, with these arguments.
///
/// # Errors
/// If the system does not say where the program is.
pub fn child_program() -> Result<(PathBuf, Vec<String>), Failure> {
    let program = std::env::current_exe().map_err(|e| Failure::internal(e.to_string()))?;
    Ok((program, vec![PROCESS_VERB.to_owned()]))
}

/// What a process of several has done.
#[derive(Debug, Serialize, Deserialize)]
pub struct Part {
    /// The rows of all steps that report; only in process 0.
    pub tables: Vec<Value>,
    /// As in [`Summary`].
    pub seconds: f64,
    /// Tiles that it has taken.
    pub tiles: u64,
    /// Bytes of state that did not fit into memory.
    pub spilled: u64,
    /// What the time went into, if that was asked for.
    pub profile: Option<Profile>,
    /// What the user should know of the values that it has seen.
    pub warnings: Vec<Met>,
}

/// What a process said when it had finished.
fn part(said: &Value) -> Option<Part> {
    serde_json::from_value(said.clone()).ok()
}

/// What the user should know of the values that processes have seen.
fn met(parts: impl IntoIterator<Item = Part>) -> Vec<Warning> {
    let mut met = Vec::new();
    for part in parts {
        Warning::merge(&mut met, part.warnings.into_iter().filter_map(Met::warning));
    }
    met
}

fn report(outcome: Outcome, workers: usize, spill: PathBuf, start: Instant) -> Option<Report> {
    let mut parts: Vec<Part> =
        outcome.finished.into_iter().map(serde_json::from_value).collect::<Result<_, _>>().ok()?;
    let tables = parts.first()?.tables.iter().map(Table::decode).collect::<Option<_>>()?;
    let outputs: Vec<Output> = serde_json::from_value(outcome.written).ok()?;
    let seconds = parts.iter().map(|p| p.seconds).fold(0.0, f64::max);
    let summary = Summary {
        seconds,
        startup_seconds: (start.elapsed().as_secs_f64() - seconds).max(0.0),
        workers,
        processes: parts.len(),
        tiles: parts.iter().map(|p| p.tiles).sum(),
        spilled: parts.iter().map(|p| p.spilled).sum(),
        spill,
    };
    let profiles = parts.iter_mut().filter_map(|part| part.profile.take()).collect();
    let met = met(parts);
    Some(Report { tables, outputs, summary, profiles, met, ..Report::default() })
}

/// Refuses a run that would need more memory than there is.
///
/// # Errors
/// With what is needed, what there is, and what would help.
pub fn refuse_for_memory(
    physical: &Physical,
    threads: usize,
    processes: usize,
    limit: Option<&crate::machine::MemoryLimit>,
) -> Result<(), Failure> {
    let Some(limit) = limit else { return Ok(()) };
    let need = physical.memory.least(threads as u64).saturating_mul(processes as u64);
    if need <= limit.bytes {
        return Ok(());
    }
    let fixed = physical.memory.per_process.saturating_mul(processes as u64);
    let hint = if fixed > limit.bytes {
        "ask for more memory, or reduce the data first"
    } else if threads > 1 {
        "use smaller tiles (--tile) or fewer threads (-w)"
    } else {
        "use smaller tiles (--tile)"
    };
    let (need, have) = (bytes(need), bytes(limit.bytes));
    let (w, n) = (count(threads as u64, "thread"), count(processes as u64, "process"));
    let message = format!(
        "the run needs about {need} with {w} in {n}, and the job has {have} ({}): {hint}",
        limit.by
    );
    Err(Failure::new(FailureKind::Memory, message))
}
