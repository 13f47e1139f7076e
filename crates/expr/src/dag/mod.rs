//! Checked expressions as a graph in which equal subexpressions are one node.
mod node;
mod print;
mod typed;

pub(crate) use node::{Call, Dag, NodeId, Nulls, Op, constant_register, run};
pub(crate) use print::Printed;
pub use typed::Typed;
