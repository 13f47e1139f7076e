//! Values as text and as JSON.
use base::{DType, Value, steers, visible};
use chrono::DateTime;
use std::borrow::Cow;

/// A value as it stands in a table of lines: what is missing and what is a text can be told apart,
/// and nothing in a text breaks the line or steers a terminal.
pub fn cell(value: &Value, dtype: DType) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Str(s) => {
            let alike = s.is_empty() || s == "null" || s.trim() != s || s.starts_with('"');
            let quoted = if alike { Cow::Owned(quoted(s)) } else { Cow::Borrowed(&**s) };
            visible(&quoted).into_owned()
        }
        _ => text(value, dtype),
    }
}

/// A value as text: floats as short as they can be and still be told apart.
pub fn text(value: &Value, dtype: DType) -> String {
    match value {
        Value::Null => String::new(),
        Value::Float(x) => float(*x, dtype),
        Value::Timestamp(t) => timestamp(*t),
        Value::Str(s) => s.clone(),
        Value::Bool(_) | Value::Int(_) => value.to_string(),
    }
}

/// A value as JSON. JSON has no NaN and no infinities: they are the strings `"nan"`, `"inf"` and
/// `"-inf"`, which Python's `float` reads. Timestamps are ISO 8601 without a zone.
pub fn json(value: &Value, dtype: DType) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Float(x) if x.is_finite() => float(*x, dtype),
        Value::Float(x) => quoted(&float(*x, dtype)),
        Value::Timestamp(t) => quoted(&timestamp(*t)),
        Value::Str(s) => quoted(s),
        Value::Bool(_) | Value::Int(_) => value.to_string(),
    }
}

/// A string as JSON.
pub fn quoted(text: &str) -> String {
    harmless(serde_json::Value::from(text).to_string())
}

/// JSON in whose strings nothing steers a terminal that it is printed on.
pub fn harmless(json: String) -> String {
    // Those of ASCII but DEL are escaped already; all stand in strings, and in the first plane.
    if json.is_ascii() && !json.contains('\x7f') || !json.contains(steers) {
        return json;
    }
    let escaped = |c: char| match steers(c) {
        true => format!("\\u{:04x}", c as u32),
        false => c.to_string(),
    };
    json.chars().map(escaped).collect()
}

/// The shortest digits that read back to the same bits.
fn float(x: f64, dtype: DType) -> String {
    if x.is_nan() {
        return "nan".into();
    }
    let mut buffer = ryu::Buffer::new();
    if dtype == DType::Float32 { buffer.format(x as f32) } else { buffer.format(x) }.into()
}

/// `2020-01-31T12:00:00`, with a fraction if there is one.
fn timestamp(microseconds: i64) -> String {
    match DateTime::from_timestamp_micros(microseconds) {
        Some(time) => time.naive_utc().format("%Y-%m-%dT%H:%M:%S%.f").to_string(),
        None => format!("{microseconds} us"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_read_back_to_the_same_bits() {
        for x in [13.277605949854024, 0.1, 1e21, 5e-324, -0.0, f64::MAX] {
            let back: f64 = json(&Value::Float(x), DType::Float64).parse().unwrap_or(f64::NAN);
            assert_eq!(back.to_bits(), x.to_bits());
        }
        assert_eq!(json(&Value::Float(f64::from(0.1_f32)), DType::Float32), "0.1");
        assert_eq!(json(&Value::Float(f64::NEG_INFINITY), DType::Float64), "\"-inf\"");
        assert_eq!(json(&Value::Float(f64::NAN), DType::Float64), "\"nan\"");
    }

    #[test]
    fn timestamps_are_iso() {
        assert_eq!(text(&Value::Timestamp(0), DType::Timestamp), "1970-01-01T00:00:00");
        assert_eq!(timestamp(1_500_000), "1970-01-01T00:00:01.500");
    }

    #[test]
    fn json_steers_no_terminal() {
        let text = "a\x1b\x7f\u{9b}\u{202e}ü\"";
        let json = quoted(text);
        assert_eq!(json, r#""a\u001b\u007f\u009b\u202eü\"""#);
        assert_eq!(serde_json::from_str::<String>(&json).ok().as_deref(), Some(text));
    }
}
