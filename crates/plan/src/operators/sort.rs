//! `sort`: rows in order.
use crate::build::Builder;
use crate::graph::{NodeId, OrderPlan, PlanOp};
use crate::operator::{Inputs, Operator, Shape};
use crate::physical::SortKey;
use crate::spec::{Step, names_of};
use crate::yaml::Node;
use base::{Domain, Schema};

/// The operator.
pub static SORT: Operator = Operator {
    name: "sort",
    doc: "Puts rows in the order of some columns; `-name` puts the greatest first.\n\
          Rows that are equal in all of them stay in their order. NaN comes after all numbers, \
          missing values come last. Rows that do not fit into memory are sorted in files.",
    head: Shape::Names,
    keys: &[],
    inputs: Inputs::One,
    example: "- rows: [{ city: Oslo, t: 4.5 }, { city: Rome, t: 16.0 }]\n- sort: [-t, city]",
    build,
};

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let (input, schema) = b.input(step)?;
    let keys = keys(b, &step.head, &schema);
    Some(order(b, step, input, keys, None))
}

/// Columns to sort by: `name` or `-name`, one or a list.
pub fn keys(b: &mut Builder, node: &Node, schema: &Schema) -> Vec<SortKey> {
    let names = names_of(node, &mut b.diagnostics).unwrap_or_default();
    let mut keys = Vec::new();
    for (name, span) in names {
        let (bare, descending) = match name.strip_prefix('-') {
            Some(bare) => (bare.trim_start(), true),
            None => (name.as_str(), false),
        };
        keys.extend(b.column(bare, span, schema).map(|column| SortKey { column, descending }));
    }
    keys
}

/// Adds a node that orders the rows of another.
pub fn order(
    b: &mut Builder,
    step: &Step,
    input: NodeId,
    keys: Vec<SortKey>,
    limit: Option<u64>,
) -> NodeId {
    let mut rows = b.graph.nodes[input].schema.to_rows();
    rows.domain = Domain::rows();
    b.add(step, PlanOp::Order(OrderPlan { keys, limit }), vec![input], rows)
}
