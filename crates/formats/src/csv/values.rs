//! Values of text, of each type.
use arrow_array::ArrayRef;
use arrow_array::builder::{
    BooleanBuilder, Float32Builder, Float64Builder, Int32Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use base::DType;
use chrono::Utc;
use std::sync::Arc;

pub(super) fn int(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

pub(super) fn float(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

pub(super) fn truth(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// Microseconds of an ISO 8601 date or time, UTC without a zone; digits beyond are cut.
pub(super) fn time(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    Some(arrow_cast::parse::string_to_datetime(&Utc, text).ok()?.timestamp_micros())
}

/// Whether a text would be taken for another type, as a value of a column of such.
pub(super) fn looks_otherwise(text: &str) -> bool {
    let text = text.trim();
    match text.as_bytes().first() {
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => float(text).is_some() || time(text).is_some(),
        Some(b'n' | b'N' | b'i' | b'I') => float(text).is_some(),
        Some(b't' | b'T' | b'f' | b'F') => truth(text).is_some(),
        _ => false,
    }
}

/// Whether values of a type can be read of a text.
pub(super) fn fits(text: &str, dtype: DType) -> bool {
    match dtype {
        DType::Bool => truth(text).is_some(),
        DType::Int32 => text.trim().parse::<i32>().is_ok(),
        DType::Int64 => int(text).is_some(),
        DType::Float32 | DType::Float64 => float(text).is_some(),
        DType::Timestamp => time(text).is_some(),
        DType::String | DType::Binary => true,
    }
}

/// The values of one column of a tile.
pub(super) enum Builder {
    Bool(BooleanBuilder),
    Int32(Int32Builder),
    Int(Int64Builder),
    Float32(Float32Builder),
    Float(Float64Builder),
    Text(StringBuilder),
    Time(TimestampMicrosecondBuilder),
}

impl Builder {
    /// For values of a type.
    pub(super) fn new(dtype: DType, rows: usize) -> Builder {
        match dtype {
            DType::Bool => Builder::Bool(BooleanBuilder::with_capacity(rows)),
            DType::Int32 => Builder::Int32(Int32Builder::with_capacity(rows)),
            DType::Int64 => Builder::Int(Int64Builder::with_capacity(rows)),
            DType::Float32 => Builder::Float32(Float32Builder::with_capacity(rows)),
            DType::Float64 => Builder::Float(Float64Builder::with_capacity(rows)),
            DType::Timestamp => Builder::Time(TimestampMicrosecondBuilder::with_capacity(rows)),
            DType::String | DType::Binary => Builder::Text(StringBuilder::new()),
        }
    }

    /// Appends a value; `None` is a missing one. Whether it was of the type.
    pub(super) fn push(&mut self, text: Option<&str>) -> bool {
        macro_rules! append {
            ($builder:expr, $parse:expr) => {{
                let value = text.map($parse);
                $builder.append_option(value.flatten());
                value != Some(None)
            }};
        }
        match self {
            Builder::Bool(b) => append!(b, truth),
            Builder::Int32(b) => append!(b, |t: &str| t.trim().parse().ok()),
            Builder::Int(b) => append!(b, int),
            Builder::Float32(b) => append!(b, |t: &str| t.trim().parse::<f32>().ok()),
            Builder::Float(b) => append!(b, |t: &str| float(t)),
            Builder::Time(b) => append!(b, time),
            Builder::Text(b) => {
                b.append_option(text);
                true
            }
        }
    }

    /// The array.
    pub(super) fn finish(self) -> ArrayRef {
        match self {
            Builder::Bool(mut b) => Arc::new(b.finish()),
            Builder::Int32(mut b) => Arc::new(b.finish()),
            Builder::Int(mut b) => Arc::new(b.finish()),
            Builder::Float32(mut b) => Arc::new(b.finish()),
            Builder::Float(mut b) => Arc::new(b.finish()),
            Builder::Text(mut b) => Arc::new(b.finish()),
            Builder::Time(mut b) => Arc::new(b.finish()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_microseconds() {
        assert_eq!(time("1970-01-02 00:00:00.000001"), Some(86_400_000_001));
        assert_eq!(time("1970-01-01T02:00:00+02:00"), Some(0));
        assert_eq!(time("1969-12-31T23:59:59.999999"), Some(-1));
    }

    #[test]
    fn texts_that_look_like_values_are_known() {
        for text in ["007", "1e5", "-.5", "nan", "Inf", "true", "FALSE", "2000-01-01", " 1 "] {
            assert!(looks_otherwise(text), "{text}");
        }
        for text in ["", "NULL", "a", "2000-13-01", "1.2.3", "Nancy", "truth"] {
            assert!(!looks_otherwise(text), "{text}");
        }
    }
}
