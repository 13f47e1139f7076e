//! What `select`, `drop` and `rename` share: a projection of columns.
use crate::build::Builder;
use crate::graph::NodeId;
use crate::spec::Step;
use base::{Code, Diagnostic, Field, Schema, Span};

/// Adds a node that keeps these columns, in this order.
pub fn project(b: &mut Builder, step: &Step, keep: &[usize]) -> Option<NodeId> {
    let (input, schema) = b.input(step)?;
    let dropped = (0..schema.fields.len()).filter(|i| !keep.contains(i));
    b.left_out.extend(dropped.map(|i| name(&schema, i)));
    let columns = keep.iter().map(|i| (*i, schema.fields[*i].clone())).collect();
    Some(b.apply(step, input, vec![expr::Step::Project(columns)]))
}

/// Adds a node that keeps all columns under other names; dimensions follow their coordinates.
pub fn rename(b: &mut Builder, step: &Step, names: &[(usize, String)]) -> Option<NodeId> {
    let (input, schema) = b.input(step)?;
    let name = |i: usize, field: &Field| {
        let new = names.iter().find(|(j, _)| *j == i).map(|(_, n)| n.as_str().into());
        Field { name: new.unwrap_or(field.name.clone()), ..field.clone() }
    };
    let columns = schema.fields.iter().enumerate().map(|(i, f)| (i, name(i, f))).collect();
    let id = b.apply(step, input, vec![expr::Step::Project(columns)]);
    for (i, new) in names {
        if let Some(dim) = schema.coordinate(*i) {
            b.graph.nodes[id].schema.domain.dims[dim].name = new.as_str().into();
        }
    }
    Some(id)
}

/// The mistake of naming a column twice.
pub fn twice(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::DuplicateName, span, format!("`{name}` would stand twice"))
}

/// The name of a column of a schema.
pub fn name(schema: &Schema, i: usize) -> String {
    schema.fields[i].name.to_string()
}
