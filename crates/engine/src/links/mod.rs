//! Links: the sockets between the processes of a run, opened with a deadline and a proof on both
//! sides that the other belongs to the run, before timely gets them.
//!
//! For data every process is dialled by those before it and dials those behind it; for control
//! process 0 is dialled by all others. Whoever else connects is refused and delays nobody: each
//! connection has its own thread.

mod hello;
mod mesh;
mod socket;

pub use hello::{Member, PROTOCOL, Purpose, Secret, digest};
pub use mesh::{DEADLINE, Links, Unlinked, Wanted, connect, listen};

#[cfg(test)]
mod tests;
