//! Links: the sockets between the processes of a run, opened with a deadline and a proof on both
//! sides that the other belongs to the run, before timely gets them.
//!
//! Every process listens, dials the processes before it and is dialled by those behind it.
//! Whoever else connects is refused and delays nobody: each connection has its own thread.

mod hello;
mod mesh;
mod socket;

pub use hello::{Member, PROTOCOL, Secret};
pub use mesh::{DEADLINE, connect, listen};

#[cfg(test)]
mod tests;
