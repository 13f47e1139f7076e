//! `join`: rows of two steps with equal keys, or two boxes by the dimensions that both have.
mod by_dimensions;
mod by_keys;

use crate::build::Builder;
use crate::graph::{NodeId, PlanNode};
use crate::operator::{Inputs, Key, Operator, Shape};
use crate::physical::How;
use crate::spec::Step;
use crate::yaml::Kind;
use base::{Code, Diagnostic, Field, did_you_mean};

/// The operator.
pub static JOIN: Operator = Operator {
    name: "join",
    doc: "Puts the columns of a second step beside those of a first: `from: [left, right]`.\n\
          `join: [station, year]` joins rows with equal keys, which both have by that name; \
          `join: { id: station }` where they have different names. Missing keys never match; NaN \
          equals NaN. The rows stay in the order of the left step, and several matches of a row in \
          the order of the right one. `join:` alone joins boxes by the dimensions that both have: \
          the right one has none that the left lacks, and nothing is repeated. Where both have a \
          column of one name, `rename` it or say `suffix:`.",
    head: Shape::Any,
    keys: &[
        Key {
            name: "how",
            doc: "`inner` (rows with a match), `left` (all of the left; missing values where \
                  there is no match), `semi` or `anti` (rows of the left with or without a \
                  match, and none of the right's columns); `inner` without it.",
            shape: Shape::Text,
        },
        Key {
            name: "suffix",
            doc: "What columns of the right step get behind their names where the left has the same.",
            shape: Shape::Text,
        },
    ],
    inputs: Inputs::Two,
    example: "- rows: [{ station: a, t: 3.5 }, { station: b, t: 4 }]\n  as: readings\n\
              - rows: [{ station: a, height: 120 }]\n  as: stations\n\
              - join: station\n  from: [readings, stations]\n  how: left",
    build,
};

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let &[left, right] = b.inputs(step).as_slice() else { return None };
    // The keys are looked at even if that is a mistake.
    let how = how(b, step).unwrap_or(How::Inner);
    match step.head.kind {
        Kind::Null => by_dimensions::join(b, step, left, right),
        _ => by_keys::join(b, step, left, right, how),
    }
}

fn how(b: &mut Builder, step: &Step) -> Option<How> {
    let Some(node) = step.option("how") else { return Some(How::Inner) };
    if step.head.is_nothing() {
        let d = Diagnostic::error(Code::BadValue, node.span, "`how` goes with keys");
        b.error(d.help("boxes have the same points along their dimensions: all of them match"));
    }
    let text = b.text(node, "`how` is one of inner, left, semi, anti")?;
    let found = How::ALL.into_iter().find(|how| how.name() == text);
    if found.is_none() {
        let message = format!("rows are not joined `{text}`");
        let near = did_you_mean(&text, How::ALL.map(How::name));
        b.error(
            Diagnostic::error(Code::BadValue, node.span, message)
                .maybe_help(near)
                .help("`how` is one of inner, left, semi, anti"),
        );
    }
    found
}

/// The name that a column of the right step gets beside those of the left.
/// Those that the left has already go to `clashes`.
fn beside(
    b: &mut Builder,
    step: &Step,
    left: &PlanNode,
    field: &Field,
    clashes: &mut Vec<String>,
) -> Field {
    let name = match (left.schema.field(&field.name), step.option("suffix")) {
        (None, _) => return field.clone(),
        (Some(_), None) => field.name.to_string(),
        (Some(_), Some(node)) => {
            let suffix = b.text(node, "`suffix` is text").unwrap_or_default();
            format!("{}{suffix}", field.name)
        }
    };
    if left.schema.field(&name).is_some() {
        clashes.push(name.clone());
    }
    Field { name: name.into(), ..field.clone() }
}

/// The mistake of columns that both sides have.
fn clash(b: &mut Builder, step: &Step, left: &str, right: &str, names: &[String]) {
    let (what, it) = match names {
        [] => return,
        [name] => (format!("a column `{name}`"), "it"),
        _ => (format!("the columns `{}`", names.join("`, `")), "them"),
    };
    let message = format!("`{left}` and `{right}` both have {what}");
    b.error(
        Diagnostic::error(Code::SchemaClash, step.span, message)
            .help(format!("rename {it} in one of them, drop {it}, or say `suffix: _{right}`")),
    );
}
