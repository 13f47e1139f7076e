//! What the launcher and its children say to each other, a line of JSON each.
use base::{Failure, FailureKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::{self, Write};
use std::net::SocketAddr;

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
    /// The work, as the launcher's own code understands it.
    pub job: Value,
}

/// From the launcher to a child.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The first line.
    Start(Assignment),
    /// Where all processes listen, in order.
    Addresses(Vec<SocketAddr>),
    /// All have finished: give the outputs their names.
    Commit,
}

/// From a child to the launcher.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// The plan is loaded, the links may be opened.
    Listening(SocketAddr),
    /// Still there; so many tiles are done.
    Alive {
        /// Tiles done by this process.
        tiles: u64,
    },
    /// The workers have ended well; the result is the launcher's code's own.
    Finished(Value),
    /// The outputs have their names.
    Written(Value),
    /// The run cannot go on.
    Failed {
        /// [`FailureKind::name`].
        kind: String,
        /// [`Failure::message`].
        message: String,
        /// [`Failure::context`].
        context: Vec<String>,
    },
}

impl From<Failure> for Word {
    fn from(failure: Failure) -> Word {
        let Failure { kind, message, context } = failure;
        Word::Failed { kind: kind.name().into(), message, context }
    }
}

/// The failure that a [`Word::Failed`] tells of.
pub fn failure(kind: &str, message: String, context: Vec<String>) -> Failure {
    let kind = FailureKind::from_name(kind).unwrap_or(FailureKind::Internal);
    Failure { kind, message, context }
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
