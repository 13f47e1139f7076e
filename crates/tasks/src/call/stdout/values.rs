//! Values of a column, of texts and of JSON.
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use arrow_cast::parse::Parser;
use base::{DType, Value};
use std::sync::Arc;

/// The value of a type that a text says.
pub(super) fn of_text(text: &str, dtype: DType) -> Option<Value> {
    let trimmed = text.trim();
    match dtype {
        DType::Bool => match trimmed {
            "true" | "True" | "TRUE" => Some(Value::Bool(true)),
            "false" | "False" | "FALSE" => Some(Value::Bool(false)),
            _ => None,
        },
        DType::Int32 => trimmed.parse::<i32>().ok().map(|i| Value::Int(i.into())),
        DType::Int64 => trimmed.parse().ok().map(Value::Int),
        DType::Float32 | DType::Float64 => trimmed.parse().ok().map(Value::Float),
        DType::String => Some(Value::Str(text.to_owned())),
        // Arrow would take a number for one of nanoseconds.
        DType::Timestamp if trimmed.as_bytes().get(4) != Some(&b'-') => None,
        DType::Timestamp => TimestampMicrosecondType::parse(trimmed).map(Value::Timestamp),
        DType::Binary => None,
    }
}

/// The value of a type that JSON says. A string of a number that JSON has none for is one: `"nan"`.
pub(super) fn of_json(json: &serde_json::Value, dtype: DType) -> Option<Value> {
    use serde_json::Value as Json;
    match (json, dtype) {
        (Json::Null, _) => Some(Value::Null),
        (Json::Bool(b), DType::Bool) => Some(Value::Bool(*b)),
        (Json::Number(n), DType::Int32 | DType::Int64) => {
            let i = n.as_i64().or_else(|| Value::Float(n.as_f64()?).as_i64())?;
            (dtype == DType::Int64 || i32::try_from(i).is_ok()).then_some(Value::Int(i))
        }
        (Json::Number(n), DType::Float32 | DType::Float64) => n.as_f64().map(Value::Float),
        (Json::String(s), DType::Float32 | DType::Float64) => {
            of_text(s, dtype).filter(|v| v.as_f64().is_some_and(|x| !x.is_finite()))
        }
        (Json::String(s), DType::String | DType::Timestamp) => of_text(s, dtype),
        _ => None,
    }
}

/// An array of values, each missing or of this type.
pub(super) fn array(dtype: DType, values: Vec<Value>) -> ArrayRef {
    let int = |v: &Value| v.as_i64();
    let small = |v: &Value| v.as_i64().and_then(|i| i32::try_from(i).ok());
    let truth = |v: &Value| if let Value::Bool(b) = v { Some(*b) } else { None };
    let time = |v: &Value| if let Value::Timestamp(t) = v { Some(*t) } else { None };
    let text = |v: Value| if let Value::Str(s) = v { Some(s) } else { None };
    let all = values.iter();
    match dtype {
        DType::Bool => Arc::new(all.map(truth).collect::<BooleanArray>()),
        DType::Int32 => Arc::new(all.map(small).collect::<Int32Array>()),
        DType::Int64 => Arc::new(all.map(int).collect::<Int64Array>()),
        DType::Float32 => {
            Arc::new(all.map(|v| v.as_f64().map(|x| x as f32)).collect::<Float32Array>())
        }
        DType::Float64 => Arc::new(all.map(Value::as_f64).collect::<Float64Array>()),
        DType::Timestamp => Arc::new(all.map(time).collect::<TimestampMicrosecondArray>()),
        DType::String | DType::Binary => {
            Arc::new(values.into_iter().map(text).collect::<StringArray>())
        }
    }
}
