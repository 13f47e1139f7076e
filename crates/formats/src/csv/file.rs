//! One text table: where its records are, and the values of some of them.
use super::dialect::Dialect;
use super::guess::{Builder, Guess};
use super::scan::{Cell, Scanner};
use crate::rows::map_file;
use crate::{FormatError, FormatErrorKind};
use base::{DType, Failure};
use bytes::Bytes;
use std::path::{Path, PathBuf};

/// Rows between places that the index knows.
pub(super) const STRIDE: u64 = 4096;

/// A mapped file and the index of its rows.
pub(super) struct CsvFile {
    pub(super) path: PathBuf,
    bytes: Bytes,
    /// The byte and the line of every [`STRIDE`]-th row.
    index: Vec<(usize, u64)>,
    pub(super) rows: u64,
}

/// A column to read: where it stands in a record, and its type.
pub(super) type Wanted = (usize, DType);

/// The names of the columns, and where the first row may begin: byte and line.
pub(super) struct Head {
    pub(super) names: Vec<String>,
    at: usize,
    line: u64,
}

impl CsvFile {
    /// Maps the file.
    pub(super) fn open(path: &Path) -> Result<CsvFile, FormatError> {
        let bytes = map_file(path).map_err(|e| {
            let message = format!("cannot read {}: {e}", path.display());
            FormatError::new(FormatErrorKind::Missing, message)
        })?;
        Ok(CsvFile { path: path.to_path_buf(), bytes, index: Vec::new(), rows: 0 })
    }

    /// Reads the first line.
    pub(super) fn head(&self, dialect: &Dialect) -> Result<Head, FormatError> {
        // A byte order mark is no part of the first name.
        let start = if self.bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        let mut scanner = Scanner::new(&self.bytes, start, 1, dialect.delimiter);
        let mut cells = Vec::new();
        let line = scanner.next(&mut cells).map_err(|(line, what)| self.wrong(line, &what))?;
        let line = line.ok_or_else(|| self.wrong(1, "the file is empty"))?;
        let name = |(i, cell): (usize, &Cell)| match dialect.header {
            true => {
                let text = scanner.text(*cell).map_err(|what| self.wrong(line, &what))?;
                let text = text.trim();
                Ok(if text.is_empty() { format!("c{}", i + 1) } else { text.to_string() })
            }
            false => Ok(format!("c{}", i + 1)),
        };
        let names = cells.iter().enumerate().map(name).collect::<Result<_, _>>()?;
        match dialect.header {
            true => Ok(Head { names, at: scanner.at, line: scanner.line }),
            false => Ok(Head { names, at: start, line: 1 }),
        }
    }

    /// Goes over all records: counts them, notes where they are, and learns types.
    /// Columns without a guess are only counted.
    pub(super) fn index(
        &mut self,
        dialect: &Dialect,
        head: &Head,
        guesses: &mut [Option<Guess>],
    ) -> Result<(), FormatError> {
        let (bytes, mut index, mut rows) = (self.bytes.clone(), Vec::new(), 0u64);
        let mut scanner = Scanner::new(&bytes, head.at, head.line, dialect.delimiter);
        let mut cells: Vec<Cell> = Vec::new();
        loop {
            let place = (scanner.at, scanner.line);
            let next = scanner.next(&mut cells).map_err(|(line, what)| self.wrong(line, &what))?;
            let Some(line) = next else { break };
            if cells.len() != guesses.len() {
                let (n, expected) = (cells.len(), guesses.len());
                return Err(self.wrong(line, &format!("{n} values stand here, not {expected}")));
            }
            if rows % STRIDE == 0 {
                index.push(place);
            }
            rows += 1;
            for (cell, guess) in cells.iter().zip(guesses.iter_mut()) {
                let Some(guess) = guess else { continue };
                let text = scanner.text(*cell).map_err(|what| self.wrong(line, &what))?;
                match !cell.quoted && dialect.is_null(&text) {
                    true => guess.see_null(),
                    false => guess.see(&text, cell.quoted),
                }
            }
        }
        (self.index, self.rows) = (index, rows);
        Ok(())
    }

    /// Appends the values of rows `first..first + take` to the builders.
    ///
    /// # Errors
    /// If the file is not any more what it was when it was opened; names file and line.
    pub(super) fn read(
        &self,
        dialect: &Dialect,
        (first, take): (u64, usize),
        columns: &[Wanted],
        builders: &mut [Builder],
    ) -> Result<(), Failure> {
        let failed = |line: u64, what: &str| Failure::data(self.wrong(line, what).message);
        let (at, line) = self.index.get((first / STRIDE) as usize).copied().unwrap_or_default();
        let mut scanner = Scanner::new(&self.bytes, at, line, dialect.delimiter);
        let mut cells = Vec::new();
        let skip = (first % STRIDE) as usize;
        for row in 0..skip + take {
            let next = scanner.next(&mut cells).map_err(|(line, what)| failed(line, &what))?;
            let line = next.ok_or_else(|| failed(scanner.line, "the file has become shorter"))?;
            if row < skip {
                continue;
            }
            for ((place, dtype), builder) in columns.iter().zip(builders.iter_mut()) {
                let cell = cells.get(*place).ok_or_else(|| failed(line, "values are missing"))?;
                let text = scanner.text(*cell).map_err(|what| failed(line, &what))?;
                let null = match cell.quoted {
                    true => text.is_empty() && *dtype != DType::String,
                    false => dialect.is_null(&text),
                };
                if !builder.push((!null).then_some(&text)) {
                    return Err(failed(line, &format!("`{text}` is not of type {dtype}")));
                }
            }
        }
        Ok(())
    }

    fn wrong(&self, line: u64, what: &str) -> FormatError {
        let message = format!("{}:{line}: {what}", self.path.display());
        FormatError::new(FormatErrorKind::Corrupt, message)
    }
}
