//! One text table: where its records are, and the values of some of them.
use super::dialect::Dialect;
use super::guess::Guess;
use super::scan::{Cell, Scanner};
use super::values::{Builder, fits};
use crate::input::Input;
use crate::{FormatError, FormatErrorKind};
use base::{DType, Failure};
use std::ops::Range;
use std::path::{Path, PathBuf};
use tasks::store::Hold;

/// Rows between places that the index knows.
pub(super) const STRIDE: u64 = 4096;

/// A mapped file and the index of its rows.
pub(super) struct CsvFile {
    pub(super) path: PathBuf,
    input: Input,
    /// All of a file that lies elsewhere, until its rows have been found.
    all: Option<Hold>,
    /// The byte and the line of every [`STRIDE`]-th row.
    index: Vec<(usize, u64)>,
    pub(super) rows: u64,
    /// Where the columns stand in a record, those of the first file in its order; `None` for one
    /// that nobody reads and that this file lacks.
    places: Vec<Option<usize>>,
    /// How many cells a record has.
    cells: usize,
}

/// A column to read: its place among those of the first file, its name and its type.
pub(super) type Wanted = (usize, String, DType);

/// What becomes of a column when the file is gone over.
pub(super) enum Look {
    /// Nobody reads it.
    Pass,
    /// Its type is found by its values.
    Guess(Guess),
    /// It is said to be of this type.
    Said(DType, Guess),
}

/// The names of the columns, and where the first row may begin: byte and line.
pub(super) struct Head {
    pub(super) names: Vec<String>,
    at: usize,
    line: u64,
}

impl CsvFile {
    /// Maps the file, and asks for all of it where it lies elsewhere.
    pub(super) fn open(path: &Path) -> Result<CsvFile, FormatError> {
        let input = Input::mapped(path).map_err(|e| {
            let message = format!("cannot read {}: {e}", path.display());
            FormatError::new(FormatErrorKind::Missing, message)
        })?;
        let whole = 0..input.len();
        let all = input.ask(&[whole]);
        let (path, index, places) = (path.to_path_buf(), Vec::new(), Vec::new());
        Ok(CsvFile { path, input, all, index, rows: 0, places, cells: 0 })
    }

    /// Reads the first line.
    pub(super) fn head(&self, dialect: &Dialect) -> Result<Head, FormatError> {
        // What the columns hold is known when all rows have been seen.
        self.all
            .iter()
            .try_for_each(Hold::wait)
            .map_err(|e| FormatError::new(FormatErrorKind::Missing, format!("cannot read {e}")))?;
        // A byte order mark is no part of the first name.
        let start = if self.input.map().starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        let mut scanner = Scanner::new(self.input.map(), start, 1, dialect.delimiter);
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
        let names: Vec<String> = cells.iter().enumerate().map(name).collect::<Result<_, _>>()?;
        if let ([only], true) = (&cells[..], dialect.usual) {
            let text = scanner.text(*only).map_err(|what| self.wrong(line, &what))?;
            self.check_delimiter(&text, line)?;
        }
        match dialect.header {
            true => Ok(Head { names, at: scanner.at, line: scanner.line }),
            false => Ok(Head { names, at: start, line: 1 }),
        }
    }

    /// Refuses a table of one column whose name holds what others put between columns.
    fn check_delimiter(&self, name: &str, line: u64) -> Result<(), FormatError> {
        let Some(other) = [';', '\t', '|', ','].into_iter().find(|c| name.contains(*c)) else {
            return Ok(());
        };
        let shown = if other == '\t' { "\\t".to_string() } else { other.to_string() };
        let name: String = name.chars().take(60).collect();
        let name = name.replace('\t', "\\t");
        let what = format!("there is one column, `{name}`; values seem to be cut by `{shown}`");
        let mut error = self.wrong(line, &what);
        error.help = Some(format!("say `delimiter: \"{shown}\"`"));
        Err(error)
    }

