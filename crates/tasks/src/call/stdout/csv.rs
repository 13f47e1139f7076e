//! Comma-separated values with a line of names (RFC 4180).
use super::{excerpt, values};
use base::{DType, Value};
use std::sync::Arc;

/// The values of each column. Columns of other names are not read; an empty value without quotes is
/// missing.
pub(super) fn read(text: &str, columns: &[(Arc<str>, DType)]) -> Result<Vec<Vec<Value>>, String> {
    let mut records = Records { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 };
    let Some(names) = records.next().transpose()? else {
        return Err("its output is empty, and would begin with a line of names".to_owned());
    };
    let place = |(name, _): &(Arc<str>, DType)| {
        let at = names.iter().position(|f| f.as_deref() == Some(&**name));
        at.ok_or_else(|| format!("its output has no column `{name}` in its first line"))
    };
    let places = columns.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let mut table = vec![Vec::new(); columns.len()];
    while let Some(record) = {
        let line = records.line;
        records.next().map(|r| (line, r))
    } {
        let (line, record) = (record.0, record.1?);
        if record.len() != names.len() {
            return Err(format!(
                "its output has {} values in line {line} and {} names in the first",
                record.len(),
                names.len()
            ));
        }
        for (((name, dtype), place), values) in columns.iter().zip(&places).zip(&mut table) {
            let text = record[*place].as_deref();
            let value = text.map_or(Some(Value::Null), |text| values::of_text(text, *dtype));
            values.push(value.ok_or_else(|| {
                let shown = excerpt(text.unwrap_or_default());
                format!("its output has `{shown}` for `{name}` in line {line}, which is no {dtype}")
            })?);
        }
    }
    Ok(table)
}

/// The records that are left; a line without anything is none.
struct Records<'a> {
    rest: &'a str,
    line: usize,
}

impl Iterator for Records<'_> {
    type Item = Result<Vec<Option<String>>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(rest) = strip_line_end(self.rest) {
            (self.rest, self.line) = (rest, self.line + 1);
        }
        if self.rest.is_empty() {
            return None;
        }
        let mut record = Vec::new();
        loop {
            match self.value() {
                Ok(value) => record.push(value),
                Err(why) => {
                    self.rest = "";
                    return Some(Err(why));
                }
            }
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                continue;
            }
            self.rest = strip_line_end(self.rest).unwrap_or(self.rest);
            self.line += 1;
            return Some(Ok(record));
        }
    }
}

impl Records<'_> {
    fn value(&mut self) -> Result<Option<String>, String> {
        let Some(mut quoted) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
            let (value, rest) = self.rest.split_at(end);
            let value = if rest.starts_with(',') { value } else { value.trim_end_matches('\r') };
            self.rest = rest;
            return Ok(Some(value).filter(|v| !v.is_empty()).map(str::to_owned));
        };
        let (mut value, line) = (String::new(), self.line);
        loop {
            let Some((part, rest)) = quoted.split_once('"') else {
                return Err(format!("its output has a quote in line {line} that does not end"));
            };
            value.push_str(part);
            match rest.strip_prefix('"') {
                Some(rest) => (quoted, _) = (rest, value.push('"')),
                None => {
                    self.line += value.matches('\n').count();
                    self.rest = rest;
                    break;
                }
            }
        }
        match self.rest.chars().next() {
            None | Some(',' | '\n' | '\r') => Ok(Some(value)),
            Some(_) => Err(format!("its output has text behind a closing quote in line {line}")),
        }
    }
}

fn strip_line_end(text: &str) -> Option<&str> {
    text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n'))
}
