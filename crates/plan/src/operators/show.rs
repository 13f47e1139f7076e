//! `show`: the first rows, in the report.
use crate::build::Builder;
use crate::graph::{NodeId, OrderPlan, PlanOp};
use crate::operator::{Inputs, Operator, Shape};
use crate::spec::Step;

/// The operator.
pub static SHOW: Operator = Operator {
    name: "show",
    doc: "Reports the first rows as a table, and passes its input on.\n\
          The number of rows is 10 where none is given.",
    head: Shape::Constant,
    keys: &[],
    inputs: Inputs::One,
    example: "- range: { k: 1..=100 }\n- show: 3",
    build,
};

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let (input, _) = b.input(step)?;
    let limit = match step.head.is_nothing() {
        true => 10,
        false => b.integer(&step.head, "the number of rows to show", 1).unwrap_or(10),
    };
    first_rows(b, step, input, limit as u64);
    Some(input)
}

/// Adds nodes that report the first rows of another.
pub fn first_rows(b: &mut Builder, step: &Step, input: NodeId, limit: u64) {
    let schema = b.graph.nodes[input].schema.clone();
    let mut rows = schema.to_rows();
    rows.domain = base::Domain::rows();
    let order = PlanOp::Order(OrderPlan { keys: Vec::new(), limit: Some(limit) });
    let order = b.add(step, order, vec![input], rows.clone());
    b.add(step, PlanOp::Show(step.name.clone()), vec![order], rows);
}
