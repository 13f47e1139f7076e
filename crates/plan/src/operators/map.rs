//! `map`: new columns from expressions.
use crate::build::Builder;
use crate::graph::NodeId;
use crate::operator::{Inputs, Operator, Shape};
use crate::spec::{Step, is_name, wrong_shape};
use crate::yaml::Node;
use base::{Attributes, Code, DType, Diagnostic, Field, Schema};
use expr::Typed;

/// The operator.
pub static MAP: Operator = Operator {
    name: "map",
    doc: "Adds columns, each computed by an expression.\n\
          All expressions see the columns that come in; a column of the same name is replaced. \
          A column varies along the dimensions that its expression depends on, and no others.",
    head: Shape::Exprs,
    keys: &[],
    inputs: Inputs::One,
    example: "- range: { k: 1..=3 }\n- map:\n    inverse: 1 / k\n    square: k**2",
    build,
};

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let (input, schema) = b.input(step)?;
    let mut columns = Vec::new();
    if step.head.map().is_none() {
        b.error(not_a_map(&step.head));
        return None;
    }
    for (key, node) in b.map(&step.head, "`map` is a mapping of names to expressions") {
        b.check_name(&key.name, key.span);
        if schema.domain.position(&key.name).is_some() && schema.field(&key.name).is_none() {
            let message = format!("`{}` is the name of a dimension", key.name);
            b.error(Diagnostic::error(Code::DuplicateName, key.span, message));
        }
        columns.push(column(b, &key.name, node, &schema));
    }
    Some(b.apply(step, input, vec![expr::Step::Map(columns)]))
}

fn not_a_map(head: &Node) -> Diagnostic {
    let error = wrong_shape(head, "`map` is a mapping of names to expressions");
    let text = head.scalar().map_or("", |s| s.text.text.trim());
    match text.split_once('=') {
        Some((name, value)) if !value.starts_with('=') && is_name(name.trim()) => {
            error.help(format!("write `map: {{ {}: {} }}`", name.trim(), value.trim()))
        }
        _ if !text.is_empty() => error.help(format!("write `map: {{ name: {text} }}`")),
        _ => error.help("write `map: { y: x + 1 }`"),
    }
}

/// A named column. After a mistake it still gets a column, so that its users are not blamed.
pub fn column(b: &mut Builder, name: &str, node: &Node, schema: &Schema) -> (Field, Typed) {
    let typed = b.typed(node, schema);
    let unknown = || Field::new("?", DType::Float64, schema.domain.full());
    let typed = typed.unwrap_or_else(|| Typed::of_column(&unknown(), node.span));
    (field(name, &typed, schema), typed)
}

/// The field of a computed column; a mere copy of a column keeps its attributes.
pub fn field(name: &str, typed: &Typed, schema: &Schema) -> Field {
    let copied = typed.as_column().and_then(|c| schema.field(c));
    Field {
        name: name.into(),
        dtype: typed.dtype,
        nullable: typed.nullable,
        mask: typed.mask,
        attributes: copied.map_or_else(Attributes::default, |f| f.attributes.clone()),
    }
}
