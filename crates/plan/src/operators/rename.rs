//! `rename`: other names for columns.
use super::names;
use crate::build::Builder;
use crate::graph::NodeId;
use crate::operator::{Inputs, Operator, Shape};
use crate::spec::{Step, bad_name, is_name};
use base::Diagnostic;

/// The operator.
pub static RENAME: Operator = Operator {
    name: "rename",
    doc: "Gives columns other names: `old: new`.\n\
          A dimension takes the new name of its coordinate.",
    head: Shape::Renames,
    keys: &[],
    inputs: Inputs::One,
    example: "- range: { k: 0..4 }\n- rename: { k: step }",
    build,
};

fn build(b: &mut Builder, step: &Step) -> Option<NodeId> {
    let (_, schema) = b.input(step)?;
    let mut renamed: Vec<(usize, String)> = Vec::new();
    let mut spans = Vec::new();
    for (key, node) in b.map(&step.head, "`rename` is a mapping of old names to new names") {
        let turned = node.scalar().map(|s| s.text.text.to_string());
        let turned = turned.filter(|old| schema.field(old).is_some());
        let old = match (schema.position(&key.name), turned) {
            (None, Some(old)) => {
                let d = crate::build::unknown_column(&key.name, key.span, &schema);
                let help = format!("the old name comes first: `rename: {{ {old}: {} }}`", key.name);
                b.error(Diagnostic { help: vec![help], ..d });
                None
            }
            _ => b.column(&key.name, key.span, &schema),
        };
        let Some(new) = b.scalar(node, "a new name is expected here") else { continue };
        if !is_name(&new.text.text) {
            b.error(bad_name(&new.text.text, node.span));
        } else if let Some(old) = old {
            renamed.push((old, new.text.text.to_string()));
            spans.push(node.span);
        }
    }
    for (n, (i, new)) in renamed.iter().enumerate() {
        let moved = |j: usize| renamed.iter().any(|(k, _)| *k == j);
        let taken = schema.position(new).is_some_and(|j| j != *i && !moved(j));
        if taken || renamed[..n].iter().any(|(_, other)| other == new) {
            b.error(names::twice(new, spans[n]));
        }
    }
    names::rename(b, step, &renamed)
}
