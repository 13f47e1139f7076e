//! `filter`: the rows for which a condition holds.
use crate::build::Builder;
use crate::graph::NodeId;
use crate::operator::{Inputs, Operator, Shape};
use crate::spec::Step;
use base::{Code, DType, Diagnostic};

/// The operator.
pub static FILTER: Operator = Operator {
    name: "filter",
    doc: "Keeps the rows for which a condition is true.\n\
          Rows for which it is false or missing are dropped. What stays are rows: a box becomes a \
          table, its coordinates columns like others.",
    head: Shape::Expr,
    keys: &[],
    inputs: Inputs::One,
    example: "- range: { k: 1..=20 }\n- filter: k % 3 == 0 and not has_digits(k, \"9\")",
    build,
};

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let (input, schema) = b.input(step)?;
    let Some(condition) = b.typed(&step.head, &schema) else {
        // The rows stay unknown, the columns do not.
        let all = schema.fields.iter().cloned().enumerate().collect();
        return Some(b.apply(step, input, vec![expr::Step::Project(all)]));
    };
    if condition.dtype != DType::Bool {
        let message = format!("a filter is true or false, but this is {}", condition.dtype);
        b.error(
            Diagnostic::error(Code::TypeMismatch, condition.span, message)
                .help("compare it with something, such as `… != 0`"),
        );
    }
    Some(b.apply(step, input, vec![expr::Step::Filter(condition)]))
}
