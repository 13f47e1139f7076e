//! Whether files can be put one after the other: the same columns, in the same units.
use super::many::Facts;
use crate::{FormatError, FormatErrorKind};
use base::{Attribute, Code, DType, Field, Schema, Warning};

/// An error about two files.
pub(super) fn differ(one: &Facts, two: &Facts, what: &str) -> FormatError {
    let (a, b) = (one.path.display(), two.path.display());
    FormatError::new(FormatErrorKind::Corrupt, format!("{a} and {b} differ: {what}"))
}

/// Puts the columns of another file in the order of the first one's, by their names.
pub(super) fn align(first: &Facts, other: &mut Facts) -> Result<(), FormatError> {
    if let Some(more) = other.schema.names().find(|name| first.schema.position(name).is_none()) {
        return Err(lacks(first, other, first, more));
    }
    let mut order = Vec::new();
    for name in first.schema.names() {
        let place = other.schema.position(name);
        order.push(place.ok_or_else(|| lacks(first, other, other, name))?);
    }
    other.schema.fields = order.iter().map(|i| other.schema.fields[*i].clone()).collect();
    other.order = order.iter().map(|i| other.order[*i]).collect();
    Ok(())
}

fn lacks(first: &Facts, other: &Facts, who: &Facts, name: &str) -> FormatError {
    let error = differ(first, other, &format!("{} has no `{name}`", who.path.display()));
    let help = Some("name the columns that all files have in `columns:`".to_string());
    FormatError { help, ..error }
}

/// Whether another file has dimensions of the same names, in the same order.
pub(super) fn same_dimensions(first: &Facts, other: &Facts) -> Result<(), FormatError> {
    let names = |f: &Facts| {
        let names = f.schema.domain.dims.iter().map(|d| format!("`{}`", d.name));
        names.collect::<Vec<_>>().join(", ")
    };
    let (one, two) = (names(first), names(other));
    match one == two {
        true => Ok(()),
        false => Err(differ(first, other, &format!("the dimensions are {one} and {two}"))),
    }
}

/// Whether another file has the same columns, and the same box but for one dimension.
pub(super) fn agree(first: &Facts, other: &Facts, along: usize) -> Result<(), FormatError> {
    let (one, two) = (&first.schema, &other.schema);
    same_dimensions(first, other)?;
    for (a, b) in one.fields.iter().zip(&two.fields) {
        let what = if a.dtype != b.dtype {
            format!("`{}` is of type {} and of type {}", a.name, a.dtype, b.dtype)
        } else if a.mask != b.mask {
            format!("`{}` varies along {} and along {}", a.name, dims(one, a), dims(two, b))
        } else {
            continue;
        };
        return Err(differ(first, other, &what));
    }
    for (dim, d) in one.domain.dims.iter().enumerate().filter(|(dim, _)| *dim != along) {
        let (a, b) = (first.size(dim), other.size(dim));
        if a != b {
            return Err(differ(first, other, &format!("`{}` has {a} points and {b}", d.name)));
        }
        if first.coordinates[dim] != other.coordinates[dim] {
            return Err(differ(first, other, &format!("`{}` has other values", d.name)));
        }
    }
    let mut both = one.fields.iter().zip(&two.fields).filter(|(a, _)| a.mask.has(along));
    match both.find_map(|(a, b)| other_times(a, b).map(|what| (a, what))) {
        None => Ok(()),
        Some((field, what)) => {
            let error = differ(first, other, &format!("`{}` has other {what}", field.name));
            let help = "times of other units can be put in order with `decode_times: true`";
            Err(FormatError { help: Some(help.to_string()), ..error })
        }
    }
}

fn dims(schema: &Schema, field: &Field) -> String {
    let names = field.mask.iter().filter_map(|d| schema.domain.dims.get(d));
    let names: Vec<String> = names.map(|d| format!("`{}`", d.name)).collect();
    if names.is_empty() { "no dimension".to_string() } else { names.join(", ") }
}

fn text<'a>(field: &'a Field, name: &str) -> Option<&'a str> {
    field.attributes.get(name).and_then(Attribute::text)
}

/// What makes numbers of one field other times than those of another; nothing if they are no
/// times, or decoded ones.
fn other_times(one: &Field, two: &Field) -> Option<String> {
    let since = |f: &Field| text(f, "units").is_some_and(|u| u.contains(" since "));
    if one.dtype == DType::Timestamp || !(since(one) || since(two)) {
        return None;
    }
    let calendar = |f: &Field| match text(f, "calendar").map(str::to_ascii_lowercase) {
        Some(name) if name != "gregorian" => name,
        _ => "standard".to_string(),
    };
    let units = |f: &Field| text(f, "units").unwrap_or("none").to_string();
    let differ =
        |what: &str, a: String, b: String| (a != b).then(|| format!("{what}: `{a}` and `{b}`"));
    differ("units", units(one), units(two))
        .or_else(|| differ("calendars", calendar(one), calendar(two)))
}

/// Variables whose values are put one after the other though their units differ.
pub(super) fn units_differ(files: &[Facts], along: usize) -> Vec<Warning> {
    let Some((first, others)) = files.split_first() else { return Vec::new() };
    let mut list = Vec::new();
    for (i, field) in first.schema.fields.iter().enumerate() {
        if field.dtype == DType::Timestamp || !field.mask.has(along) {
            continue;
        }
        let own = field.attributes.get("units");
        let other = |f: &&Facts| f.schema.fields[i].attributes.get("units") != own;
        let Some(other) = others.iter().find(other) else { continue };
        let shown = |a: Option<&Attribute>| match a {
            None => "no units".to_string(),
            Some(Attribute::Text(text)) => format!("`{text}`"),
            Some(number) => format!("{number:?}"),
        };
        let (one, two) = (first.path.display(), other.path.display());
        let message = format!(
            "`{}` is in {} in {one} and in {} in {two}: its values are put together as they are",
            field.name,
            shown(own),
            shown(other.schema.fields[i].attributes.get("units"))
        );
        let help = "read files of other units in steps of their own and convert them with `map`";
        list.push(Warning::new(Code::UnitsDiffer, message).help(help));
    }
    list
}
