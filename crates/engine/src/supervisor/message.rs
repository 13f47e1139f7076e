//! What the launcher and its children say to each other, a line of JSON each.
use crate::deal::{Ask, Deal};
use crate::watch::Done;
use base::{Failure, FailureKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// What a child is to do.
#[derive(Clone, Serialize, Deserialize)]
pub struct Assignment {
    /// Its place among the processes, from 0.
    pub index: usize,
    /// How many processes the run has.
    pub processes: usize,
    /// The run.
    pub run_id: String,
    /// The run's secret, in hexadecimal digits.
    pub secret: String,
    /// The launcher's process id: a child whose parent is another one is an orphan.
    pub parent: u32,
    /// Where it listens for links, `host:port`; port 0 stands for any.
    pub listen: String,
    /// Seconds that all processes have to find each other.
    pub deadline: f64,
    /// The work, as the launcher's own code understands it.
    pub job: Value,
}

/// From the launcher to a child.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The first line.
    Start(Assignment),
    /// Where all processes, in order, may be reached, `host:port` each.
    Addresses(Vec<Vec<String>>),
    /// Tiles to take.
    Deal(Deal),
    /// Take no more tiles; what is in flight is to reach its sinks.
    Stop,
    /// All have finished, and have told this: give the outputs their names.
    Commit(Vec<Value>),
    /// Still there; to the launchers of other hosts, now and then.
    Alive,
    /// The run has ended well; to the launchers of other hosts.
    Done,
    /// The run has failed, and why; to the launchers of other hosts.
    End(Cause),
}

/// From a child to the launcher.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// A launcher on another host is there, before anything else.
    Joined {
        /// What its host is called.
        host: String,
        /// The cores that it may use there.
        cores: usize,
    },
    /// The plan is loaded, the links may be opened: it listens on this port.
    Listening(u16),
    /// Still there; so much is done.
    Alive(Done),
    /// More tiles are wanted.
    Ask(Ask),
    /// After [`Order::Stop`]: nothing is in flight any more.
    Drained {
        /// Tiles done by this process.
        tiles: u64,
    },
    /// The launcher of another host was told to stop, and why.
    Stopped(Cause),
    /// The workers have ended well; both are the launcher's code's own.
    Finished {
        /// For the report.
        result: Value,
        /// For process 0, which gives outputs their names.
        told: Value,
    },
    /// The outputs have their names.
    Written(Value),
    /// A result, for standard output.
    Print(String),
    /// Tables, as the launcher's own code understands them.
    Tables(Value),
    /// A line for standard error.
    Note(String),
    /// Not all links could be opened.
    Unlinked(Cause),
    /// The run cannot go on.
    Failed(Cause),
    /// A line that the process on another host wrote on standard error.
    Line(String),
    /// The process on another host has ended.
    Gone(Option<Fate>),
}

/// A [`Failure`] on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cause {
    kind: String,
    message: String,
    context: Vec<String>,
}

impl From<Failure> for Cause {
    fn from(failure: Failure) -> Cause {
        let Failure { kind, message, context } = failure;
        Cause { kind: kind.name().into(), message, context }
    }
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Failure {
        let kind = FailureKind::from_name(&cause.kind).unwrap_or(FailureKind::Internal);
        Failure { kind, message: cause.message, context: cause.context }
    }
}

impl From<Failure> for Word {
    fn from(failure: Failure) -> Word {
        Word::Failed(failure.into())
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fate {
    /// The signal that killed it.
    pub signal: Option<i32>,
    /// Its exit code.
    pub code: Option<i32>,
}

impl From<ExitStatus> for Fate {
    fn from(status: ExitStatus) -> Fate {
        Fate { signal: status.signal(), code: status.code() }
    }
}

/// Writes a line of JSON at once.
///
/// # Errors
/// If the other side is gone.
pub fn write_line(out: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}
