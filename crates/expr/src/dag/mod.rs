//! Checked expressions as a graph in which equal subexpressions are one node.
mod conjunct;
mod node;
mod print;
mod typed;

pub use conjunct::{ColumnTest, Conjunct, Test};
pub(crate) use node::{Atom, Call, Dag, Node, NodeId, Nulls, Op, constant_register, run};
pub(crate) use print::Printed;
pub use typed::Typed;
