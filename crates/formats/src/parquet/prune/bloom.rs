//! Bloom filters: whether a value is certainly not among those of a column chunk.
use crate::input::Input;
use crate::{Ask, Comparison};
use arrow_schema::{DataType, TimeUnit};
use base::Value;
use parquet::basic::Type;
use parquet::bloom_filter::Sbbf;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;

/// Whether a row of the chunk may pass; true if it has no filter or the test is not for equality.
pub(super) fn may_pass(
    chunk: &ColumnChunkMetaData,
    arrow: &DataType,
    ask: &Ask,
    file: &Input,
) -> Result<bool, ParquetError> {
    let Ask::Compare { op: Comparison::Eq, constant, .. } = ask else { return Ok(true) };
    let Some(key) = key(chunk.column_type(), arrow, constant) else { return Ok(true) };
    let Some(filter) = Sbbf::read_from_column_chunk(chunk, file)? else { return Ok(true) };
    Ok(match key {
        Key::Int32(i) => filter.check(&i),
        Key::Int64(i) => filter.check(&i),
        // Of either sign.
        Key::Float(0.0) => filter.check(&0.0f32) || filter.check(&-0.0f32),
        Key::Float(x) => filter.check(&x),
        Key::Double(0.0) => filter.check(&0.0f64) || filter.check(&-0.0f64),
        Key::Double(x) => filter.check(&x),
        Key::Text(text) => filter.check(text),
    })
}

/// A value as the file stores it.
enum Key<'a> {
    Int32(i32),
    Int64(i64),
    Float(f32),
    Double(f64),
    Text(&'a str),
}

/// The only value of the file's type that equals the constant; `None` if there may be others, or
/// none.
fn key<'a>(stored: Type, arrow: &DataType, constant: &'a Value) -> Option<Key<'a>> {
    let arrow = match arrow {
        DataType::Dictionary(_, values) => values,
        other => other,
    };
    match (stored, arrow) {
        (Type::INT32, DataType::Int8 | DataType::Int16 | DataType::Int32) => {
            i32::try_from(whole(constant)?).ok().map(Key::Int32)
        }
        (Type::INT64, DataType::Int64) => whole(constant).map(Key::Int64),
        (Type::INT64, DataType::Timestamp(TimeUnit::Microsecond, _)) => match constant {
            Value::Timestamp(t) => Some(Key::Int64(*t)),
            _ => None,
        },
        (Type::FLOAT, DataType::Float32) => {
            let x = constant.as_f64()?;
            (f64::from(x as f32) == x).then_some(Key::Float(x as f32))
        }
        (Type::DOUBLE, DataType::Float64) => constant.as_f64().map(Key::Double),
        (Type::BYTE_ARRAY, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => {
            match constant {
                Value::Str(text) => Some(Key::Text(text)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The integer that equals a number; beyond 2^53 several become the same float64.
fn whole(constant: &Value) -> Option<i64> {
    match constant {
        Value::Float(x) if x.abs() > 9e15 => None,
        number => number.as_i64(),
    }
}
