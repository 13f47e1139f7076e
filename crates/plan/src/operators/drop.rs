//! `drop`: all columns but some.
use super::names;
use crate::build::Builder;
use crate::graph::NodeId;
use crate::operator::{Inputs, Operator, Shape};
use crate::spec::Step;

/// The operator.
pub static DROP: Operator = Operator {
    name: "drop",
    doc: "Leaves the named columns out.",
    head: Shape::Names,
    keys: &[],
    inputs: Inputs::One,
    example: "- rows: [{ station: 3, t: 21.5 }]\n- drop: station",
    build,
};

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let (_, schema) = b.input(step)?;
    let gone: Vec<usize> = b.columns(&step.head, &schema).iter().map(|(i, _)| *i).collect();
    let keep: Vec<usize> = (0..schema.fields.len()).filter(|i| !gone.contains(i)).collect();
    names::project(b, step, &keep)
}
