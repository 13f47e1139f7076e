//! Literals: arithmetic of integers among them, and their notation.
use crate::syntax::{BinaryOp, literal};
use base::Value;
use std::fmt;

/// What exact arithmetic makes of two integer literals.
pub(super) enum Exact {
    /// The result.
    Value(i64),
    /// It does not fit into int64.
    Overflow,
    /// Not a case for exact arithmetic: the kernels decide.
    Other,
}

/// `x op y` of integer literals, as Python computes it.
pub(super) fn integers(op: BinaryOp, x: i64, y: i64) -> Exact {
    let exact = match op {
        BinaryOp::Add => x.checked_add(y),
        BinaryOp::Sub => x.checked_sub(y),
        BinaryOp::Mul => x.checked_mul(y),
        BinaryOp::Pow if y >= 0 => power(x, y),
        BinaryOp::Shl if y >= 0 => power(2, y).and_then(|p| x.checked_mul(p)),
        _ => return Exact::Other,
    };
    exact.map_or(Exact::Overflow, Exact::Value)
}

fn power(x: i64, y: i64) -> Option<i64> {
    match x {
        0 | 1 => Some(if y == 0 { 1 } else { x }),
        -1 => Some(if y % 2 == 0 { 1 } else { -1 }),
        _ => x.checked_pow(u32::try_from(y).ok()?),
    }
}

/// A value as it is written in expressions.
pub(crate) fn show(value: &Value) -> String {
    struct Shown<'a>(&'a Value);
    impl fmt::Display for Shown<'_> {
        fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
            literal(f, self.0)
        }
    }
    Shown(value).to_string()
}

/// The microseconds since 1970-01-01 that an ISO 8601 text means, in UTC.
pub(crate) fn timestamp(text: &str) -> Option<i64> {
    use chrono::{DateTime, NaiveDate, NaiveDateTime};
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_micros());
    }
    let text = text.strip_suffix('Z').unwrap_or(text);
    for format in
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
    {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
            return Some(time.and_utc().timestamp_micros());
        }
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros())
}
