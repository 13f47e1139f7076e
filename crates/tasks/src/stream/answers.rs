//! The answers of one process, in the types that are expected.
use super::fit::Fit;
use super::inbox::{Came, Inbox};
use super::program::Program;
use arrow_array::RecordBatch;
use std::sync::Arc;
use tokio::net::unix::pipe::Receiver;

/// The answers of one process.
pub(super) struct Answers {
    program: Arc<Program>,
    inbox: Inbox,
    fit: Option<Fit>,
}

/// What comes next.
pub(super) enum Next {
    /// An answer.
    Batch(RecordBatch),
    /// A part of one.
    More,
    /// Nothing is there now.
    Nothing,
    /// The pipe was closed between two answers,
    Closed,
    /// or inside of one.
    Cut,
}

impl Answers {
    /// None yet.
    pub(super) fn new(program: &Arc<Program>) -> Answers {
        Answers { program: program.clone(), inbox: Inbox::new(), fit: None }
    }

    /// Reads what is there.
    ///
    /// # Errors
    /// If it is not what is expected: what it is, with "wrote" before it.
    pub(super) fn next(&mut self, output: &Receiver) -> Result<Next, String> {
        Ok(match self.inbox.read(output)? {
            Came::Schema(schema) => {
                self.fit = Some(match &self.program.gives {
                    Some(fields) => Fit::new(&schema, fields)?,
                    None => Fit::natural(&schema)?,
                });
                Next::More
            }
            Came::Batch(batch) => match &self.fit {
                Some(fit) => Next::Batch(fit.batch(&batch)?),
                None => return Err("a batch before the schema".to_owned()),
            },
            Came::Part => Next::More,
            Came::Nothing => Next::Nothing,
            Came::Closed if self.inbox.is_between() => Next::Closed,
            Came::Closed => Next::Cut,
        })
    }
}
