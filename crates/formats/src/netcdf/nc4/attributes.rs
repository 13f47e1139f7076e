//! Attributes of NetCDF-4 files as their values, less those that NetCDF keeps for itself.
use super::{text, types};
use crate::netcdf::header::{NamedAttributes, Raw, RawAttribute, interpret, letters};
use hdf5_reader::group::Group;
use hdf5_reader::{Attribute, ByteOrder, Datatype, RawAttribute as Stored};

/// Attributes that say how the file is built.
const HIDDEN: [&str; 10] = [
    "CLASS",
    "DIMENSION_LIST",
    "NAME",
    "REFERENCE_LIST",
    "_NCProperties",
    "_Netcdf4Coordinates",
    "_Netcdf4Dimid",
    "_nc3_strict",
    "_NCCOPIED",
    "_DIMENSION_LABELS",
];

/// The attributes of an object, in the file's order; those of types of the file's own are left
/// out. `raw` reads them again as they stand in the file, where a text cannot be understood.
pub(super) fn of(
    found: &[Attribute],
    raw: &dyn Fn() -> hdf5_reader::error::Result<Vec<Stored>>,
    root: &Group,
) -> Result<NamedAttributes, String> {
    let mut list = NamedAttributes::new();
    for attribute in found.iter().filter(|a| !HIDDEN.contains(&&*a.name)) {
        let named = |e: String| format!("attribute `{}`: {e}", attribute.name);
        if let Some(value) = value(attribute, raw, root).map_err(named)? {
            list.push((attribute.name.clone(), value));
        }
    }
    Ok(list)
}

fn value(
    attribute: &Attribute,
    raw: &dyn Fn() -> hdf5_reader::error::Result<Vec<Stored>>,
    root: &Group,
) -> Result<Option<RawAttribute>, String> {
    let count = attribute.num_elements().map_err(text)?;
    let bytes = &attribute.raw_data;
    let kind = types::raw(&attribute.datatype);
    if kind == Raw::Other {
        return Ok(None);
    }
    if count == 0 {
        return Ok(Some(interpret(kind, &[], false)));
    }
    if types::is_far(&attribute.datatype) {
        let texts = match &attribute.decoded_strings {
            Some(texts) => texts.iter().map(|t| until_zero(t)).collect(),
            None => far_texts(&attribute.name, raw, root, count)?,
        };
        return Ok(Some(RawAttribute::Text(texts.join(", "))));
    }
    let Some(width) = types::width(&attribute.datatype, 0).filter(|w| *w > 0) else {
        return Ok(None);
    };
    if (bytes.len() / width) as u64 != count {
        return Err("it is cut off".to_string());
    }
    if matches!(kind, Raw::Char | Raw::Text) && attribute.shape.is_empty() {
        return Ok(Some(RawAttribute::Text(letters(bytes))));
    }
    if matches!(kind, Raw::Char | Raw::Text) {
        let texts: Vec<String> = bytes.chunks_exact(width).map(types::fixed).collect();
        return Ok(Some(RawAttribute::Text(texts.join(", "))));
    }
    let big = types::order(&attribute.datatype) == ByteOrder::BigEndian;
    Ok(Some(interpret(kind, bytes, big)))
}

fn until_zero(text: &str) -> String {
    text.split('\0').next().unwrap_or_default().to_string()
}

/// Texts that stand elsewhere in the file, and are not of valid letters.
fn far_texts(
    name: &str,
    raw: &dyn Fn() -> hdf5_reader::error::Result<Vec<Stored>>,
    root: &Group,
    count: u64,
) -> Result<Vec<String>, String> {
    let all = raw().map_err(text)?;
    let stored = all.into_iter().find(|a| a.name() == name).ok_or("it is damaged")?;
    let (message, _) = stored.into_parts();
    let width = types::far_width(root.offset_size());
    if (message.raw_data.len() / width) as u64 != count {
        return Err("it is cut off".to_string());
    }
    message.raw_data.chunks_exact(width).map(|value| far_text(root, value)).collect()
}

/// The text that stands elsewhere in the file, at the place that a value names.
pub(super) fn far_text(root: &Group, value: &[u8]) -> Result<String, String> {
    let bytes = root.resolve_vlen_reference_bytes(value, 1).map_err(text)?;
    Ok(types::fixed(&bytes))
}

/// The datatype of an attribute, if it is a number.
pub(super) fn whole(attribute: &Attribute) -> Option<Vec<i64>> {
    if !matches!(attribute.datatype, Datatype::FixedPoint { .. }) {
        return None;
    }
    let big = types::order(&attribute.datatype) == ByteOrder::BigEndian;
    match interpret(types::raw(&attribute.datatype), &attribute.raw_data, big) {
        RawAttribute::Ints(list) => list.into_iter().map(|i| i64::try_from(i).ok()).collect(),
        _ => None,
    }
}
