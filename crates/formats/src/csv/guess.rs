//! Types of text: what a column is if all its values are, and the values themselves.
use arrow_array::ArrayRef;
use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use base::DType;
use chrono::Utc;
use std::sync::Arc;

/// What a column may still be after the values seen so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guess {
    bool: bool,
    int: bool,
    float: bool,
    time: bool,
    /// Whether there was a value.
    any: bool,
    /// Whether there was an empty text in quotes.
    empty: bool,
    null: bool,
}

impl Guess {
    /// Nothing seen.
    pub(super) fn new() -> Guess {
        Guess {
            bool: true,
            int: true,
            float: true,
            time: true,
            any: false,
            empty: false,
            null: false,
        }
    }

    /// Takes a missing value into account.
    pub(super) fn see_null(&mut self) {
        self.null = true;
    }

    /// Takes a value into account.
    pub(super) fn see(&mut self, text: &str, quoted: bool) {
        if quoted && text.is_empty() {
            self.empty = true;
            return;
        }
        self.any = true;
        let int = self.int && int(text).is_some();
        self.int = int;
        self.float = self.float && (int || float(text).is_some());
        self.bool = self.bool && truth(text).is_some();
        self.time = self.time && time(text).is_some();
    }

    /// Takes the values of another file into account.
    pub fn join(&mut self, other: &Guess) {
        self.bool &= other.bool;
        self.int &= other.int;
        self.float &= other.float;
        self.time &= other.time;
        self.any |= other.any;
        self.empty |= other.empty;
        self.null |= other.null;
    }

    /// The type that all values have; float64 if there were none.
    pub fn dtype(&self) -> DType {
        match self {
            Guess { any: false, empty: true, .. } => DType::String,
            Guess { any: false, .. } => DType::Float64,
            Guess { bool: true, .. } => DType::Bool,
            Guess { int: true, .. } => DType::Int64,
            Guess { float: true, .. } => DType::Float64,
            Guess { time: true, .. } => DType::Timestamp,
            _ => DType::String,
        }
    }

    /// This type, if all values can be read as such, or the one that they have.
    pub(super) fn dtype_like(&self, like: Option<DType>) -> DType {
        let fits = |like: &DType| match like {
            DType::String => true,
            DType::Bool => !self.any || self.bool,
            DType::Int64 => !self.any || self.int,
            DType::Float64 => !self.any || self.float,
            DType::Timestamp => !self.any || self.time,
            _ => false,
        };
        like.filter(fits).unwrap_or_else(|| self.dtype())
    }

    /// Whether values may be missing, if they are of this type.
    pub(super) fn nullable(&self, dtype: DType) -> bool {
        self.null || (self.empty && dtype != DType::String)
    }
}

fn int(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

fn float(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

fn truth(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// Microseconds of an ISO 8601 date or time, UTC without a zone; digits beyond are cut.
fn time(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    Some(arrow_cast::parse::string_to_datetime(&Utc, text).ok()?.timestamp_micros())
}

/// The values of one column of a tile.
pub(super) enum Builder {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Text(StringBuilder),
    Time(TimestampMicrosecondBuilder),
}

impl Builder {
    /// For values of a type that a [`Guess`] can have.
    pub(super) fn new(dtype: DType, rows: usize) -> Builder {
        match dtype {
            DType::Bool => Builder::Bool(BooleanBuilder::with_capacity(rows)),
            DType::Int32 | DType::Int64 => Builder::Int(Int64Builder::with_capacity(rows)),
            DType::Float32 | DType::Float64 => Builder::Float(Float64Builder::with_capacity(rows)),
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
            Builder::Int(b) => append!(b, int),
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
            Builder::Int(mut b) => Arc::new(b.finish()),
            Builder::Float(mut b) => Arc::new(b.finish()),
            Builder::Text(mut b) => Arc::new(b.finish()),
            Builder::Time(mut b) => Arc::new(b.finish()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(values: &[&str]) -> DType {
        let mut guess = Guess::new();
        for value in values {
            guess.see(value, false);
        }
        guess.dtype()
    }

    #[test]
    fn one_value_decides() {
        assert_eq!(guess(&[]), DType::Float64);
        assert_eq!(guess(&["true", "False"]), DType::Bool);
        assert_eq!(guess(&["1", " -2 "]), DType::Int64);
        assert_eq!(guess(&["1", "99999999999999999999"]), DType::Float64);
        assert_eq!(guess(&["1e5", "nan", "-inf", ".5"]), DType::Float64);
        assert_eq!(guess(&["2020-01-01", "2020-02-30"]), DType::String);
        assert_eq!(guess(&["2020-01-01", "2020-01-01T10:00:00.5Z"]), DType::Timestamp);
        assert_eq!(guess(&["1", "true"]), DType::String);
    }

    #[test]
    fn times_are_in_microseconds() {
        assert_eq!(time("1970-01-02 00:00:00.000001"), Some(86_400_000_001));
        assert_eq!(time("1970-01-01T02:00:00+02:00"), Some(0));
        assert_eq!(time("1969-12-31T23:59:59.999999"), Some(-1));
    }
}
