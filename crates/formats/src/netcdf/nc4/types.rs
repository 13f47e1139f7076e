//! HDF5's types as NetCDF's.
use crate::netcdf::header::Raw;
use hdf5_reader::{ByteOrder, Datatype, StringSize, VarLenKind};

/// The NetCDF type of values of an HDF5 type.
pub(super) fn raw(kind: &Datatype) -> Raw {
    match kind {
        Datatype::FixedPoint { size, signed, .. } => match (size, signed) {
            (1, true) => Raw::I8,
            (1, false) => Raw::U8,
            (2, true) => Raw::I16,
            (2, false) => Raw::U16,
            (4, true) => Raw::I32,
            (4, false) => Raw::U32,
            (8, true) => Raw::I64,
            (8, false) => Raw::U64,
            _ => Raw::Other,
        },
        Datatype::FloatingPoint { size: 4, .. } => Raw::F32,
        Datatype::FloatingPoint { size: 8, .. } => Raw::F64,
        Datatype::String { size: StringSize::Fixed(1), .. } => Raw::Char,
        Datatype::String { .. } => Raw::Text,
        Datatype::VarLen { kind: VarLenKind::String, .. } => Raw::Text,
        _ => Raw::Other,
    }
}

/// Whether texts of this type stand elsewhere in the file.
pub(super) fn is_far(kind: &Datatype) -> bool {
    matches!(
        kind,
        Datatype::String { size: StringSize::Variable, .. }
            | Datatype::VarLen { kind: VarLenKind::String, .. }
    )
}

/// Bytes of a value that names the place of a text: length, address, number.
pub(super) fn far_width(offset_size: u8) -> usize {
    4 + usize::from(offset_size) + 4
}

/// Bytes of one value; `None` for types of the file's own.
pub(super) fn width(kind: &Datatype, offset_size: u8) -> Option<usize> {
    match kind {
        kind if is_far(kind) => Some(far_width(offset_size)),
        Datatype::FixedPoint { size, .. } | Datatype::FloatingPoint { size, .. } => {
            Some(usize::from(*size))
        }
        Datatype::String { size: StringSize::Fixed(size), .. } => Some(*size as usize),
        _ => None,
    }
}

pub(super) fn order(kind: &Datatype) -> ByteOrder {
    match kind {
        Datatype::FixedPoint { byte_order, .. } | Datatype::FloatingPoint { byte_order, .. } => {
            *byte_order
        }
        _ => ByteOrder::LittleEndian,
    }
}

/// A text of fixed length, which ends at its first zero.
pub(super) fn fixed(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// What a type is that NetCDF does not have, in words.
pub(super) fn describe(kind: &Datatype) -> String {
    match kind {
        Datatype::FixedPoint { size, .. } => format!("integer of {size} bytes"),
        Datatype::FloatingPoint { size, .. } => format!("float of {size} bytes"),
        Datatype::String { .. } => "text".to_string(),
        Datatype::Enum { members, .. } => {
            let names: Vec<&str> = members.iter().map(|m| m.name.as_str()).collect();
            format!("enum ({})", names.join(", "))
        }
        Datatype::Compound { fields, .. } => {
            let names: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
            format!("compound ({})", names.join(", "))
        }
        Datatype::Array { base, .. } => format!("array of {}", describe(base)),
        Datatype::VarLen { base, .. } => format!("variable-length list of {}", describe(base)),
        Datatype::Opaque { size, .. } => format!("opaque of {size} bytes"),
        Datatype::Reference { .. } => "reference".to_string(),
        Datatype::Bitfield { .. } => "bit field".to_string(),
    }
}
