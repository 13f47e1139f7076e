//! What the header of a NetCDF file says, of any form: groups, dimensions, variables, attributes.
use super::stored::Stored;
use std::sync::Arc;

/// How a variable's values lie in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raw {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
    /// Single letters; the last dimension is the length of a text.
    Char,
    /// NC_STRING
    Text,
    /// Compound, enumeration, opaque or of variable length.
    Other,
}

impl Raw {
    /// Bytes of one value; 0 for those that are not numbers or letters.
    pub(super) fn width(self) -> usize {
        match self {
            Raw::I8 | Raw::U8 | Raw::Char => 1,
            Raw::I16 | Raw::U16 => 2,
            Raw::I32 | Raw::U32 | Raw::F32 => 4,
            Raw::I64 | Raw::U64 | Raw::F64 => 8,
            Raw::Text | Raw::Other => 0,
        }
    }

    /// The unsigned type of the same width, as the attribute `_Unsigned` asks for.
    pub(super) fn unsigned(self) -> Raw {
        match self {
            Raw::I8 => Raw::U8,
            Raw::I16 => Raw::U16,
            Raw::I32 => Raw::U32,
            Raw::I64 => Raw::U64,
            other => other,
        }
    }

    /// What stands where nothing was written, if the file does not say (`NC_FILL_…` of netcdf.h),
    /// in the machine's byte order; nothing for texts.
    pub(super) fn default_fill(self) -> Vec<u8> {
        match self {
            Raw::I8 => (-127i8).to_ne_bytes().to_vec(),
            Raw::U8 => vec![255],
            Raw::Char => vec![0],
            Raw::I16 => (-32767i16).to_ne_bytes().to_vec(),
            Raw::U16 => 65535u16.to_ne_bytes().to_vec(),
            Raw::I32 => (-2147483647i32).to_ne_bytes().to_vec(),
            Raw::U32 => 4294967295u32.to_ne_bytes().to_vec(),
            Raw::I64 => (-9223372036854775806i64).to_ne_bytes().to_vec(),
            Raw::U64 => 18446744073709551614u64.to_ne_bytes().to_vec(),
            Raw::F32 => 9.969_21e36f32.to_ne_bytes().to_vec(),
            Raw::F64 => 9.969_209_968_386_869e36f64.to_ne_bytes().to_vec(),
            Raw::Text | Raw::Other => Vec::new(),
        }
    }
}

/// The value of an attribute as the file has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum RawAttribute {
    Text(String),
    Ints(Vec<i128>),
    /// Numbers, and whether the file has them in single precision.
    Floats(Vec<f64>, bool),
}

/// Attributes in the file's order.
pub(super) type NamedAttributes = Vec<(String, RawAttribute)>;

/// A dimension of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RawDim {
    pub(super) name: String,
    pub(super) size: u64,
    /// Whether it may grow.
    pub(super) unlimited: bool,
}

/// A group of an open file.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// Its number among the groups of the file.
    pub(super) number: usize,
}

/// A variable and all that its header says.
#[derive(Clone, Debug)]
pub(super) struct RawVariable {
    pub(super) name: String,
    pub(super) raw: Raw,
    /// What a type of the file's own is, such as `enum (no = 0, yes = 1)`.
    pub(super) kind: Option<String>,
    pub(super) dims: Vec<RawDim>,
    pub(super) attributes: NamedAttributes,
    /// The shape of its chunks, if it is cut into chunks.
    pub(super) chunks: Option<Vec<u64>>,
    /// Whether cells that were never written hold the fill value, and not just anything.
    pub(super) filled: bool,
    /// Where its values lie.
    pub(super) stored: Arc<Stored>,
}

impl RawVariable {
    pub(super) fn attribute(&self, name: &str) -> Option<&RawAttribute> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.attribute(name) {
            Some(RawAttribute::Text(text)) => Some(text),
            _ => None,
        }
    }
}

macro_rules! numbers {
    ($bytes:expr, $big:expr, $t:ty, $to:ty) => {{
        let value = |c: &[u8]| {
            let bytes = c.try_into().ok()?;
            let number = if $big { <$t>::from_be_bytes(bytes) } else { <$t>::from_le_bytes(bytes) };
            Some(number as $to)
        };
        $bytes.chunks_exact(size_of::<$t>()).filter_map(value).collect()
    }};
}

/// The values of an attribute, of this type; `big` if the first byte is the highest.
pub(super) fn interpret(raw: Raw, bytes: &[u8], big: bool) -> RawAttribute {
    use RawAttribute::{Floats, Ints};
    match raw {
        Raw::I8 => Ints(numbers!(bytes, big, i8, i128)),
        Raw::U8 => Ints(numbers!(bytes, big, u8, i128)),
        Raw::I16 => Ints(numbers!(bytes, big, i16, i128)),
        Raw::U16 => Ints(numbers!(bytes, big, u16, i128)),
        Raw::I32 => Ints(numbers!(bytes, big, i32, i128)),
        Raw::U32 => Ints(numbers!(bytes, big, u32, i128)),
        Raw::I64 => Ints(numbers!(bytes, big, i64, i128)),
        Raw::U64 => Ints(numbers!(bytes, big, u64, i128)),
        Raw::F32 => Floats(numbers!(bytes, big, f32, f64), true),
        Raw::F64 => Floats(numbers!(bytes, big, f64, f64), false),
        Raw::Char | Raw::Text | Raw::Other => RawAttribute::Text(letters(bytes)),
    }
}

/// Letters less the zeros behind them.
pub(super) fn letters(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |i| i + 1);
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
