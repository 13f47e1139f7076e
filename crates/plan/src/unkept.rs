//! What inputs say of their columns and dimensions, and an output will not say.
use crate::build::Builder;
use crate::graph::WritePlan;
use base::{Code, Diagnostic, Field, Schema};
use formats::{TileSource, Unkept};

/// So many are named.
const NAMED: usize = 6;

/// Attributes that follow from what is done with the values, or that outputs take over elsewhere.
const FOLLOWS: [&str; 3] = ["cell_methods", "actual_range", "bounds"];

/// Notes what an input says.
pub fn note(b: &mut Builder, source: &dyn TileSource) {
    let schema = source.schema();
    for unkept in source.unkept() {
        let field = schema.field(&unkept.name).cloned();
        b.unkept.push((unkept, field));
    }
    for field in &schema.fields {
        let names = field.attributes.0.iter().map(|(name, _)| name.clone());
        let names: Vec<String> = names.filter(|n| !FOLLOWS.contains(&n.as_str())).collect();
        if !names.is_empty() {
            b.described.push((field.name.to_string(), names));
        }
    }
}

/// Warns of what a NetCDF output will not say of columns and dimensions that have the names of an
/// input's.
pub fn warn(b: &mut Builder, write: &WritePlan, schema: &Schema) {
    if write.format.name() != "netcdf" {
        return;
    }
    // What is computed anew has other attributes; it is not what the input has.
    let same = |a: &Field, b: &Field| a.dtype == b.dtype && a.attributes == b.attributes;
    let stays = |(unkept, was): &&(Unkept, Option<Field>)| match was {
        _ if unkept.dimension => schema.domain.position(&unkept.name).is_some(),
        Some(was) => schema.field(&unkept.name).is_some_and(|field| same(field, was)),
        None => false,
    };
    let words = |(unkept, _): &(Unkept, _)| match unkept.dimension {
        true => format!("dimension `{}` {}", unkept.name, unkept.what),
        false => format!("`{}` {}", unkept.name, unkept.what),
    };
    let mut list: Vec<String> = b.unkept.iter().filter(stays).map(words).collect();
    for (name, attributes) in &b.described {
        let Some(field) = schema.field(name) else { continue };
        let gone = attributes.iter().filter(|name| field.attributes.get(name).is_none());
        let gone: Vec<&str> = gone.map(String::as_str).collect();
        if !gone.is_empty() {
            list.push(format!("attributes of `{name}` ({})", gone.join(", ")));
        }
    }
    let mut seen = std::collections::HashSet::new();
    list.retain(|words| seen.insert(words.clone()));
    if list.is_empty() {
        return;
    }
    let more = list.len().saturating_sub(NAMED);
    list.truncate(NAMED);
    if more > 0 {
        list.push(format!("and {more} more"));
    }
    let message = format!("the output will not have what the input has: {}", list.join("; "));
    let help = "say `attributes:` to set attributes; to hear no more of it, `allow: [W0201]`";
    b.error(Diagnostic::warning(Code::DescriptionLost, write.span, message).help(help));
}
