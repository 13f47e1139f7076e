//! Whole runs of small plans: one and several workers, two processes, and everything that fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod fails;
mod folds;
mod joins;
mod orders;
mod plans;
mod sinks;
mod spills;

use crate::{Mesh, Options, Tally, Watch, run};
use arrow_array::RecordBatch;
use base::Failure;
use plan::physical::Physical;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

/// No test may hang: a run that takes longer than this has failed.
const LONG: Duration = Duration::from_secs(20);

/// Does something in another thread, and panics if it takes too long.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (say, heard) = channel();
    std::thread::spawn(move || say.send(work()));
    heard.recv_timeout(LONG).expect("the run hangs")
}

fn options(threads: usize, in_flight: usize) -> Options {
    let (state, spill) = (u64::MAX, std::env::temp_dir());
    Options { threads, mesh: None, in_flight, profile: false, state, spill }
}

/// Runs a plan in one process.
fn alone(plan: &Arc<Physical>, threads: usize) -> Result<Tally, Failure> {
    let plan = plan.clone();
    in_time(move || run(plan, options(threads, 2), Arc::new(Watch::new())))
}

/// Sockets between two processes, as `links` makes them.
fn pair() -> [Mesh; 2] {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let dial = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (accept, _) = listener.accept().unwrap();
    for socket in [&dial, &accept] {
        socket.set_nodelay(true).unwrap();
    }
    let mesh = |index, sockets| Mesh { index, processes: 2, sockets };
    [mesh(0, vec![None, Some(accept)]), mesh(1, vec![Some(dial), None])]
}

type Outcome = Result<Tally, Failure>;

/// Runs a plan in two processes that are really threads of this one.
fn both(plans: [&Arc<Physical>; 2], threads: usize, in_flight: usize) -> [Outcome; 2] {
    both_with(plans, options(threads, in_flight))
}

/// The same, with other options.
fn both_with(plans: [&Arc<Physical>; 2], options: Options) -> [Outcome; 2] {
    let Options { threads, in_flight, state, .. } = options;
    let [first, second] = plans.map(Arc::clone);
    let [a, b] = pair();
    in_time(move || {
        let start = move |mesh, plan| {
            let options = Options { mesh: Some(mesh), state, ..self::options(threads, in_flight) };
            std::thread::spawn(move || run(plan, options, Arc::new(Watch::new())))
        };
        let (a, b) = (start(a, first), start(b, second));
        [a.join().unwrap(), b.join().unwrap()]
    })
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
