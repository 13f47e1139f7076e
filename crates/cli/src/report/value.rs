//! Values as text, as JSON that users read, and as JSON between processes.
use base::{DType, Value};
use chrono::DateTime;

/// A value as it stands in a table: floats as short as they can be and still be told apart.
pub fn text(value: &Value, dtype: DType) -> String {
    match value {
        Value::Null => "-".into(),
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
    serde_json::Value::from(text).to_string()
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

/// For another process: what [`decode`] makes the same value of.
pub fn encode(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(b) => (*b).into(),
        Value::Int(i) | Value::Timestamp(i) => (*i).into(),
        Value::Float(x) if x.is_finite() => (*x).into(),
        Value::Float(x) => float(*x, DType::Float64).into(),
        Value::Str(s) => s.as_str().into(),
    }
}

/// What [`encode`] made, of a column of this type.
pub fn decode(json: &serde_json::Value, dtype: DType) -> Value {
    let value = match dtype {
        DType::Bool => json.as_bool().map(Value::Bool),
        DType::Int32 | DType::Int64 => json.as_i64().map(Value::Int),
        DType::Timestamp => json.as_i64().map(Value::Timestamp),
        DType::Float32 | DType::Float64 => {
            let special = || json.as_str().and_then(|s| s.parse().ok());
            json.as_f64().or_else(special).map(Value::Float)
        }
        DType::String => json.as_str().map(|s| Value::Str(s.into())),
        DType::Binary => None,
    };
    value.unwrap_or(Value::Null)
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
    fn values_survive_the_way_between_processes() {
        let cases = [
            (Value::Null, DType::Float64),
            (Value::Bool(true), DType::Bool),
            (Value::Int(i64::MIN), DType::Int64),
            (Value::Timestamp(5), DType::Timestamp),
            (Value::Float(13.277605949854024), DType::Float64),
            (Value::Float(f64::from(0.1_f32)), DType::Float32),
            (Value::Float(f64::INFINITY), DType::Float64),
            (Value::Str("ä\"\n".into()), DType::String),
        ];
        for (value, dtype) in cases {
            let text = encode(&value).to_string();
            let back = serde_json::from_str(&text).map(|j| decode(&j, dtype));
            assert_eq!(back.ok(), Some(value));
        }
    }
}
