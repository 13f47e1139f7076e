//! Which columns and constants a reduction takes, and the sentence when it does not.
use base::{DType, Value};

/// A set of types and what users call them.
pub(super) struct Types {
    name: &'static str,
    has: fn(DType) -> bool,
}

/// bool, integers, floats
pub(super) const NUMBERS: Types = Types {
    name: "a number (bool, int32, int64, float32, float64)",
    has: |t| t.is_number() || t == DType::Bool,
};

/// Numbers without bool.
pub(super) const INTEGERS_AND_FLOATS: Types =
    Types { name: "a number (int32, int64, float32, float64)", has: DType::is_number };

/// Everything that users can name.
pub(super) const ANY: Types =
    Types { name: "a value of any type", has: |t| DType::NAMED.contains(&t) };

/// The column's type if it is one of these and there are no constants.
pub(super) fn column(
    signature: &str,
    types: Types,
    column: Option<DType>,
    constants: &[Value],
) -> Result<DType, String> {
    let taken = needs(signature, types, column)?;
    match constants {
        [] => Ok(taken),
        _ => Err(format!("`{signature}` takes one argument, not {}", 1 + constants.len())),
    }
}

/// The column's type if it is one of these.
pub(super) fn needs(signature: &str, types: Types, column: Option<DType>) -> Result<DType, String> {
    match column {
        None => Err(format!("`{signature}` needs a column x")),
        Some(t) if !(types.has)(t) => {
            Err(format!("x in `{signature}` must be {}, not {t}", types.name))
        }
        Some(t) => Ok(t),
    }
}

/// float32 for float32, else float64.
pub(super) fn float_of(column: DType) -> DType {
    if column == DType::Float32 { DType::Float32 } else { DType::Float64 }
}
