//! `top`: the first rows in some order.
use super::sort::{keys, order};
use crate::build::Builder;
use crate::graph::NodeId;
use crate::operator::{Inputs, Key, Operator, Shape};
use crate::spec::Step;
use base::{Code, Diagnostic};

/// The operator.
pub static TOP: Operator = Operator {
    name: "top",
    doc: "Keeps the first rows in the order of some columns.\n\
          As `sort`, then the first n rows, but in the memory of n rows: `top: 10`, `by: -t` \
          keeps the ten greatest t. Without `by:` the first rows as they come.",
    head: Shape::Constant,
    keys: &[Key {
        name: "by",
        doc: "The columns to order by; `-name` puts the greatest first.",
        shape: Shape::Names,
    }],
    inputs: Inputs::One,
    example: "- range: { k: 1..=1000 }\n- map: { s: sin(k) }\n- top: 3\n  by: -s",
    build,
};

fn is_param(b: &Builder, name: &str) -> bool {
    b.params.iter().any(|(n, _)| n == name)
}

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let (input, schema) = b.input(step)?;
    let columns = step.head.scalar().map(|s| s.text.text.trim_start_matches('-').trim());
    if let Some(column) = columns.filter(|c| schema.field(c).is_some() && !is_param(b, c)) {
        let message = format!("the number of rows stands here, but `{column}` is a column");
        let order = step.head.scalar().map_or("", |s| &*s.text.text);
        b.error(
            Diagnostic::error(Code::BadValue, step.head.span, message)
                .help(format!("write `top: 10`, and below it `by: {order}`")),
        );
        return None;
    }
    let limit = b.integer(&step.head, "the number of rows", 1).unwrap_or(1);
    let keys = step.option("by").map(|by| keys(b, by, &schema)).unwrap_or_default();
    Some(order(b, step, input, keys, Some(limit as u64)))
}
