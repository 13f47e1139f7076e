//! Runs a physical plan on timely dataflow workers.
//!
//! | module | what it is for |
//! |---|---|
//! | `run` | one process of a run, from the plan to its [`Tally`] |
//! | `options`, `watch`, `tally` | how to run, what to see of it and how to stop it, what came out |
//! | `nodes` | what each node does with tiles: plain code |
//! | `dataflow` | timely operators that call it |
//! | `each` | a small pipeline for each row, in the thread that takes it |
//! | `incremental` | results that follow their inputs, by differential dataflow; these two name timely |
//! | `profile` | what the time went into, if that is asked for |
//! | `deal` | which process takes which tiles |
//! | `credit`, `parcel` | tiles on their way, and what bounds how many there are |
//! | `wire`, `hash` | tiles as bytes, keys as numbers: the same in every process |
//! | `keys` | tables from keys to numbers |
//! | `spill` | the memory that state may take, and files for the rest |
//! | `ledger` | what is finished, so that nothing is done twice |
//! | `panics` | panics become failures |
//! | `links`, `supervisor` | processes that find each other, prove who they are, and end together |
mod credit;
mod dataflow;
pub mod deal;
mod each;
mod hash;
pub mod incremental;
mod keys;
pub mod ledger;
pub mod links;
mod nodes;
mod options;
pub mod panics;
mod parcel;
pub mod profile;
mod run;
pub mod spill;
pub mod supervisor;
mod tally;
#[cfg(test)]
mod tests;
mod watch;
mod wire;

pub use each::EachWork;
pub use options::{GRACE, Mesh, Options};
pub use run::{run, run_noting};
pub use tally::Tally;
pub use watch::{Done, Watch};
