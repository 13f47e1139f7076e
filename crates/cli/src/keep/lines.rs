//! Rows that came and went, as text.
use super::shown::Shown;
use crate::report::{Table, json_row, render, row, text};
use base::{DType, Value, visible};
use clap::ValueEnum;
use engine::incremental::Change;

/// How changes are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ChangeFormat {
    /// A table of each change, for people
    Table,
    /// A line of values for each row, `+` or `-` the first
    Csv,
    /// A JSON object for each row
    Json,
}

/// What has changed in a table, one of `several`; with a heading if it is the `first` time.
pub fn changed(
    table: &Shown,
    change: &Change,
    format: ChangeFormat,
    several: bool,
    first: bool,
) -> String {
    let Shown { step, schema, .. } = table;
    let mut rows = Vec::new();
    for (sign, batch) in [("-", &change.lost), ("+", &change.gained)] {
        let batch = batch.iter().flat_map(|b| (0..b.num_rows()).map(|i| row(b, i)));
        rows.extend(batch.map(|row| (sign, row)));
    }
    lines(&Table::new(step, schema, &[], None), &rows, format, several, first)
}

/// Rows of a table that came or went, as text.
fn lines(
    head: &Table,
    rows: &[(&str, Vec<Value>)],
    format: ChangeFormat,
    several: bool,
    first: bool,
) -> String {
    match format {
        ChangeFormat::Table => people(head, rows, several),
        ChangeFormat::Json => rows.iter().map(|(sign, row)| json(head, sign, row)).collect(),
        ChangeFormat::Csv => {
            let step = several.then(|| quoted(&head.step));
            let names = head.columns.iter().map(|(name, _)| quoted(name));
            let title = several.then(|| "step".to_owned()).into_iter().chain(names);
            let mut out = match first {
                true => line("change".to_owned(), title),
                false => String::new(),
            };
            for (sign, row) in rows {
                let cells = row.iter().zip(&head.columns).map(|(v, (_, t))| cell(v, *t));
                out += &line((*sign).to_owned(), step.clone().into_iter().chain(cells));
            }
            out
        }
    }
}

fn people(head: &Table, rows: &[(&str, Vec<Value>)], several: bool) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let sign = [(String::new(), DType::String)];
    let columns = sign.into_iter().chain(head.columns.iter().cloned()).collect();
    let row = |(sign, row): &(&str, Vec<Value>)| {
        Some(std::iter::once(Value::Str((*sign).into())).chain(row.iter().cloned()).collect())
    };
    let columns: Vec<_> = columns;
    let title = if several { format!("{}\n", visible(&head.step)) } else { String::new() };
    title + &render(&columns, rows.iter().map(row))
}

fn json(head: &Table, sign: &str, row: &[Value]) -> String {
    let step = crate::report::quoted(&head.step);
    format!(
        "{{\"change\": \"{sign}\", \"step\": {step}, \"row\": {}}}\n",
        json_row(&head.columns, row)
    )
}

fn line(first: String, rest: impl Iterator<Item = String>) -> String {
    std::iter::once(first).chain(rest).collect::<Vec<_>>().join(",") + "\n"
}

fn cell(value: &Value, dtype: DType) -> String {
    match value {
        Value::Null => String::new(),
        // As in files that are written.
        Value::Float(x) if !x.is_finite() => format!("{x:?}"),
        _ => quoted(&text(value, dtype)),
    }
}

/// A value of CSV, in quotes where it needs them (RFC 4180).
fn quoted(text: &str) -> String {
    match text.is_empty() || text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}
