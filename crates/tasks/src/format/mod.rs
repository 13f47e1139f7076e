//! How a value is written into a text: Python's format specification.
//!
//! Source: Python Library Reference, "Format Specification Mini-Language". Without a specification a
//! value is written as Tidemill shows it: floats with the fewest digits that read back to the same
//! bits, truth values as `true` and `false`, times as ISO 8601. A specification with letters behind
//! `%`, `%Y-%m-%d`, is one of `strftime`, for times.
mod number;
mod pad;
mod spec;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef};
use base::DType;
use chrono::DateTime;
use number::Number;
use spec::Spec;
use std::fmt::Write;

/// Python's format specification, `04d` or `.3f`; empty: as the value is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Format(Kind);

#[derive(Clone, Debug, Default, PartialEq)]
enum Kind {
    #[default]
    Shown,
    Spec(Spec),
    Time(String),
}

/// A value, borrowed.
enum Plain<'a> {
    Number(Number),
    Text(&'a str),
    /// Microseconds since 1970.
    Time(i64),
}

impl Format {
    /// Reads a specification.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn parse(text: &str) -> Result<Format, String> {
        if text.is_empty() {
            return Ok(Format::default());
        }
        match Spec::parse(text) {
            Ok(spec) => Ok(Format(Kind::Spec(spec))),
            Err(_) if is_time(text) => Ok(Format(Kind::Time(text.to_owned()))),
            Err(why) => Err(why),
        }
    }

    /// Whether values of a type can be written so, before there are any.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn check(&self, dtype: DType) -> Result<(), String> {
        let value = match dtype {
            DType::Bool => Plain::Number(Number::Bool(true)),
            DType::Int32 | DType::Int64 => Plain::Number(Number::Int(65)),
            DType::Float32 => Plain::Number(Number::Float32(0.5)),
            DType::Float64 => Plain::Number(Number::Float(0.5)),
            DType::String => Plain::Text("a"),
            DType::Timestamp => Plain::Time(0),
            DType::Binary => return Err("bytes cannot be written into a text".to_owned()),
        };
        self.write_value(&value, &mut String::new())
    }

    /// Writes the value of row `row`.
    ///
    /// # Errors
    /// If the value is missing or the specification does not fit its type.
    pub fn write(&self, array: &ArrayRef, row: usize, out: &mut String) -> Result<(), String> {
        if array.is_null(row) {
            return Err("a value is missing".to_owned());
        }
        let value = match DType::from_arrow(array.data_type()) {
            Some(DType::Bool) => Plain::Number(Number::Bool(array.as_boolean().value(row))),
            Some(DType::Int32) => {
                Plain::Number(Number::Int(array.as_primitive::<Int32Type>().value(row).into()))
            }
            Some(DType::Int64) => {
                Plain::Number(Number::Int(array.as_primitive::<Int64Type>().value(row)))
            }
            Some(DType::Float32) => {
                Plain::Number(Number::Float32(array.as_primitive::<Float32Type>().value(row)))
            }
            Some(DType::Float64) => {
                Plain::Number(Number::Float(array.as_primitive::<Float64Type>().value(row)))
            }
            Some(DType::String) => Plain::Text(array.as_string::<i32>().value(row)),
            Some(DType::Timestamp) => {
                Plain::Time(array.as_primitive::<TimestampMicrosecondType>().value(row))
            }
            Some(DType::Binary) | None => {
                return Err(format!("{} cannot be written into a text", array.data_type()));
            }
        };
        self.write_value(&value, out)
    }

    fn write_value(&self, value: &Plain, out: &mut String) -> Result<(), String> {
        match (&self.0, value) {
            (Kind::Shown, Plain::Number(number)) => number.shown(out),
            (Kind::Shown, Plain::Text(text)) => out.push_str(text),
            (Kind::Shown, Plain::Time(t)) => iso(*t, out),
            (Kind::Spec(spec), Plain::Number(number)) => return number.write(spec, out),
            (Kind::Spec(spec), Plain::Text(text)) => return pad::text(spec, text, out),
            (Kind::Spec(spec), Plain::Time(t)) => {
                let mut text = String::new();
                iso(*t, &mut text);
                return pad::text(spec, &text, out);
            }
            (Kind::Time(text), Plain::Time(t)) => return strftime(text, *t, out),
            (Kind::Time(text), _) => {
                return Err(format!("the format `{text}` is for times, and the value is none"));
            }
        }
        Ok(())
    }
}

/// Whether it looks like one of `strftime`.
fn is_time(text: &str) -> bool {
    text.as_bytes().windows(2).any(|w| w[0] == b'%' && w[1].is_ascii_alphabetic())
}

/// `2020-01-31T12:00:00`, with a fraction if there is one.
fn iso(microseconds: i64, out: &mut String) {
    // Writing to a text does not fail.
    let _ = match DateTime::from_timestamp_micros(microseconds) {
        Some(time) => write!(out, "{}", time.naive_utc().format("%Y-%m-%dT%H:%M:%S%.f")),
        None => write!(out, "{microseconds} us"),
    };
}

fn strftime(text: &str, microseconds: i64, out: &mut String) -> Result<(), String> {
    let time = DateTime::from_timestamp_micros(microseconds)
        .ok_or_else(|| format!("the time {microseconds} us is outside of the calendar"))?;
    // Written to a text of its own: what fails in the middle leaves nothing.
    let mut written = String::new();
    write!(written, "{}", time.naive_utc().format(text)).map_err(|_| {
        format!("the format `{text}` has a letter behind `%` that times do not have")
    })?;
    out.push_str(&written);
    Ok(())
}

#[cfg(test)]
mod tests;
