//! A table as text for people.
use super::{Table, cell};
use base::{DType, Value, grouped, visible};
use tabled::builder::Builder;
use tabled::settings::object::{Columns, Object, Rows};
use tabled::settings::{Alignment, Padding, Style};

/// Longer tables that nobody asked for by `show` are shown in part; `--format json` gives all.
const MOST_ROWS: usize = 60;

impl Table {
    /// With a heading, numbers aligned on the right, a line per row. If rows are left out, the last
    /// line says so.
    pub fn render(&self) -> String {
        let all = self.len();
        if self.asked || all <= MOST_ROWS {
            return render(&self.columns, self.rows().map(Some));
        }
        let half = MOST_ROWS / 2;
        let rows = self.rows().take(half).map(Some).chain([None]);
        let rows = rows.chain((all - half..all).map(|i| Some(self.row(i))));
        let more = if self.cut { "more than " } else { "" };
        let all = grouped(all as u64);
        let text = render(&self.columns, rows);
        format!("{text}({more}{all} rows, {MOST_ROWS} shown: --format json gives all)\n")
    }
}

/// Rows as text; `None` stands for some that are left out.
pub fn render(
    columns: &[(String, DType)],
    rows: impl Iterator<Item = Option<Vec<Value>>>,
) -> String {
    if columns.is_empty() {
        return "(no rows)\n".into();
    }
    let mut builder = Builder::default();
    builder.push_record(columns.iter().map(|(name, _)| visible(name)));
    for row in rows {
        match row {
            Some(row) => {
                builder.push_record(row.iter().zip(columns).map(|(v, (_, t))| cell(v, *t)));
            }
            None => builder.push_record(columns.iter().map(|_| "…")),
        }
    }
    let mut table = builder.build();
    table.with(Style::blank()).with(Padding::new(0, 1, 0, 0));
    for (i, (_, dtype)) in columns.iter().enumerate() {
        if dtype.is_number() {
            table.modify(Columns::one(i).intersect(Rows::new(..)), Alignment::right());
        }
    }
    let text = table.to_string();
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, Int64Array, RecordBatch};
    use std::sync::Arc;

    fn numbers(n: i64) -> Table {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..n));
        let batches = RecordBatch::try_from_iter([("n", column)]).into_iter().collect();
        let columns = vec![("n".into(), DType::Int64)];
        Table { step: "x".into(), columns, batches, asked: false, cut: false }
    }

    #[test]
    fn numbers_stand_on_the_right() {
        let columns = [("name".into(), DType::String), ("n".into(), DType::Int64)];
        let rows = [
            vec![Value::Str("a".into()), Value::Int(5)],
            vec![Value::Str("bcdefg".into()), Value::Int(1234)],
        ];
        insta::assert_snapshot!(render(&columns, rows.into_iter().map(Some)), @r"
        name       n
        a          5
        bcdefg  1234
        ");
    }

    #[test]
    fn what_steers_a_terminal_or_breaks_a_line_is_shown() {
        let columns = [("a\x1b[2J".into(), DType::String), ("n".into(), DType::Int64)];
        let texts = ["x\ny", "\t", "", "null", " b", "-", "\"q\"", "ü"];
        let rows = texts.map(|t| vec![Value::Str(t.into()), Value::Int(1)]);
        let rows = rows.into_iter().chain([vec![Value::Null, Value::Null]]);
        insta::assert_snapshot!(render(&columns, rows.map(Some)), @r#"
        a\x1b[2J     n
        x\ny         1
        "\t"         1
        ""           1
        "null"       1
        " b"         1
        -            1
        "\"q\""      1
        ü            1
        null      null
        "#);
    }

    #[test]
    fn long_tables_are_shown_in_part_and_say_so() {
        let text = numbers(1000).render();
        assert_eq!(text.lines().count(), MOST_ROWS + 3);
        assert!(text.contains('…') && text.contains("999\n"), "{text}");
        assert!(text.ends_with("\n(1,000 rows, 60 shown: --format json gives all)\n"), "{text}");
        let cut = Table { cut: true, ..numbers(1000) }.render();
        assert!(cut.contains("(more than 1,000 rows, 60 shown"), "{cut}");
        let asked = Table { asked: true, ..numbers(1000) }.render();
        assert_eq!(asked.lines().count(), 1001);
    }
}
