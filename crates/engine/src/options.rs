//! How a run is spread over threads and processes.
use crate::deal::Asking;
use plan::physical::Physical;
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

/// How long tiles in flight may take when a run is to stop, unless another time is said.
pub const GRACE: Duration = Duration::from_secs(20);

/// What [`crate::run`] needs to know beside the plan.
#[derive(Debug)]
pub struct Options {
    /// Worker threads of this process, at least 1; the same number in every process.
    pub threads: usize,
    /// The other processes; `None` if there is only this one.
    pub mesh: Option<Mesh>,
    /// How many tiles each `Read` of a worker may have in flight, at least 1.
    pub in_flight: usize,
    /// How long tiles in flight may take to reach their sinks when the run is to stop.
    pub grace: Duration,
    /// Whether to measure what the time goes into: [`crate::Tally::profile`].
    pub profile: bool,
    /// Bytes that the process may take, for programs that say what they need.
    pub memory: u64,
    /// Bytes that all state may take of which only the run can tell how large it gets.
    pub state: u64,
    /// The folder of the files for the rest.
    pub spill: PathBuf,
}

/// Links to all other processes, already authenticated.
#[derive(Debug)]
pub struct Mesh {
    /// Which of the processes this one is.
    pub index: usize,
    /// How many processes there are.
    pub processes: usize,
    /// One socket to each process, `None` at `index`.
    pub sockets: Vec<Option<TcpStream>>,
    /// How more tiles are asked for.
    pub asking: Asking,
}

impl Options {
    /// One process with so many threads, for this plan; nothing bounds the state.
    pub fn of(physical: &Physical, threads: usize) -> Options {
        let in_flight = physical.memory.in_flight as usize;
        let spill = std::env::temp_dir();
        Options {
            threads,
            mesh: None,
            in_flight,
            grace: GRACE,
            profile: false,
            memory: u64::MAX,
            state: u64::MAX,
            spill,
        }
    }
}

/// Which worker this is among all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its index, from 0: threads of process 0 first.
    pub worker: usize,
    /// How many workers there are in all processes.
    pub workers: usize,
    /// Threads in each process.
    pub threads: usize,
}

impl Place {
    /// The process of a worker.
    pub fn process_of(&self, worker: usize) -> usize {
        worker / self.threads
    }

    /// Whether a worker runs in another process than this one.
    pub fn is_remote(&self, worker: usize) -> bool {
        self.process_of(worker) != self.process_of(self.worker)
    }

    /// How many processes there are.
    pub fn processes(&self) -> usize {
        self.workers.div_ceil(self.threads)
    }
}