    /// Goes over all records: counts them, notes where they are, and learns types. `names` and
    /// `looks` are of the columns of the first file, which stand at `places` in this one.
    pub(super) fn index(
        &mut self,
        dialect: &Dialect,
        head: &Head,
        places: Vec<Option<usize>>,
        (names, looks): (&[String], &mut [Look]),
    ) -> Result<(), FormatError> {
        let (input, mut index, mut rows) = (self.input.clone(), Vec::new(), 0u64);
        (self.places, self.cells) = (places, head.names.len());
        let mut scanner = self.scanner(input.map(), dialect, (head.at, head.line));
        let mut cells: Vec<Cell> = Vec::new();
        loop {
            let place = (scanner.at, scanner.line);
            let next = scanner.next(&mut cells).map_err(|(line, what)| self.wrong(line, &what))?;
            let Some(line) = next else { break };
            if cells.len() != self.cells {
                return Err(self.ragged(line, cells.len(), dialect));
            }
            if rows % STRIDE == 0 {
                index.push(place);
            }
            rows += 1;
            for ((place, look), name) in self.places.iter().zip(looks.iter_mut()).zip(names) {
                let Some(cell) = place.map(|place| cells[place]) else { continue };
                let (guess, said) = match look {
                    Look::Pass => continue,
                    Look::Guess(guess) => (guess, None),
                    Look::Said(dtype, guess) => (guess, Some(*dtype)),
                };
                let text = scanner.text(cell).map_err(|what| self.wrong(line, &what))?;
                let null = !cell.quoted && dialect.is_null(&text);
                match said {
                    _ if null => guess.see_null(),
                    None => guess.see(&text, cell.quoted),
                    Some(dtype) if cell.quoted && text.is_empty() && dtype != DType::String => {
                        guess.see_null();
                    }
                    Some(dtype) if fits(&text, dtype) => {}
                    Some(dtype) => return Err(self.unfit(line, name, &text, dtype)),
                }
            }
        }
        self.input.whole().map_err(|what| self.wrong(scanner.line, what))?;
        (self.index, self.rows, self.all) = (index, rows, None);
        Ok(())
    }

    fn scanner<'a>(
        &self,
        bytes: &'a [u8],
        dialect: &Dialect,
        (at, line): (usize, u64),
    ) -> Scanner<'a> {
        Scanner::new(bytes, at, line, dialect.delimiter).with_blank_lines(self.cells == 1)
    }

    fn ragged(&self, line: u64, found: usize, dialect: &Dialect) -> FormatError {
        let s = if found == 1 { "" } else { "s" };
        let head = if dialect.header { "header names" } else { "first line has" };
        self.wrong(line, &format!("the line has {found} value{s}, the {head} {}", self.cells))
    }

    fn unfit(&self, line: u64, column: &str, text: &str, dtype: DType) -> FormatError {
        let text: String = text.chars().take(60).collect();
        self.wrong(line, &format!("`{text}` in column `{column}` is not of type {dtype}"))
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
        let range = self.bytes(first, take);
        let _held = self.input.hold(std::slice::from_ref(&range)).map_err(|e| failed(line, &e))?;
        let mut scanner = self.scanner(self.input.map(), dialect, (at, line));
        let mut cells = Vec::new();
        let skip = (first % STRIDE) as usize;
        for row in 0..skip + take {
            let next = scanner.next(&mut cells).map_err(|(line, what)| failed(line, &what))?;
            let line = next.ok_or_else(|| failed(scanner.line, "the file has become shorter"))?;
            if row < skip {
                continue;
            }
            for ((column, name, dtype), builder) in columns.iter().zip(builders.iter_mut()) {
                let place = self.places.get(*column).copied().flatten();
                let cell = place.and_then(|place| cells.get(place));
                let cell = cell.ok_or_else(|| failed(line, "values are missing"))?;
                let text = scanner.text(*cell).map_err(|what| failed(line, &what))?;
                let null = match cell.quoted {
                    true => text.is_empty() && *dtype != DType::String,
                    false => dialect.is_null(&text),
                };
                if !builder.push((!null).then_some(&text)) {
                    return Err(Failure::data(self.unfit(line, name, &text, *dtype).message));
                }
            }
        }
        self.input.whole().map_err(|what| failed(scanner.line, what))?;
        if self.is_remote() {
            self.input.release(range);
        }
        Ok(())
    }

    /// Where some rows lie, with others before and behind them.
    fn bytes(&self, first: u64, take: usize) -> Range<u64> {
        let place = |stride: u64| self.index.get(stride as usize).map(|(at, _)| *at as u64);
        let end = (first + take as u64).div_ceil(STRIDE);
        place(first / STRIDE).unwrap_or(0)..place(end).unwrap_or(self.input.len())
    }

    /// Whether the file lies elsewhere.
    pub(super) fn is_remote(&self) -> bool {
        self.input.is_remote()
    }

    /// Asks for the bytes of some rows, and does not wait.
    pub(super) fn ask(&self, first: u64, take: usize) -> Option<Hold> {
        self.input.ask(&[self.bytes(first, take)])
    }

    /// An error in a line. What is read of a file that has become shorter makes no sense.
    fn wrong(&self, line: u64, what: &str) -> FormatError {
        let what = self.input.whole().err().unwrap_or(what);
        let message = format!("{}:{line}: {what}", self.path.display());
        FormatError::new(FormatErrorKind::Corrupt, message)
    }
}
