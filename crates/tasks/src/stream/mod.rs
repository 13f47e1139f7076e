//! A program that batches go through: Arrow IPC streams through its standard input and output.
//!
//! The program reads one stream from its standard input: the schema, then batches. It writes one to
//! its standard output: the schema, then exactly one batch for each that it has read, in their order,
//! of as many rows as it likes. Its input ends when there is no more to do.
//! (Apache Arrow Columnar Format, "IPC Streaming Format".)
//!
//! | module | what it has |
//! |---|---|
//! | [`program`] | what is started, what it is given, what it gives |
//! | [`runner`] | the program as a worker sees it: batches in, batches out |
//! | [`driver`] | keeps the program going: starts it, talks to it, starts it again |
//! | [`talk`] | one process: batches in, answers out, until there are no more |
//! | [`answers`] | the answers of one process |
//! | [`process`] | a started program with its pipes and its process group |
//! | [`inbox`] | messages of a stream as they come, in pieces |
//! | [`outbox`] | what is still to be written |
//! | [`fit`] | columns of answers as the types that Tidemill has |
//! | [`tail`] | the end of what a program wrote to its standard error |
//! | [`trial`] | the columns that a program gives, asked of it |
mod answers;
mod driver;
mod fit;
mod inbox;
mod outbox;
mod process;
mod program;
mod runner;
mod tail;
mod talk;
mod trial;

pub use program::Program;
pub use runner::{Runner, Said, Wake};
