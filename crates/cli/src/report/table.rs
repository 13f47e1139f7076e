//! A table as text for people.
use super::{Table, text};
use tabled::builder::Builder;
use tabled::settings::object::{Columns, Object, Rows};
use tabled::settings::{Alignment, Padding, Style};

/// Longer tables are cut in the middle; `--format json` gives all.
const MOST_ROWS: usize = 60;

impl Table {
    /// With a heading, numbers aligned on the right, a line per row.
    pub fn render(&self) -> String {
        if self.columns.is_empty() {
            return "(no rows)\n".into();
        }
        let mut builder = Builder::default();
        builder.push_record(self.columns.iter().map(|(name, _)| name.clone()));
        for row in self.shown_rows() {
            builder.push_record(row);
        }
        let mut table = builder.build();
        table.with(Style::blank()).with(Padding::new(0, 1, 0, 0));
        for (i, (_, dtype)) in self.columns.iter().enumerate() {
            if dtype.is_number() {
                table.modify(Columns::one(i).intersect(Rows::new(..)), Alignment::right());
            }
        }
        let text = table.to_string();
        text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    fn shown_rows(&self) -> Vec<Vec<String>> {
        let show = |row: &Vec<base::Value>| -> Vec<String> {
            row.iter().zip(&self.columns).map(|(v, (_, t))| text(v, *t)).collect()
        };
        if self.rows.len() <= MOST_ROWS {
            return self.rows.iter().map(show).collect();
        }
        let half = MOST_ROWS / 2;
        let gap = vec!["…".to_owned(); self.columns.len()];
        let last = &self.rows[self.rows.len() - half..];
        let first = self.rows[..half].iter().map(show);
        first.chain([gap]).chain(last.iter().map(show)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{DType, Value};

    #[test]
    fn numbers_stand_on_the_right() {
        let table = Table {
            step: "reduce".into(),
            columns: vec![("name".into(), DType::String), ("n".into(), DType::Int64)],
            rows: vec![
                vec![Value::Str("a".into()), Value::Int(5)],
                vec![Value::Str("bcdefg".into()), Value::Int(1234)],
            ],
        };
        insta::assert_snapshot!(table.render(), @r"
        name       n
        a          5
        bcdefg  1234
        ");
    }

    #[test]
    fn long_tables_are_cut_in_the_middle() {
        let rows = (0..1000).map(|i| vec![Value::Int(i)]).collect();
        let table = Table { step: "x".into(), columns: vec![("n".into(), DType::Int64)], rows };
        let text = table.render();
        assert_eq!(text.lines().count(), MOST_ROWS + 2);
        assert!(text.contains('…') && text.ends_with("999\n"));
    }
}
