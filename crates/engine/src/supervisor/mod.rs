//! The supervisor: starts the processes of a run on this machine, watches them and those of other
//! hosts, and ends all of them as soon as one is lost.
//!
//! The launcher's process does no work of its own. It talks to each child in lines of JSON over
//! the child's standard input and output ([`Order`], [`Word`]). On each other host a launcher, the
//! [`Agent`], has a child of its own, and passes the same lines on over a control link:
//!
//! ```text
//! launcher                          child i
//!   Start(assignment)      →          loads the plan; child 0 creates the outputs
//!                          ←          Listening(address)
//!   Addresses(all)         →          links are opened, workers run
//!                          ←          Alive(progress) now and then
//!                          ←          Finished(result, told)
//!   Commit(told)           →          (child 0 only, when all have finished) names the outputs
//!                          ←          Written(what)
//!   end of input           →          exits
//! ```
//!
//! At any time a child may say `Failed`, or be gone. Then the first cause is found and all other
//! children are killed. A child whose input ends, or whose launcher dies, ends itself.

mod agent;
mod cause;
mod child;
mod hub;
mod message;
mod process;
mod remote;
mod supervise;

pub use agent::Agent;
pub use child::Child;
pub use hub::{gather, turn_away};
pub use message::{Assignment, Order, Word};
pub use remote::Joined;
pub use supervise::{Crew, Group, News, Outcome, supervise};

use std::time::Duration;

/// Time between two looks for signals.
const GLANCE: Duration = Duration::from_millis(20);

/// A process speaks several times a second; one that says nothing for so long is lost.
const SILENCE: Duration = Duration::from_secs(6);

/// Time between two assurances of the launcher of process 0 to those on other hosts.
const ALIVE: Duration = Duration::from_secs(1);

/// So long a process whose output ended, or that was dismissed, may take to be gone.
const EXIT_TIME: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
