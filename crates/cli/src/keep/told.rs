//! What is printed of results that change.
use super::how::{ChangeFormat, How};
use crate::report::{Table, text};
use base::{DType, Failure, Schema, Value};
use engine::incremental::{Change, Rows};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;

/// Where things are told.
pub trait Console {
    /// Results.
    fn print(&self, text: &str);

    /// All else, a line.
    fn note(&self, line: &str);
}

/// Standard output and standard error.
pub struct Terminal;

impl Console for Terminal {
    fn print(&self, text: &str) {
        crate::run::print(text);
    }

    fn note(&self, line: &str) {
        eprintln!("{line}");
    }
}

type Shown = (String, Schema, Vec<arrow_array::RecordBatch>);

/// What has been told: the rows of each table, if changes are.
#[derive(Default)]
pub struct Told {
    tables: BTreeMap<usize, (String, Schema, Rows)>,
}

impl Told {
    /// Tells tables as they are now, or what has changed in them.
    ///
    /// # Errors
    /// If the file of changes cannot be written.
    pub fn tell(
        &mut self,
        tables: &[Shown],
        how: &How,
        console: &dyn Console,
    ) -> Result<(), Failure> {
        if !how.changes {
            let tables: Vec<Table> = tables.iter().map(|(n, s, b)| Table::new(n, s, b)).collect();
            let report = crate::report::Report { tables, ..Default::default() };
            console.print(&report.tables());
            return Ok(());
        }
        if !self.tables.is_empty() && !self.are_of(tables) {
            self.take_back(how, console)?;
        }
        let several = tables.len() > 1;
        let mut out = String::new();
        for (i, (step, schema, batches)) in tables.iter().enumerate() {
            let now = Rows::of(schema, batches)?;
            let first = !self.tables.contains_key(&i);
            let none = || (step.clone(), schema.clone(), Rows::default());
            let (_, _, before) = self.tables.entry(i).or_insert_with(none);
            let change = before.change(&now, schema)?;
            out += &changed(step, schema, &change, how.format, several, first);
            *before = now;
        }
        put(&out, how, console)
    }

    /// Whether these are the tables that were told before, with other rows.
    fn are_of(&self, tables: &[Shown]) -> bool {
        let columns =
            |s: &Schema| -> Vec<_> { s.fields.iter().map(|f| (f.name.clone(), f.dtype)).collect() };
        let mut pairs = self.tables.values().zip(tables);
        self.tables.len() == tables.len()
            && pairs.all(|(a, b)| a.0 == b.0 && columns(&a.1) == columns(&b.1))
    }

    /// Takes back all that was told, row by row: somebody else begins anew.
    ///
    /// # Errors
    /// If the file of changes cannot be written.
    pub fn take_back(&mut self, how: &How, console: &dyn Console) -> Result<(), Failure> {
        let several = self.tables.len() > 1;
        let mut out = String::new();
        for (step, schema, rows) in std::mem::take(&mut self.tables).into_values() {
            let change = rows.change(&Rows::default(), &schema)?;
            out += &changed(&step, &schema, &change, how.format, several, false);
        }
        put(&out, how, console)
    }
}

/// What has changed in a table, as text.
fn changed(
    step: &str,
    schema: &Schema,
    change: &Change,
    format: ChangeFormat,
    several: bool,
    first: bool,
) -> String {
    let mut rows = Vec::new();
    for (sign, batch) in [("-", &change.lost), ("+", &change.gained)] {
        let table = Table::new(step, schema, batch.as_slice());
        rows.extend(table.rows.into_iter().map(|row| (sign, row)));
    }
    lines(&Table::new(step, schema, &[]), &rows, format, several, first)
}

fn put(text: &str, how: &How, console: &dyn Console) -> Result<(), Failure> {
    let Some(path) = &how.to else {
        if !text.is_empty() {
            console.print(text);
        }
        return Ok(());
    };
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|e| Failure::output(format!("cannot write {}: {e}", path.display())))
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
        std::iter::once(Value::Str((*sign).into())).chain(row.iter().cloned()).collect()
    };
    let table = Table { step: head.step.clone(), columns, rows: rows.iter().map(row).collect() };
    let title = if several { format!("{}\n", head.step) } else { String::new() };
    title + &table.render()
}

fn json(head: &Table, sign: &str, row: &[Value]) -> String {
    let step = crate::report::quoted(&head.step);
    format!("{{\"change\": \"{sign}\", \"step\": {step}, \"row\": {}}}\n", head.json_row(row))
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
