//! Starts the workers of a process and ends them, well or badly.
use super::Job;
use super::render::render;
use crate::options::{Mesh, Options};
use crate::panics::{self, Role, catch, no_thread};
use crate::profile::Turn;
use crate::watch::{Watch, lock};
use base::{Failure, FailureKind};
use differential_dataflow::trace::ExertionLogic;
use std::net::{Shutdown, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use timely::WorkerConfig;
use timely::communication::allocator::zero_copy::initialize::initialize_networking_from_sockets;
use timely::communication::allocator::{AllocatorBuilder, ProcessBuilder};
use timely::communication::{Config, Hooks, WorkerGuards};
use timely::worker::Worker;

/// How long a parked worker sleeps before it looks whether the run has failed, should a wake-up
/// get lost.
pub const NAP: Duration = Duration::from_millis(100);

/// Running workers.
pub struct Workers {
    /// Says so when all workers have ended and all links are closed.
    ended: Receiver<()>,
    links: Arc<Links>,
}

/// Second handles of the links to other processes, to cut them.
struct Links(Vec<TcpStream>);

impl Links {
    /// After a failure, before any worker of this process ends: timely would end the links in good
    /// order, and the other processes would wait for ever for what these workers still owe them.
    fn cut(&self) {
        for link in &self.0 {
            // It may be closed already.
            let _ = link.shutdown(Shutdown::Both);
        }
    }
}

/// Starts the workers of this process, to run a plan once.
///
/// # Errors
/// If threads or links cannot be set up.
pub fn start(job: &Arc<Job>, options: Options) -> Result<Workers, Failure> {
    let (job, threads) = (job.clone(), options.threads.max(1));
    start_with(options, &job.watch.clone(), move |worker| work(worker, &job, threads))
}

/// Starts the workers of this process, each of which does this.
///
/// # Errors
/// If threads or links cannot be set up.
pub fn start_with(
    options: Options,
    watch: &Arc<Watch>,
    body: impl Fn(&mut Worker) -> Result<(), Failure> + Send + Sync + 'static,
) -> Result<Workers, Failure> {
    let threads = options.threads.max(1);
    let mut config = WorkerConfig::default().idle_spin(idle_spin(threads));
    config.set("differential/default_exert_logic".to_owned(), idle_merges());
    let links = match &options.mesh {
        Some(mesh) => second_handles(mesh).map_err(|e| unlinked(&e.to_string()))?,
        None => Vec::new(),
    };
    let (builders, comms): (_, Box<dyn std::any::Any + Send>) = match options.mesh {
        Some(mesh) => mesh_allocators(mesh, threads, watch)?,
        None => Config::Process(threads).try_build().map_err(|e| unlinked(&e))?,
    };
    let links = Arc::new(Links(links));
    let (ours, seen) = (links.clone(), watch.clone());
    let body = move |worker: &mut Worker| guarded(worker, &seen, &ours, &body);
    let guards = timely::execute::execute_from(builders, Box::new(()), config, body);
    let guards = guards.map_err(no_thread)?;
    Ok(Workers { ended: close_in_time(guards, comms, watch.clone())?, links })
}

/// What a trace of differential dataflow does while nothing comes: it goes on with a merge that has
/// begun, so many records at a time. Else updates wait for it, each for a part.
fn idle_merges() -> ExertionLogic {
    const AT_A_TIME: usize = 2000;
    Arc::new(|layers| layers.iter().any(|(_, batches, _)| *batches > 1).then_some(AT_A_TIME))
}

fn second_handles(mesh: &Mesh) -> std::io::Result<Vec<TcpStream>> {
    mesh.sockets.iter().flatten().map(TcpStream::try_clone).collect()
}

type Allocators = (Vec<AllocatorBuilder>, Box<dyn std::any::Any + Send>);

fn mesh_allocators(mesh: Mesh, threads: usize, watch: &Arc<Watch>) -> Result<Allocators, Failure> {
    let watch = watch.clone();
    let hooks = Hooks {
        // Called in each of timely's communication threads when it starts.
        log_fn: Arc::new(move |setup| {
            let process = setup.remote.unwrap_or_default();
            panics::enter(Role::Link { watch: watch.clone(), process });
            None
        }),
        ..Hooks::default()
    };
    let local = ProcessBuilder::new_typed_vector(threads, hooks.refill.clone(), None);
    let mesh = initialize_networking_from_sockets(local, mesh.sockets, mesh.index, threads, hooks);
    let (builders, guard) = mesh.map_err(|e| unlinked(&e.to_string()))?;
    Ok((builders.into_iter().map(AllocatorBuilder::Tcp).collect(), Box::new(guard)))
}

fn unlinked(cause: &str) -> Failure {
    Failure::new(FailureKind::Peer, format!("the workers cannot be started: {cause}"))
}

/// Spinning helps only while every worker has a core of its own.
fn idle_spin(threads: usize) -> Duration {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    if threads > cores { Duration::ZERO } else { Duration::from_micros(10) }
}

/// What each worker of a run does.
fn work(worker: &mut Worker, job: &Arc<Job>, threads: usize) -> Result<(), Failure> {
    let recorder = job.recorder(worker.index());
    let outcome = catch(|| {
        worker.dataflow::<u64, _, _>(|scope| render(scope, job, threads, recorder.as_ref()))?;
        while worker.has_dataflows() && !job.watch.failed() {
            let _turn = recorder.as_ref().map(Turn::new);
            worker.step_or_park(Some(NAP));
        }
        Ok(())
    });
    if let (Some(recorder), Some(measured)) = (recorder, &job.profile) {
        lock(&measured.workers).push(recorder.end());
    }
    outcome
}

/// What each worker thread does: its work, and to end well after a failure.
fn guarded(
    worker: &mut Worker,
    watch: &Arc<Watch>,
    links: &Links,
    body: &dyn Fn(&mut Worker) -> Result<(), Failure>,
) {
    panics::enter(Role::Worker);
    watch.register();
    if let Err(failure) = catch(|| body(worker)) {
        watch.fail(failure);
    }
    if watch.failed() {
        links.cut();
    }
    // timely steps a worker until it has no dataflows: after a failure none must be left.
    for dataflow in worker.installed_dataflows() {
        drop(catch(|| {
            worker.drop_dataflow(dataflow);
            Ok(())
        }));
    }
}

/// Waits, in a thread of its own, until all workers have ended and all links are closed: after a
/// failure that may take for ever, and `run` does not wait for it.
fn close_in_time(
    guards: WorkerGuards<()>,
    comms: Box<dyn std::any::Any + Send>,
    watch: Arc<Watch>,
) -> Result<Receiver<()>, Failure> {
    let (say, ended) = channel();
    let wait = move || {
        panics::enter(Role::Worker);
        for result in guards.join() {
            if let Err(cause) = result {
                watch.fail(Failure::internal(format!("a worker ended badly: {cause}")));
            }
        }
        // Waits for the communication threads, and panics if one of them did; the cause is known.
        if catch_unwind(AssertUnwindSafe(|| drop(comms))).is_err() {
            watch.fail(Failure::new(FailureKind::Peer, "lost the link to another process"));
        }
        // Nobody listens any more if the run has failed.
        let _ = say.send(());
    };
    let thread = std::thread::Builder::new().name("engine:close".into()).spawn(wait);
    thread.map_err(no_thread)?;
    Ok(ended)
}

impl Workers {
    /// Whether all has ended within this time.
    pub fn ended_within(&self, time: Duration) -> bool {
        !matches!(self.ended.recv_timeout(time), Err(RecvTimeoutError::Timeout))
    }

    /// Cuts the links, so that the other processes notice at once.
    pub fn cut_links(&self) {
        self.links.cut();
    }
}
