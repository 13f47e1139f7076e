//! The process that gives the orders and keeps the results, and those that only obey.
use super::flow::flow;
use super::groups::Groups;
use super::notes::Ledger;
use super::piece::{self, PieceId, Refused};
use super::record::{Key, Outcome};
use super::shared::{Order, Shared};
use super::split::Split;
use crate::dataflow::{NAP, Workers, start_with};
use crate::options::Options;
use crate::panics;
use crate::watch::{Watch, lock};
use base::{Failure, Tiling, Warning};
use formats::{Guess, Memo};
use plan::physical::Physical;
use plan::{Print, tiling};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::Thread;
use std::time::Duration;
use timely::dataflow::operators::Input;
use timely::dataflow::operators::probe::Handle;
use timely::worker::Worker;

/// How often requests to stop are looked at.
const POLL: Duration = Duration::from_millis(20);

/// How long workers may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// What an order has led to.
#[derive(Debug, Default)]
pub struct Answer {
    /// Files that could not be read.
    pub refused: Vec<Refused>,
    /// Results that there are more of, or fewer.
    pub changes: Vec<(Key, Outcome, isize)>,
}

/// The ends of the channels that worker 0 of process 0 has.
struct Desk {
    orders: Receiver<Order>,
    answers: Sender<Answer>,
}

/// Reductions that are kept up to date, in process 0.
pub struct Kept {
    pub(super) split: Split,
    pub(super) physical: Arc<Physical>,
    pub(super) shared: Arc<Shared>,
    workers: Workers,
    orders: Option<Sender<Order>>,
    answers: Receiver<Answer>,
    /// Worker 0, to be woken.
    sleeper: Arc<OnceLock<Thread>>,
    pub(super) results: BTreeMap<Key, Outcome>,
    options: RunOptions,
    stop: Stop,
    /// How files are cut that have been looked at.
    pub(super) cuts: HashMap<PieceId, Tiling>,
    /// Files whose states are not told apart,
    pub(super) groups: Groups,
    /// and such as are about to be taken.
    pub(super) fresh: Groups,
}

/// How much there is to keep.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// About so many files.
    pub files: usize,
    /// Whether what they give to keys is on disk, since it does not fit into memory.
    pub on_disk: bool,
}

/// What a look at a file tells.
#[derive(Clone, Debug)]
pub struct Looked {
    /// Points.
    pub points: u64,
    /// The sizes of its box.
    pub sizes: Vec<u64>,
    /// What the box of all files together depends on: these sizes, and the coordinate of the
    /// dimension along which files follow each other.
    pub domain: Print,
    /// Tiles.
    pub tiles: u64,
    /// Which columns may have missing values.
    pub missing: Vec<bool>,
    /// What the values say of types, where the file does not.
    pub guesses: Option<Vec<Guess>>,
    /// What the box of all files together is made of, where that grows with them.
    pub memo: Option<Memo>,
}

/// Why to end, if so; asked often.
pub type Stop = Box<dyn Fn() -> Option<Failure>>;

/// How the plan behind the reductions is run.
struct RunOptions {
    threads: usize,
    in_flight: usize,
    grace: Duration,
    memory: u64,
    state: u64,
    spill: PathBuf,
}

/// Does the part of another process than the first; ends when that one does.
///
/// # Errors
/// The first failure of any worker of this process, a lost link, or a request to stop.
pub fn serve(
    physical: Arc<Physical>,
    scale: Scale,
    options: Options,
    ledger: Option<&Ledger>,
    watch: Arc<Watch>,
) -> Result<(), Failure> {
    panics::install();
    let split = Split::of(&physical).map_err(Failure::internal)?;
    let shared = Shared::new(&physical, split, scale, &options, ledger, &watch)?;
    let shared = Arc::new(shared);
    let workers = start_with(options, &watch, move |worker| work(worker, &shared, None))?;
    loop {
        if let Some(why) = watch.stop() {
            watch.fail(why);
        }
        if let Some(failure) = watch.failure() {
            workers.cut_links();
            return Err(failure);
        }
        if workers.ended_within(POLL) {
            return watch.failure().map_or(Ok(()), Err);
        }
    }
}

impl Kept {
    /// What the user should know of the values that this process has seen since this was asked for.
    pub fn warnings(&self) -> Vec<Warning> {
        self.shared.watch.take_warnings()
    }

    /// Starts the workers of this process, which have no files yet.
    /// `stop` is asked often while they work.
    ///
    /// # Errors
    /// If the plan cannot be kept up to date, or workers cannot be started.
    pub fn start(
        physical: Arc<Physical>,
        scale: Scale,
        options: Options,
        ledger: Option<&Ledger>,
        watch: Arc<Watch>,
        stop: Stop,
    ) -> Result<Kept, Failure> {
        panics::install();
        let split = || Split::of(&physical).map_err(Failure::internal);
        let shared = Shared::new(&physical, split()?, scale, &options, ledger, &watch)?;
        let shared = Arc::new(shared);
        let (orders, heard) = channel();
        let (said, answers) = channel();
        let desk = Mutex::new(Some(Desk { orders: heard, answers: said }));
        let sleeper: Arc<OnceLock<Thread>> = Arc::default();
        let Options { threads, in_flight, grace, memory, state, spill, .. } = &options;
        let run = RunOptions {
            threads: *threads,
            in_flight: *in_flight,
            grace: *grace,
            memory: *memory,
            state: *state,
            spill: spill.clone(),
        };
        let (ours, shared_by_workers) = (sleeper.clone(), shared.clone());
        let workers = start_with(options, &watch, move |worker| {
            let desk = (worker.index() == 0).then(|| lock(&desk).take()).flatten();
            if desk.is_some() {
                let _ = ours.set(std::thread::current());
            }
            work(worker, &shared_by_workers, desk)
        })?;
        let split = split()?;
        let (orders, options) = (Some(orders), run);
        Ok(Kept {
            split,
            physical,
            shared,
            workers,
            orders,
            answers,
            sleeper,
            results: BTreeMap::new(),
            options,
            stop,
            cuts: HashMap::new(),
            groups: Groups::default(),
            fresh: Groups::default(),
        })
    }

