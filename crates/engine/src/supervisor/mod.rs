//! The supervisor: starts the processes of a run on this machine, watches them, and ends all of
//! them as soon as one is lost.
//!
//! The launcher's process does no work of its own. It talks to each child in lines of JSON over
//! the child's standard input and output ([`Order`], [`Word`]):
//!
//! ```text
//! launcher                          child i
//!   Start(assignment)      →          loads the plan; child 0 creates the outputs
//!                          ←          Listening(address)
//!   Addresses(all)         →          links are opened, workers run
//!                          ←          Alive(progress) now and then
//!                          ←          Finished(result)
//!   Commit                 →          (child 0 only, when all have finished) names the outputs
//!                          ←          Written(what)
//!   end of input           →          exits
//! ```
//!
//! At any time a child may say `Failed`, or be gone. Then the first cause is found and all other
//! children are killed. A child whose input ends, or whose launcher dies, ends itself.

mod cause;
mod child;
mod message;
mod process;
mod supervise;

pub use child::Child;
pub use message::{Assignment, Order, Word};
pub use supervise::{Crew, News, Outcome, supervise};

#[cfg(test)]
mod tests;
