//! `select`: some columns, in a given order.
use super::names;
use crate::build::Builder;
use crate::graph::NodeId;
use crate::operator::{Inputs, Operator, Shape};
use crate::spec::Step;

/// The operator.
pub static SELECT: Operator = Operator {
    name: "select",
    doc: "Keeps the named columns, in that order.\n\
          Others are not computed, and not read from files.",
    head: Shape::Names,
    keys: &[],
    inputs: Inputs::One,
    example: "- grid: { lat: \"linspace(-90, 90, 3)\", lon: \"linspace(0, 270, 4)\" }\n\
              - map: { shade: cos(radians(lat)) }\n- select: [shade, lon]",
    build,
};

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let (_, schema) = b.input(step)?;
    let mut keep: Vec<usize> = Vec::new();
    for (i, span) in b.columns(&step.head, &schema) {
        if keep.contains(&i) {
            b.error(names::twice(&names::name(&schema, i), span));
        } else {
            keep.push(i);
        }
    }
    names::project(b, step, &keep)
}
