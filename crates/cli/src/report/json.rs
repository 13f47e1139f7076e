//! The report as JSON: the one object that `--format json` prints.
use super::value::{harmless, json, quoted};
use super::{Report, Summary, Table, warnings};
use base::{DType, Source};
use serde_json::{Value, json};
use std::io::{self, Write};

impl Report {
    /// Writes `{"results": {STEP: [{COLUMN: VALUE, …}, …]}, "run": {…}, "warnings": […]}`, a line;
    /// places are those of the pipeline file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn json(&self, source: &Source, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"{\"results\": {")?;
        for (i, table) in self.tables.iter().enumerate() {
            let gap = if i > 0 { ", " } else { "" };
            write!(out, "{gap}{}: ", quoted(&table.step))?;
            table.json_rows(out)?;
        }
        let Summary { seconds, startup_seconds, workers, processes, tiles, spilled, .. } =
            self.summary;
        let run = json!({
            "seconds": seconds,
            "startup_seconds": startup_seconds,
            "workers": workers,
            "processes": processes,
            "tiles": tiles,
            "spilled": spilled,
        });
        let said = self.warnings.iter().map(|warning| warnings::json(warning, source));
        let said = harmless(Value::Array(said.collect()).to_string());
        writeln!(out, "}}, \"run\": {run}, \"warnings\": {said}}}")
    }
}

impl Table {
    fn json_rows(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"[")?;
        for (i, row) in self.rows().enumerate() {
            let gap = if i > 0 { ", " } else { "" };
            write!(out, "{gap}{}", json_row(&self.columns, &row))?;
        }
        out.write_all(b"]")
    }
}

/// A row as an object.
pub fn json_row(columns: &[(String, DType)], row: &[base::Value]) -> String {
    let cell = |((name, dtype), value): (&(String, DType), &base::Value)| {
        format!("{}: {}", quoted(name), json(value, *dtype))
    };
    let cells: Vec<String> = columns.iter().zip(row).map(cell).collect();
    format!("{{{}}}", cells.join(", "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{Report, Summary, Table};
    use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
    use base::{DType, Source};
    use std::sync::Arc;

    #[test]
    fn one_object_of_the_agreed_shape() {
        let columns = vec![("total".into(), DType::Float64), ("a \"b\"".into(), DType::String)];
        let total: ArrayRef = Arc::new(Float64Array::from(vec![Some(13.277605949854024), None]));
        let names: ArrayRef = Arc::new(StringArray::from(vec!["x", "ü"]));
        let batch = RecordBatch::try_from_iter([("total", total), ("a \"b\"", names)]).unwrap();
        let batches = vec![batch];
        let table = Table { step: "reduce".into(), columns, batches, asked: false, cut: false };
        let summary = Summary {
            seconds: 0.5,
            startup_seconds: 0.25,
            workers: 4,
            processes: 2,
            tiles: 9,
            ..Summary::default()
        };
        let report = Report { tables: vec![table], summary, ..Report::default() };
        let mut out = Vec::new();
        report.json(&Source::new("p.yaml", ""), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"results": {"reduce": [{"total": 13.277605949854024, "a \"b\"": "x"}, {"total": null, "a \"b\"": "ü"}]}, "run": {"seconds":0.5,"startup_seconds":0.25,"workers":4,"processes":2,"tiles":9,"spilled":0}, "warnings": []}
"#
        );
    }
}
