//! Whole runs of small plans: one and several workers, two processes, and everything that fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod deals;
mod fails;
mod folds;
mod joins;
mod orders;
mod plans;
mod sinks;
mod spills;
mod tasks;

use crate::deal::{Asking, Dealer};
use crate::{Mesh, Options, Tally, Watch, run};
use arrow_array::RecordBatch;
use base::Failure;
use plan::physical::Physical;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// No test may hang: a run that takes longer than this has failed.
const LONG: Duration = Duration::from_secs(20);

/// Does something in another thread, and panics if it takes too long.
pub fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (say, heard) = channel();
    std::thread::spawn(move || say.send(work()));
    heard.recv_timeout(LONG).expect("the run hangs")
}

pub fn options(threads: usize, in_flight: usize) -> Options {
    let (grace, state, spill) = (LONG, u64::MAX, std::env::temp_dir());
    let (memory, mesh, profile) = (u64::MAX, None, false);
    Options { threads, mesh, in_flight, grace, profile, memory, state, spill }
}

/// Runs a plan in one process.
fn alone(plan: &Arc<Physical>, threads: usize) -> Result<Tally, Failure> {
    let plan = plan.clone();
    in_time(move || run(plan, options(threads, 2), Arc::new(Watch::new())))
}

/// Sockets between two processes, as `links` makes them.
pub fn pair() -> [Vec<Option<TcpStream>>; 2] {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let dial = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (accept, _) = listener.accept().unwrap();
    for socket in [&dial, &accept] {
        socket.set_nodelay(true).unwrap();
    }
    [vec![None, Some(accept)], vec![Some(dial), None]]
}

type Outcome = Result<Tally, Failure>;

/// Runs a plan in two processes that are really threads of this one.
fn both(plans: [&Arc<Physical>; 2], threads: usize, in_flight: usize) -> [Outcome; 2] {
    both_with(plans, options(threads, in_flight))
}

/// The same, with other options.
fn both_with(plans: [&Arc<Physical>; 2], options: Options) -> [Outcome; 2] {
    let plans = plans.map(Arc::clone);
    let watches: [Arc<Watch>; 2] = std::array::from_fn(|_| Arc::new(Watch::new()));
    in_time(move || pair_of(plans, &options, &watches))
}

/// What the launcher does for processes: it deals.
fn launcher(plan: &Physical, threads: usize, watches: &[Arc<Watch>]) -> [Asking; 2] {
    let dealer = Arc::new(Mutex::new(Dealer::new(plan, &[], 2, threads)));
    std::array::from_fn(|index| {
        let (dealer, watch) = (dealer.clone(), watches[index].clone());
        Asking::new(move |ask| {
            let deal = dealer.lock().unwrap().deal(index, &ask);
            watch.dealt(&deal);
        })
    })
}

fn pair_of(plans: [Arc<Physical>; 2], with: &Options, watches: &[Arc<Watch>]) -> [Outcome; 2] {
    let (threads, state) = (with.threads, with.state);
    let mut asking = launcher(&plans[0], threads, watches).into_iter();
    let mut sockets = pair().into_iter();
    let runs: [_; 2] = std::array::from_fn(|index| {
        let (sockets, asking) = (sockets.next().unwrap(), asking.next().unwrap());
        let mesh = Some(Mesh { index, processes: 2, sockets, asking });
        let options = Options { mesh, state, ..options(threads, with.in_flight) };
        let (plan, watch) = (plans[index].clone(), watches[index].clone());
        std::thread::spawn(move || run(plan, options, watch))
    });
    runs.map(|run| run.join().unwrap())
}

/// The rows of the only `Show` of a plan, however it is run; all ways must agree to the bit.
fn shown(plan: &Arc<Physical>) -> RecordBatch {
    let first = rows(&alone(plan, 1).unwrap());
    for threads in [2, 3] {
        assert_eq!(rows(&alone(plan, threads).unwrap()), first, "{threads} threads");
    }
    for (threads, in_flight) in [(1, 1), (2, 2)] {
        let [a, b] = both([plan, plan], threads, in_flight);
        assert_eq!(rows(&a.unwrap()), first, "2 processes with {threads} threads");
        assert_eq!(b.unwrap().results[0].2.len(), 0);
    }
    first
}

fn rows(tally: &Tally) -> RecordBatch {
    let (_, schema, batches) = &tally.results[0];
    arrow_select::concat::concat_batches(&schema.arrow(), batches).unwrap()
}
