//! `range`: consecutive integers.
use super::axes::range_bounds;
use crate::build::Builder;
use crate::graph::{NodeId, PlanOp, ReadPlan};
use crate::operator::{Inputs, Key, Operator, Shape};
use crate::spec::Step;
use crate::yaml::Node;
use base::{Attributes, Code, DType, Diagnostic, DimMask, Domain, Field, Schema, Value};
use expr::Given;

/// The operator.
pub static RANGE: Operator = Operator {
    name: "range",
    doc: "Makes consecutive integers: `1..=n` with n, `0..n` without.\n\
          One dimension and one int64 column of the given name. `step:` takes every so manieth; \
          a negative one counts down.",
    head: Shape::Axes,
    keys: &[Key {
        name: "step",
        doc: "The distance of two neighbours, 1 where none is given.",
        shape: Shape::Constant,
    }],
    inputs: Inputs::None,
    example: "- range: { k: 1..=100 }\n  step: 3",
    build,
};

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let entries = b.map(&step.head, "`range` is a name and its bounds, such as `{ k: 1..=n }`");
    let [(key, node)] = entries else {
        if let Some((key, _)) = entries.get(1) {
            b.error(
                Diagnostic::error(Code::WrongShape, key.span, "a range has one name")
                    .help("for several dimensions use `grid`"),
            );
        }
        return None;
    };
    b.check_name(&key.name, key.span);
    let by = step.option("step").map_or(1, |node| distance(b, node));
    let text =
        b.scalar(node, "the bounds of a range are expected here, such as `1..=n`")?.text.clone();
    // After a mistake the column is still there, so that its users are not blamed.
    let bounds = range_bounds(b, &text).unwrap_or_default();
    let size = bounds.count(by).unwrap_or_else(|| {
        let message = "the range has more than 2^62 numbers";
        b.error(Diagnostic::error(Code::BadDomain, node.span, message));
        0
    });
    let schema = Schema {
        domain: Domain::new([(key.name.as_str(), size)]),
        fields: vec![Field::new(key.name.as_str(), DType::Int64, DimMask::only(0))],
        attributes: Attributes::default(),
    };
    let read = ReadPlan {
        place: String::new(),
        source: None,
        offset: vec![0],
        columns: vec![None],
        describe: format!(
            "{} = {}{}",
            key.name,
            text.text,
            if by == 1 { String::new() } else { format!(" step {by}") }
        ),
        request: String::new(),
        files: None,
        fused: None,
        survivors: None,
    };
    let given = vec![Given::Counter { start: bounds.start, step: by }];
    Some(b.node(step, PlanOp::Read(read), Vec::new(), schema, given))
}

fn distance(b: &mut Builder, node: &Node) -> i64 {
    let expected = "`step` is a whole number other than 0";
    let text = b.scalar(node, expected).map(|s| s.text.clone());
    let value = text.and_then(|t| b.constant(&t));
    let step = value.as_ref().and_then(Value::as_i64).filter(|v| *v != 0);
    if value.is_some() && step.is_none() {
        b.error(Diagnostic::error(Code::BadValue, node.span, expected));
    }
    step.unwrap_or(1)
}
