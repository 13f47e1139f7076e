//! Cuts bytes into records and cells (RFC 4180; lines may end with LF, CR LF or CR).
use std::borrow::Cow;

/// One value of a record: a range of the scanned bytes, without its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    start: usize,
    end: usize,
    /// Whether it stood in quotes.
    pub(super) quoted: bool,
    /// Whether there are doubled quotes in it.
    escaped: bool,
}

/// Walks over the records of some bytes.
#[derive(Clone, Debug)]
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    /// Where the next record begins.
    pub(super) at: usize,
    /// The line it begins in, from 1 on.
    pub(super) line: u64,
    delimiter: u8,
    /// Whether a blank line is a record, with one empty cell.
    blank: bool,
}

impl<'a> Scanner<'a> {
    /// Begins at byte `at`, which is in line `line`.
    pub(super) fn new(bytes: &'a [u8], at: usize, line: u64, delimiter: u8) -> Scanner<'a> {
        Scanner { bytes, at, line, delimiter, blank: false }
    }

    /// Takes blank lines as records, as in a file of one column.
    pub(super) fn with_blank_lines(self, blank: bool) -> Scanner<'a> {
        Scanner { blank, ..self }
    }

    /// The cells of the next record, which begins in the line returned; `None` at the end.
    ///
    /// # Errors
    /// The line and what is wrong there.
    pub(super) fn next(&mut self, cells: &mut Vec<Cell>) -> Result<Option<u64>, (u64, String)> {
        cells.clear();
        while !self.blank && self.at < self.bytes.len() && self.line_end() {}
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        let line = self.line;
        loop {
            cells.push(self.cell()?);
            if self.bytes.get(self.at) == Some(&self.delimiter) {
                self.at += 1;
            } else {
                self.line_end();
                return Ok(Some(line));
            }
        }
    }

    /// The text of a cell.
    ///
    /// # Errors
    /// If it is not UTF-8.
    pub(super) fn text(&self, cell: Cell) -> Result<Cow<'a, str>, String> {
        let text = std::str::from_utf8(&self.bytes[cell.start..cell.end])
            .map_err(|_| "the text is not UTF-8".to_string())?;
        Ok(if cell.escaped { text.replace("\"\"", "\"").into() } else { text.into() })
    }

    /// Steps over the end of a line, if one is here.
    fn line_end(&mut self) -> bool {
        match self.bytes.get(self.at) {
            Some(b'\n') => self.at += 1,
            Some(b'\r') if self.bytes.get(self.at + 1) == Some(&b'\n') => self.at += 2,
            Some(b'\r') => self.at += 1,
            _ => return false,
        }
        self.line += 1;
        true
    }

    fn cell(&mut self) -> Result<Cell, (u64, String)> {
        let delimiter = self.delimiter;
        if self.bytes.get(self.at) == Some(&b'"') {
            return self.quoted();
        }
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|b| *b == delimiter || *b == b'\n' || *b == b'\r');
        let (start, end) = (self.at, self.at + length.unwrap_or(rest.len()));
        self.at = end;
        Ok(Cell { start, end, quoted: false, escaped: false })
    }

    fn quoted(&mut self) -> Result<Cell, (u64, String)> {
        let (opened, start) = (self.line, self.at + 1);
        let mut escaped = false;
        let mut end = start;
        loop {
            match self.bytes.get(end) {
                None => return Err((opened, "a quote is opened here and never closed".into())),
                Some(b'"') if self.bytes.get(end + 1) == Some(&b'"') => {
                    escaped = true;
                    end += 2;
                }
                Some(b'"') => break,
                Some(b) => {
                    let alone = *b == b'\r' && self.bytes.get(end + 1) != Some(&b'\n');
                    self.line += u64::from(*b == b'\n' || alone);
                    end += 1;
                }
            }
        }
        self.at = end + 1;
        match self.bytes.get(self.at) {
            None | Some(b'\n' | b'\r') => {}
            Some(b) if *b == self.delimiter => {}
            Some(_) => return Err((self.line, "text stands right after a closing quote".into())),
        }
        Ok(Cell { start, end, quoted: true, escaped })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    /// The line and the cells of each record, or the line and the fault.
    type Records = Result<Vec<(u64, Vec<String>)>, (u64, String)>;

    fn records(text: &str) -> Records {
        let mut scanner = Scanner::new(text.as_bytes(), 0, 1, b',');
        let (mut cells, mut out) = (Vec::new(), Vec::new());
        while let Some(line) = scanner.next(&mut cells)? {
            out.push((line, cells.iter().map(|c| scanner.text(*c).unwrap().into()).collect()));
        }
        Ok(out)
    }

    #[test]
    fn records_of_any_line_end() {
        let record = |line, cells: &[&str]| (line, cells.iter().map(|c| c.to_string()).collect());
        let expected = [record(1, &["a", "b"]), record(2, &["", ""]), record(4, &["1", "2 "])];
        for end in ["\n", "\r\n", "\r"] {
            let text = "a,b\n,\n\n1,2 ".replace('\n', end);
            assert_eq!(records(&text).unwrap(), expected, "{end:?}");
        }
        assert_eq!(records("").unwrap(), []);
        assert_eq!(records("x,").unwrap(), [record(1, &["x", ""])]);
    }

    #[test]
    fn quotes_hold_anything() {
        let found = records("\"a,\"\"b\"\"\r\n\",\"\"\nx\"y,\"z\"").unwrap();
        assert_eq!(found[0].1, ["a,\"b\"\r\n", ""]);
        assert_eq!(found[1], (3, vec!["x\"y".to_string(), "z".to_string()]));
        assert_eq!(records("a\n\"b\nc").unwrap_err().0, 2);
        assert_eq!(records("\"a\"b").unwrap_err().0, 1);
    }
}
