//! The report as JSON: the one object that `--format json` prints, and tables between processes.
use super::value::{decode, encode, json, quoted};
use super::{Report, Summary, Table, warnings};
use base::{DType, Source};
use serde_json::{Value, json};

impl Report {
    /// `{"results": {STEP: [{COLUMN: VALUE, …}, …]}, "run": {…}, "warnings": […]}`, in one line;
    /// places are those of the pipeline file.
    pub fn json(&self, source: &Source) -> String {
        let tables: Vec<String> = self.tables.iter().map(Table::json_rows).collect();
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
        let said = Value::Array(said.collect());
        format!("{{\"results\": {{{}}}, \"run\": {run}, \"warnings\": {said}}}", tables.join(", "))
    }
}

impl Table {
    fn json_rows(&self) -> String {
        let rows: Vec<String> = self.rows.iter().map(|row| self.json_row(row)).collect();
        format!("{}: [{}]", quoted(&self.step), rows.join(", "))
    }

    /// A row as an object.
    pub fn json_row(&self, row: &[base::Value]) -> String {
        let cell = |((name, dtype), value): (&(String, DType), &base::Value)| {
            format!("{}: {}", quoted(name), json(value, *dtype))
        };
        let cells: Vec<String> = self.columns.iter().zip(row).map(cell).collect();
        format!("{{{}}}", cells.join(", "))
    }

    /// For another process: what [`Table::decode`] makes the same table of.
    pub fn encode(&self) -> Value {
        let columns: Vec<_> = self.columns.iter().map(|(n, t)| json!([n, t.name()])).collect();
        let rows: Vec<Vec<_>> = self.rows.iter().map(|r| r.iter().map(encode).collect()).collect();
        json!({ "step": self.step, "columns": columns, "rows": rows })
    }

    /// What [`Table::encode`] made.
    pub fn decode(json: &Value) -> Option<Table> {
        let column = |c: &Value| {
            let dtype = DType::from_name(c[1].as_str()?).unwrap_or(DType::Binary);
            Some((c[0].as_str()?.to_owned(), dtype))
        };
        let columns: Vec<(String, DType)> =
            json["columns"].as_array()?.iter().map(column).collect::<Option<_>>()?;
        let row = |r: &Value| {
            let cells = r.as_array()?.iter().zip(&columns);
            Some(cells.map(|(cell, (_, dtype))| decode(cell, *dtype)).collect())
        };
        let rows = json["rows"].as_array()?.iter().map(row).collect::<Option<_>>()?;
        Some(Table { step: json["step"].as_str()?.to_owned(), columns, rows })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Report, Summary, Table};
    use base::{DType, Source, Value};

    fn report() -> Report {
        let columns = vec![("total".into(), DType::Float64), ("a \"b\"".into(), DType::String)];
        let rows = vec![
            vec![Value::Float(13.277605949854024), Value::Str("x".into())],
            vec![Value::Null, Value::Str("ü".into())],
        ];
        let tables = vec![Table { step: "reduce".into(), columns, rows }];
        let summary = Summary {
            seconds: 0.5,
            startup_seconds: 0.25,
            workers: 4,
            processes: 2,
            tiles: 9,
            ..Summary::default()
        };
        Report { tables, summary, ..Report::default() }
    }

    #[test]
    fn one_object_of_the_agreed_shape() {
        assert_eq!(
            report().json(&Source::new("p.yaml", "")),
            r#"{"results": {"reduce": [{"total": 13.277605949854024, "a \"b\"": "x"}, {"total": null, "a \"b\"": "ü"}]}, "run": {"seconds":0.5,"startup_seconds":0.25,"workers":4,"processes":2,"tiles":9,"spilled":0}, "warnings": []}"#
        );
    }

    #[test]
    fn tables_survive_the_way_between_processes() {
        let table = report().tables.remove(0);
        assert_eq!(Table::decode(&table.encode()), Some(table));
    }
}
