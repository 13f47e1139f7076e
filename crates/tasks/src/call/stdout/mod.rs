//! What a program has written to its standard output, as columns.
mod csv;
mod json;
mod values;

use super::spec::Stdout;
use arrow_array::{ArrayRef, StringArray};
use base::{DType, Value};
use std::sync::Arc;

/// What an output says: columns, and how many of their values are of each row of the start.
pub(super) struct Parsed {
    pub(super) columns: Vec<ArrayRef>,
    pub(super) counts: Vec<u32>,
}

/// The columns that come of it.
pub(super) fn columns(stdout: &Stdout) -> Vec<(Arc<str>, DType)> {
    match stdout {
        Stdout::Text => vec![("stdout".into(), DType::String)],
        Stdout::Lines => vec![("line".into(), DType::String)],
        Stdout::Float64 => vec![("stdout".into(), DType::Float64)],
        Stdout::Json(columns) | Stdout::Csv(columns) => columns.clone(),
    }
}

/// Reads an output of a start of `rows` rows; `batch`: its rows are those of the start, one each.
///
/// # Errors
/// If it is not of its kind: a sentence that begins with "its output".
pub(super) fn parse(
    stdout: &Stdout,
    bytes: &[u8],
    rows: usize,
    batch: bool,
) -> Result<Parsed, String> {
    let text = || text(bytes);
    let table = match stdout {
        Stdout::Text => return repeated(text()?.trim_end_matches(['\n', '\r']), rows),
        Stdout::Lines => vec![text()?.lines().map(|line| Value::Str(line.to_owned())).collect()],
        Stdout::Float64 if batch => {
            vec![text()?.lines().map(number).collect::<Result<Vec<_>, _>>()?]
        }
        Stdout::Float64 => vec![vec![number(text()?)?]],
        Stdout::Json(columns) => json::read(bytes, columns)?,
        Stdout::Csv(columns) => csv::read(text()?, columns)?,
    };
    let found = table.first().map_or(0, Vec::len);
    if batch && found != rows {
        return Err(format!(
            "its output has {found} rows, and the start {rows}: they must be as many"
        ));
    }
    if !batch && found != 1 && matches!(stdout, Stdout::Json(_)) {
        return Err(format!("its output has {found} objects, and one is expected"));
    }
    let found = u32::try_from(found).map_err(|_| "its output has too many rows".to_owned())?;
    let counts = if batch { vec![1; rows] } else { vec![found] };
    let dtypes = columns(stdout).into_iter().map(|(_, dtype)| dtype);
    Ok(Parsed { columns: dtypes.zip(table).map(|(d, v)| values::array(d, v)).collect(), counts })
}

/// The same text for all rows.
fn repeated(text: &str, rows: usize) -> Result<Parsed, String> {
    if text.len().saturating_mul(rows) > i32::MAX as usize {
        return Err(format!("its output is too large to be kept for {rows} rows"));
    }
    let array = StringArray::from_iter_values(std::iter::repeat_n(text, rows));
    Ok(Parsed { columns: vec![Arc::new(array)], counts: vec![1; rows] })
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes)
        .map_err(|e| format!("its output is not UTF-8 text: see byte {}", e.valid_up_to() + 1))
}

fn number(text: &str) -> Result<Value, String> {
    let number = text.trim().parse().map(Value::Float);
    number.map_err(|_| format!("its output is not a number: `{}`", excerpt(text)))
}

/// The beginning of a text, in one line.
fn excerpt(text: &str) -> String {
    let text = text.trim();
    let mut short: String =
        text.chars().take(80).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests;
