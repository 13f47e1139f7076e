//! Arrow fields ↔ columns: types, attributes, the choice of columns.
use super::kinds::{dtype, is_open, type_name};
use crate::{FormatError, FormatErrorKind, NotRead, Unread};
use arrow_schema::Metadata;
use base::{Attribute, Attributes, DimMask, Field, Schema, did_you_mean};
use std::collections::HashSet;
use std::sync::Arc;

/// The attributes of CF that are numbers; all others are text in Arrow metadata.
const NUMBERS: [&str; 6] =
    ["valid_min", "valid_max", "valid_range", "actual_range", "flag_values", "flag_masks"];

/// Keys that other tools keep in the metadata for themselves.
const FOREIGN: [&str; 2] = ["pandas", "huggingface"];

/// The columns to read and where each stands in the file. Without a choice all those of a type
/// that can be read.
pub(crate) fn choose(
    file: &arrow_schema::Schema,
    wanted: Option<&[String]>,
) -> Result<Vec<(usize, Field)>, FormatError> {
    let all = file.fields().iter().enumerate();
    let Some(wanted) = wanted else {
        let fields: Vec<_> = all.filter_map(|(i, f)| Some((i, field(f)?))).collect();
        unique(fields.iter().map(|(_, f)| &*f.name))?;
        return Ok(fields);
    };
    unique(wanted.iter().map(String::as_str))?;
    wanted.iter().map(|name| find(file, name)).collect()
}

/// The columns of a file that are not among those chosen.
pub(crate) fn unread(file: &arrow_schema::Schema, wanted: Option<&[String]>) -> Vec<Unread> {
    let left = |f: &arrow_schema::FieldRef| {
        let kind = dtype(f.data_type()).is_none().then(|| type_name(f));
        let read = match wanted {
            Some(names) => names.contains(f.name()),
            None => kind.is_none(),
        };
        let why = kind.map_or(NotRead::NotNamed, NotRead::Kind);
        (!read).then(|| Unread { name: f.name().clone(), why })
    };
    file.fields().iter().filter_map(left).collect()
}

fn find(file: &arrow_schema::Schema, name: &str) -> Result<(usize, Field), FormatError> {
    let mut same = file.fields().iter().enumerate().filter(|(_, f)| f.name() == name);
    let Some((i, found)) = same.next() else {
        let kind = FormatErrorKind::UnknownColumn(name.to_string());
        let mut error = FormatError::new(kind, format!("there is no column `{name}` in the file"));
        error.help = did_you_mean(name, file.fields().iter().map(|f| f.name().as_str()));
        return Err(error);
    };
    if same.next().is_some() {
        return Err(twice(name));
    }
    let unsupported = || {
        let kind = FormatErrorKind::Unsupported(Some(name.to_string()));
        let data = type_name(found);
        FormatError::new(kind, format!("column `{name}` holds {data}, which cannot be read"))
    };
    Ok((i, field(found).ok_or_else(unsupported)?))
}

fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), FormatError> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(twice(name));
        }
    }
    Ok(())
}

fn twice(name: &str) -> FormatError {
    let kind = FormatErrorKind::Unsupported(Some(name.to_string()));
    FormatError::new(kind, format!("there are two columns `{name}`"))
}

fn field(arrow: &arrow_schema::Field) -> Option<Field> {
    let mut field = Field::new(arrow.name().as_str(), dtype(arrow.data_type())?, DimMask::only(0));
    field.nullable = arrow.is_nullable() || is_open(arrow);
    field.attributes = attributes(arrow.metadata());
    Some(field)
}

/// What the metadata of a file say of the file itself.
pub(crate) fn file_attributes(metadata: &Metadata) -> Attributes {
    attributes(metadata)
}

fn attributes(metadata: &Metadata) -> Attributes {
    let is_name = |k: &str| k.chars().all(|c| c.is_alphanumeric() || c == '_');
    let ours = |k: &str| is_name(k) && !FOREIGN.contains(&k);
    let pairs = metadata.iter().filter(|(k, _)| ours(k));
    Attributes(pairs.map(|(k, v)| (k.clone(), attribute(k, v))).collect())
}

fn attribute(name: &str, text: &str) -> Attribute {
    if NUMBERS.contains(&name) {
        let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
        let parts = || inner.split(',').map(str::trim);
        if let Ok(ints) = parts().map(str::parse).collect() {
            return Attribute::Ints(ints);
        }
        if let Ok(floats) = parts().map(str::parse).collect() {
            return Attribute::Floats(floats);
        }
    }
    Attribute::Text(text.to_string())
}

/// Attributes as Arrow metadata: text as it is, one number as such, several as `[1, 2]`.
pub(crate) fn metadata(attributes: &Attributes) -> Vec<(String, String)> {
    let pair = |(name, value): &(String, Attribute)| (name.clone(), metadata_text(value));
    attributes.0.iter().map(pair).collect()
}

fn metadata_text(value: &Attribute) -> String {
    match value {
        Attribute::Text(text) => text.clone(),
        Attribute::Ints(one) if one.len() == 1 => format!("{}", one[0]),
        Attribute::Floats(one) if one.len() == 1 => format!("{:?}", one[0]),
        Attribute::Singles(one) if one.len() == 1 => format!("{:?}", one[0]),
        Attribute::Singles(several) => format!("{several:?}"),
        Attribute::Ints(several) => format!("{several:?}"),
        Attribute::Floats(several) => format!("{several:?}"),
    }
}

/// The columns as an Arrow schema, with their attributes and those of the file as metadata.
pub(crate) fn arrow_schema(schema: &Schema, file: &Attributes) -> arrow_schema::SchemaRef {
    let plain = schema.arrow();
    let with_metadata = |(arrow, field): (&arrow_schema::FieldRef, &Field)| {
        arrow
            .as_ref()
            .clone()
            .with_metadata(metadata(&field.attributes).into_iter().collect::<Metadata>())
    };
    let fields: Vec<_> = plain.fields().iter().zip(&schema.fields).map(with_metadata).collect();
    let metadata: Metadata = metadata(file).into_iter().collect();
    Arc::new(arrow_schema::Schema::new_with_metadata(fields, metadata))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use arrow_schema::DataType;

    #[test]
    fn attributes_survive_metadata() {
        let mut before = Attributes::default();
        before.set("flag_values", Attribute::Ints(vec![1, 2]));
        before.set("units", Attribute::Text("1".into()));
        before.set("valid_max", Attribute::Floats(vec![0.1]));
        assert_eq!(attributes(&metadata(&before).into_iter().collect()), before);
    }

    #[test]
    fn a_column_is_found_or_explained() {
        let list = DataType::new_list(DataType::Int8, true);
        let schema = arrow_schema::Schema::new(vec![
            arrow_schema::Field::new("temperature", DataType::UInt16, true),
            arrow_schema::Field::new("l", list, true),
        ]);
        assert_eq!(choose(&schema, None).unwrap().len(), 1);
        let error = choose(&schema, Some(&["temprature".into()])).unwrap_err();
        assert_eq!(error.help.unwrap(), "did you mean `temperature`?");
        let error = choose(&schema, Some(&["l".into()])).unwrap_err();
        assert_eq!(error.kind, FormatErrorKind::Unsupported(Some("l".into())));
    }
}
