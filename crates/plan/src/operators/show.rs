//! `show`: the first rows, in the report.
use crate::build::Builder;
use crate::graph::{NodeId, OrderPlan, PlanOp};
use crate::operator::{Inputs, Operator, Shape};
use crate::physical::Show;
use crate::spec::Step;

/// The operator.
pub static SHOW: Operator = Operator {
    name: "show",
    doc: "Reports the first rows as a table, and passes its input on.\n\
          The number of rows is 10 where none is given. All of them are printed.",
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
    first_rows(b, step, input, limit as u64, None);
    Some(input)
}

/// So many bytes of columns a report holds of rows that nobody has asked for by number.
const REPORTED: u64 = 32 << 20;

/// Adds nodes that report all rows of another, or as many as a report holds.
pub fn all_rows(b: &mut Builder, step: &Step, input: NodeId) {
    let fields = &b.graph.nodes[input].schema.fields;
    let width: u64 = fields.iter().map(|f| f.dtype.width() as u64).sum();
    let most = REPORTED / width.max(1);
    first_rows(b, step, input, most + 1, Some(most));
}

fn first_rows(b: &mut Builder, step: &Step, input: NodeId, limit: u64, most: Option<u64>) {
    let schema = b.graph.nodes[input].schema.clone();
    let mut rows = schema.to_rows();
    rows.domain = base::Domain::rows();
    let order = PlanOp::Order(OrderPlan { keys: Vec::new(), limit: Some(limit) });
    let order = b.add(step, order, vec![input], rows.clone());
    let show = Show { name: step.name.clone(), most };
    b.add(step, PlanOp::Show(show), vec![order], rows);
}