    /// What is kept.
    pub fn split(&self) -> &Split {
        &self.split
    }

    /// Opens a file as one of those of a reader, to see whether it can be taken.
    ///
    /// # Errors
    /// Why not.
    pub fn look(&mut self, read: usize, path: &Path) -> Result<Looked, Failure> {
        let source = piece::open(&self.physical, read, path)?;
        let points = source.schema().domain.points().unwrap_or(0);
        let sizes = source.schema().domain.sizes();
        let domain = piece::domain(&self.physical, read, &*source)?;
        let missing = source.schema().fields.iter().map(|f| f.nullable).collect();
        let id = PieceId { read, path: path.to_path_buf() };
        self.shared.keep_open(&id, &source);
        let cuts = tiling::of_file(&*source);
        let tiles = cuts.count();
        self.cuts.insert(id, cuts);
        let guesses = source.guesses().map(<[Guess]>::to_vec);
        let memo = if self.split.grows() { source.memo()? } else { None };
        Ok(Looked { points, sizes, domain, tiles, missing, guesses, memo })
    }

    /// Bytes of its states on disk.
    pub fn on_disk(&self) -> u64 {
        self.shared.shelving.0.as_ref().map_or(0, |shelf| shelf.bytes())
    }

    /// Bytes of memory that the records of this process take, about.
    pub fn bytes(&self) -> u64 {
        self.shared.memory.bytes()
    }

    /// Why the workers have ended or are to end, if so.
    pub fn stopped(&self) -> Option<Failure> {
        self.shared.watch.failure().or_else(|| self.shared.watch.stop())
    }

    pub(super) fn ask(&self, order: Order) -> Result<Answer, Failure> {
        let ended = || Failure::internal("the workers have ended");
        let watch = &self.shared.watch;
        self.orders.as_ref().and_then(|orders| orders.send(order).ok()).ok_or_else(ended)?;
        if let Some(thread) = self.sleeper.get() {
            thread.unpark();
        }
        loop {
            match self.answers.recv_timeout(POLL) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(why) = (self.stop)().or_else(|| watch.stop()) {
                        watch.fail(why);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(watch.failure().unwrap_or_else(ended));
                }
            }
            if let Some(failure) = watch.failure() {
                return Err(failure);
            }
        }
    }

    /// The plan of what is behind the reductions, over their results, as `whole` says it, a plan
    /// for the files that are there; where `written`, it shows what it writes too.
    ///
    /// # Errors
    /// If a result cannot be represented, as in a run; if that plan is another one.
    pub fn behind(&self, whole: &Physical, written: bool) -> Result<Physical, Failure> {
        if whole.nodes.len() != self.physical.nodes.len() {
            return Err(Failure::internal("the plan is another one"));
        }
        let tables = (0..self.split.needed.len()).map(|number| self.table(whole, number));
        self.split.behind(whole, &tables.collect::<Result<Vec<_>, _>>()?, written)
    }

    /// How to run that plan.
    pub fn options(&self) -> Options {
        let RunOptions { threads, in_flight, grace, memory, state, spill } = &self.options;
        let (spill, state) = (spill.clone(), state.saturating_sub(self.bytes()));
        Options {
            threads: *threads,
            mesh: None,
            in_flight: *in_flight,
            grace: *grace,
            profile: false,
            memory: *memory,
            state,
            spill,
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.sleeper.get() {
            thread.unpark();
        }
        self.workers.ended_within(GRACE);
    }
}

/// What a worker does: passes orders on if it has the desk, and steps until there are no more.
fn work(worker: &mut Worker, shared: &Arc<Shared>, desk: Option<Desk>) -> Result<(), Failure> {
    let answer = Rc::new(RefCell::new(Answer::default()));
    let (mut input, probe) = worker.dataflow::<u64, _, _>(|scope| {
        let (input, orders) = scope.new_input::<Vec<Order>>();
        Ok::<_, Failure>((input, flow(orders, shared, &answer)?))
    })?;
    if let Some(desk) = desk {
        let mut asked: Option<u64> = None;
        while !shared.watch.failed() {
            match asked {
                Some(time) if passed(&probe, time) => {
                    // Nobody listens any more if the run has failed.
                    let _ = desk.answers.send(std::mem::take(&mut *answer.borrow_mut()));
                    asked = None;
                }
                Some(_) => {}
                None => match desk.orders.try_recv() {
                    Ok(order) => {
                        let time = *input.time();
                        input.send(order);
                        input.advance_to(time + 1);
                        asked = Some(time);
                    }
                    Err(TryRecvError::Empty) => {}
                    Err(TryRecvError::Disconnected) => break,
                },
            }
            worker.step_or_park(Some(NAP));
        }
    }
    drop(input);
    while worker.has_dataflows() && !shared.watch.failed() {
        worker.step_or_park(Some(NAP));
    }
    Ok(())
}

/// Whether all that an order at this time leads to has come.
fn passed(probe: &Handle<u64>, time: u64) -> bool {
    !probe.less_equal(&time)
}
