//! Conversions between types.
use super::Function;
use crate::check::time::timestamp;
use crate::check::{Arguments, Built};
use base::{DType, Value};

/// `bool(x)`
pub static BOOL: Function = Function {
    name: "bool",
    aliases: &[],
    signature: "bool(x)",
    doc: "Whether x is not zero.",
    examples: &[("bool(2)", "True"), ("bool(0.0)", "False")],
    arity: 1..=1,
    build: |a| convert(a, DType::Bool),
};

/// `int32(x)`
pub static INT32: Function = Function {
    name: "int32",
    aliases: &[],
    signature: "int32(x)",
    doc: "x as int32: fractions are cut off, too large floats become the largest, NaN becomes 0, integers wrap.",
    examples: &[("int32(-1.7)", "-1"), ("int32(3e9)", "2147483647")],
    arity: 1..=1,
    build: |a| convert(a, DType::Int32),
};

/// `int64(x)`
pub static INT64: Function = Function {
    name: "int64",
    aliases: &[],
    signature: "int64(x)",
    doc: "x as int64: fractions are cut off, too large floats become the largest, NaN becomes 0.\nOf a timestamp: microseconds since 1970-01-01.",
    examples: &[("int64(1e8)", "100000000")],
    arity: 1..=1,
    build: |a| convert(a, DType::Int64),
};

/// `float32(x)`
pub static FLOAT32: Function = Function {
    name: "float32",
    aliases: &[],
    signature: "float32(x)",
    doc: "x as float32, rounded to the nearest.",
    examples: &[("float32(0.5)", "0.5")],
    arity: 1..=1,
    build: |a| convert(a, DType::Float32),
};

/// `float64(x)`
pub static FLOAT64: Function = Function {
    name: "float64",
    aliases: &[],
    signature: "float64(x)",
    doc: "x as float64, rounded to the nearest.",
    examples: &[("float64(1)", "1.0")],
    arity: 1..=1,
    build: |a| convert(a, DType::Float64),
};

/// `timestamp(text)`
pub static TIMESTAMP: Function = Function {
    name: "timestamp",
    aliases: &[],
    signature: "timestamp(text)",
    doc: "The time that an ISO 8601 text means, in UTC; or of an integer: microseconds since 1970-01-01.",
    examples: &[
        ("year(timestamp('2024-02-29'))", "2024"),
        ("int64(timestamp('1970-01-01T00:00:01'))", "1000000"),
    ],
    arity: 1..=1,
    build: |a| {
        match a.dtype(0) {
            Some(DType::String) => {}
            Some(DType::Bool | DType::Float32 | DType::Float64) => {
                let mistake = a.wrong(0, "a text or an integer");
                return Err(Box::new(mistake.help("microseconds: `timestamp(int64(x))`")));
            }
            _ => return convert(a, DType::Timestamp),
        }
        match a.constant(0)? {
            Value::Str(text) if timestamp(&text).is_none() => Err(Box::new(a.value(
                0,
                "a time",
                "a time such as '2024-01-31' or '2024-01-31T12:00:00'",
                &text,
            ))),
            _ => a.literal(0, DType::Timestamp),
        }
    },
};

/// A literal is converted as a value is: it need not fit as it would have to beside a column.
fn convert(a: &mut Arguments, to: DType) -> Built {
    match a.dtype(0) {
        None => a.cast(0, to),
        Some(DType::String) => Err(a.wrong(0, "a number, a bool or a timestamp")),
        Some(from) => {
            let own = a.cast(0, from)?;
            a.convert(own, to)
        }
    }
}
