//! Runs a physical plan in this process.
use crate::dataflow::{self, Job, Measured, Workers};
use crate::deal::{Hand, Seat, Shape, Stack, stacks};
use crate::ledger::Book;
use crate::nodes::ahead::Lookahead;
use crate::nodes::waits::circular;
use crate::options::Options;
use crate::panics;
use crate::profile::{self, Profile};
use crate::spill::{Budget, Folder};
use crate::tally::Tally;
use crate::watch::{Watch, lock};
use base::Failure;
use formats::TileSource;
use plan::physical::{Op, Physical, Read};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tasks::lane::{Limits, Needs};

/// How often requests to stop are looked at.
const POLL: Duration = Duration::from_millis(20);

/// How long workers may take to end after a failure, before they are left to themselves: one that
/// is in the middle of a tile ends after it.
const FAREWELL: Duration = Duration::from_secs(5);

/// Runs a plan on the workers of this process, together with those of the other processes of the
/// mesh, which must run the same plan with the same number of threads.
///
/// Of sinks only `prepare` and the writers are used: the caller creates, commits and abandons.
///
/// # Errors
/// The first failure of any worker of this process, a lost link, or a request to stop, when what was
/// in flight has reached its sinks. The workers have then ended, unless one is stuck, or other processes are part of the run: then the caller
/// should end the process.
pub fn run(physical: Arc<Physical>, options: Options, watch: Arc<Watch>) -> Result<Tally, Failure> {
    run_noting(physical, options, watch, None)
}

/// As [`run`], for the plan that a [`crate::ledger::Survey`] has left: what the book knows to be
/// done is left out, and what is done is noted in it.
///
/// # Errors
/// As [`run`].
pub fn run_noting(
    physical: Arc<Physical>,
    options: Options,
    watch: Arc<Watch>,
    book: Option<Arc<Book>>,
) -> Result<Tally, Failure> {
    panics::install();
    let stacks = stacks(&physical.nodes, book.as_ref().map_or(&[], |book| book.left()));
    let hands = Arc::new(hands(&stacks, &options));
    watch.begin(hands.clone(), stacks.iter().flatten().map(|stack| stack.tiles).sum());
    let origin = Instant::now();
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let job = Arc::new(Job {
        free: circular(&physical.nodes),
        physical: physical.clone(),
        watch: watch.clone(),
        book,
        hands,
        ahead: lookaheads(&physical),
        shown: Arc::new(Mutex::new(Vec::new())),
        in_flight: options.in_flight.max(1),
        budget: Budget::new(options.state, Folder::new(&options.spill)),
        commons: Arc::default(),
        limits: Arc::new(Limits::new(Needs {
            cores: options.threads.max(1) as u32,
            memory: options.memory,
        })),
        profile: options.profile.then(|| Measured { origin, workers: Mutex::default() }),
    });
    let (meshed, grace) = (options.mesh.is_some(), options.grace);
    let workers = dataflow::start(&job, options)?;
    let ended = wait(&workers, &watch, meshed, grace);
    watch.stop_lanes();
    ended?;
    watch.warn(sources(&physical).into_iter().flat_map(|source| source.met()));
    let shown = std::mem::take(&mut *lock(&job.shown));
    let profile = job.profile.as_ref().map(|measured| Profile {
        origin: since_1970.as_micros() as u64,
        operators: profile::operators(&physical.nodes),
        workers: sorted(std::mem::take(&mut *lock(&measured.workers))),
    });
    let spilled = job.budget.written();
    Ok(Tally { profile, spilled, ..Tally::new(&physical, shown, &watch) })
}

/// The inputs of a plan, each once: two readers may share one.
fn sources(physical: &Physical) -> Vec<&Arc<dyn TileSource>> {
    let mut list: Vec<&Arc<dyn TileSource>> = Vec::new();
    for node in &physical.nodes {
        if let Op::Read(Read { source: Some(source), .. }) = &node.op
            && !list.iter().any(|known| Arc::ptr_eq(known, source))
        {
            list.push(source);
        }
    }
    list
}

/// For each `Read` the tiles that this process may take.
fn hands(stacks: &[Option<Stack>], options: &Options) -> Vec<Option<Hand>> {
    let mesh = options.mesh.as_ref();
    let (index, processes) = mesh.map_or((0, 1), |m| (m.index as u64, m.processes as u64));
    let threads = options.threads.max(1) as u64;
    let seat = Seat { index, shape: Shape { processes, threads } };
    let ahead = threads * options.in_flight as u64;
    let hand = |(read, stack): (usize, &Option<Stack>)| {
        stack.map(|stack| Hand::new(read, stack, seat, mesh.map(|m| m.asking.clone()), ahead))
    };
    stacks.iter().enumerate().map(hand).collect()
}

/// For each `Read` whose bytes lie elsewhere what its workers ask for together.
fn lookaheads(physical: &Physical) -> Vec<Option<Lookahead>> {
    let remote = |op: &Op| match op {
        Op::Read(read) => read.source.as_ref().is_some_and(|source| source.is_remote()),
        _ => false,
    };
    let count = physical.nodes.iter().filter(|node| remote(&node.op)).count();
    let ahead = |op: &Op| remote(op).then(|| Lookahead::new(count));
    physical.nodes.iter().map(|node| ahead(&node.op)).collect()
}

fn sorted(mut workers: Vec<profile::Worker>) -> Vec<profile::Worker> {
    workers.sort_by_key(|worker| worker.index);
    workers
}

/// Waits for the end of the workers, or for the first failure.
fn wait(workers: &Workers, watch: &Watch, meshed: bool, grace: Duration) -> Result<(), Failure> {
    let mut stopped: Option<Instant> = None;
    loop {
        if let Some(why) = watch.stop() {
            watch.drain();
            if stopped.get_or_insert_with(Instant::now).elapsed() > grace {
                watch.fail(why);
            }
        }
        if let Some(failure) = watch.failure() {
            workers.cut_links();
            if !meshed {
                workers.ended_within(FAREWELL);
            }
            watch.lanes_end_within(FAREWELL);
            return Err(failure);
        }
        if workers.ended_within(POLL) {
            watch.stop_lanes();
            watch.lanes_end_within(FAREWELL);
            let stop = watch.stop().filter(|_| watch.draining());
            return watch.failure().or(stop).map_or(Ok(()), Err);
        }
    }
}
