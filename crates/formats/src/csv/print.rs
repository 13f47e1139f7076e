//! Rows as text.
use super::values::looks_otherwise;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use base::Failure;
use chrono::DateTime;
use std::io::Write;

/// The lines of a batch. Floats have as many digits as reading the same bits back takes, or are
/// `NaN`, `inf`, `-inf` as other tools read them; missing values are nothing, or `NA` where the line would be blank.
pub(super) fn lines(batch: &RecordBatch, delimiter: u8) -> Result<Vec<u8>, Failure> {
    let cells: Vec<Cells> =
        batch.columns().iter().map(|a| Cells::new(a)).collect::<Result<_, _>>()?;
    let mut out = Vec::with_capacity(batch.num_rows() * cells.len() * 12);
    for row in 0..batch.num_rows() {
        for (i, (cell, array)) in cells.iter().zip(batch.columns()).enumerate() {
            if i > 0 {
                out.push(delimiter);
            }
            if array.is_valid(row) {
                cell.print(row, delimiter, &mut out)?;
            } else if cells.len() == 1 {
                out.extend_from_slice(b"NA");
            }
        }
        out.push(b'\n');
    }
    Ok(out)
}

/// The line of names.
pub(super) fn header<'a>(names: impl Iterator<Item = &'a str>, delimiter: u8) -> Vec<u8> {
    let mut out = Vec::new();
    for (i, name) in names.enumerate() {
        if i > 0 {
            out.push(delimiter);
        }
        text(name, delimiter, &mut out);
    }
    out.push(b'\n');
    out
}

/// The values of a column, of its type.
enum Cells<'a> {
    Bool(&'a arrow_array::BooleanArray),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    Text(&'a arrow_array::StringArray),
    Time(&'a [i64]),
}

impl<'a> Cells<'a> {
    fn new(array: &'a dyn Array) -> Result<Cells<'a>, Failure> {
        Ok(match array.data_type() {
            DataType::Boolean => Cells::Bool(array.as_boolean()),
            DataType::Int32 => Cells::Int32(array.as_primitive::<Int32Type>().values()),
            DataType::Int64 => Cells::Int64(array.as_primitive::<Int64Type>().values()),
            DataType::Float32 => Cells::Float32(array.as_primitive::<Float32Type>().values()),
            DataType::Float64 => Cells::Float64(array.as_primitive::<Float64Type>().values()),
            DataType::Utf8 => Cells::Text(array.as_string()),
            DataType::Timestamp(..) => {
                Cells::Time(array.as_primitive::<TimestampMicrosecondType>().values())
            }
            other => return Err(Failure::internal(format!("{other} is no type of a column"))),
        })
    }

    fn print(&self, row: usize, delimiter: u8, out: &mut Vec<u8>) -> Result<(), Failure> {
        let written = match self {
            Cells::Bool(a) => write!(out, "{}", a.value(row)),
            Cells::Int32(a) => write!(out, "{}", a[row]),
            Cells::Int64(a) => write!(out, "{}", a[row]),
            Cells::Float32(a) => write!(out, "{:?}", a[row]),
            Cells::Float64(a) => write!(out, "{:?}", a[row]),
            Cells::Text(a) => {
                text(a.value(row), delimiter, out);
                Ok(())
            }
            Cells::Time(a) => return time(a[row], out),
        };
        written.map_err(|e| Failure::internal(e.to_string()))
    }
}

/// In quotes where it must be, or where it would read back as missing, or as another type.
fn text(text: &str, delimiter: u8, out: &mut Vec<u8>) {
    let special = |b: u8| b == delimiter || matches!(b, b'"' | b'\n' | b'\r');
    let alone = matches!(text.trim(), "" | "NA") || looks_otherwise(text);
    if alone || text.bytes().any(special) {
        out.push(b'"');
        out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

/// ISO 8601, UTC without saying so, microseconds only if there are some.
fn time(microseconds: i64, out: &mut Vec<u8>) -> Result<(), Failure> {
    let instant = DateTime::from_timestamp_micros(microseconds).ok_or_else(|| {
        Failure::data(format!("the time {microseconds} us is too far from 1970 to be written"))
    })?;
    let form = match microseconds.rem_euclid(1_000_000) {
        0 => "%Y-%m-%dT%H:%M:%S",
        _ => "%Y-%m-%dT%H:%M:%S%.6f",
    };
    write!(out, "{}", instant.format(form)).map_err(|e| Failure::internal(e.to_string()))
}
