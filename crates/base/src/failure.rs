//! What can end a run before its time.
use std::fmt;

/// The kind of a failure decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The pipeline file is wrong (exit code 2).
    Pipeline,
    /// An input holds what cannot be read or used (3).
    Data,
    /// A process of the run was lost or could not be reached (4).
    Peer,
    /// More memory would be needed than the job has (5).
    Memory,
    /// An output could not be written: disk full, permission (1).
    Output,
    /// A mistake in Tidemill itself (1).
    Internal,
    /// SIGINT (130).
    Interrupted,
    /// SIGTERM (143).
    Terminated,
}

impl FailureKind {
    /// The exit code of the launcher.
    pub fn exit_code(self) -> u8 {
        match self {
            FailureKind::Output | FailureKind::Internal => 1,
            FailureKind::Pipeline => 2,
            FailureKind::Data => 3,
            FailureKind::Peer => 4,
            FailureKind::Memory => 5,
            FailureKind::Interrupted => 130,
            FailureKind::Terminated => 143,
        }
    }

    /// The kind's name, stable, for messages between processes.
    pub fn name(self) -> &'static str {
        match self {
            FailureKind::Pipeline => "pipeline",
            FailureKind::Data => "data",
            FailureKind::Peer => "peer",
            FailureKind::Memory => "memory",
            FailureKind::Output => "output",
            FailureKind::Internal => "internal",
            FailureKind::Interrupted => "interrupted",
            FailureKind::Terminated => "terminated",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<FailureKind> {
        use FailureKind::*;
        [Pipeline, Data, Peer, Memory, Output, Internal, Interrupted, Terminated]
            .into_iter()
            .find(|k| k.name() == name)
    }
}

/// Why a run ended: the first cause, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The kind.
    pub kind: FailureKind,
    /// What went wrong, with the file's name where there is one.
    pub message: String,
    /// Where in the run: `step "write", tile 12`, outermost last.
    pub context: Vec<String>,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Failure {
        Failure { kind, message: message.into(), context: Vec::new() }
    }

    /// Bad data in an input.
    pub fn data(message: impl Into<String>) -> Failure {
        Failure::new(FailureKind::Data, message)
    }

    /// An output that cannot be written.
    pub fn output(message: impl Into<String>) -> Failure {
        Failure::new(FailureKind::Output, message)
    }

    /// A mistake in Tidemill itself.
    pub fn internal(message: impl Into<String>) -> Failure {
        Failure::new(FailureKind::Internal, message)
    }

    /// Says where it happened.
    pub fn context(mut self, place: impl Into<String>) -> Failure {
        self.context.push(place.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.context.is_empty() {
            write!(f, " (in {})", self.context.join(", "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
