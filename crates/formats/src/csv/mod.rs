//! CSV: read text tables with types found by looking at every value, write one file.

mod dialect;
mod file;
mod guess;
mod print;
mod scan;
mod sink;
mod source;
#[cfg(test)]
mod tests;
mod values;

pub use guess::Guess;

use crate::rows::check_known;
use crate::{Format, FormatError, OpenRequest, OptionKey, Sink, TileSource, WriteRequest};
use base::Entry;
use std::sync::Arc;

/// The entry of the table of formats.
pub static CSV: Csv = Csv;

/// Comma-separated values (RFC 4180).
pub struct Csv;

const DELIMITER: OptionKey = OptionKey {
    name: "delimiter",
    doc: "The character between values; a comma without it, a tab if the name ends with .tsv.",
};

const HEADER: OptionKey = OptionKey {
    name: "header",
    doc: "Whether the first line names the columns (true without it); else they are c1, c2, ….",
};

const NULL: OptionKey = OptionKey {
    name: "null",
    doc: "The texts that mean a missing value; [\"\", \"NA\"] without it. `NaN` is a number; \
          `NULL`, `N/A`, `-` and the like are texts unless they are named here.",
};

const TYPES: OptionKey = OptionKey {
    name: "types",
    doc: "The types of columns, `{ zip: string, v: float64 }`, whatever their values look like; \
          a value that does not fit is an error with its line.",
};

impl Entry for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn doc(&self) -> &'static str {
        "Text tables, a line per row (RFC 4180).\n\
         Opening reads the whole file once: a column is bool, int64, float64 or timestamp (ISO \
         8601, UTC) if every value in it is, else string. Texts are, too, columns with a number \
         that begins with a zero (`007`), integers of which one is beyond int64, and columns \
         all of whose values stand in quotes; a column without values is float64. `types:` says \
         otherwise. Blank lines are skipped, but are missing values of a file with one column; a \
         quoted value is never missing, but an empty one is in a column that is not text. Several \
         files are put together by the names of their columns. An output is one file; floats are \
         written so that they read back to the same bits, missing values as nothing, times as \
         `2000-01-31T12:00:00`, and texts that look like numbers, truth values or times in \
         quotes, so that they stay texts."
    }
}

impl Format for Csv {
    fn extensions(&self) -> &'static [&'static str] {
        &["csv", "tsv"]
    }

    fn read_options(&self) -> &'static [OptionKey] {
        &[DELIMITER, HEADER, NULL, TYPES]
    }

    fn write_options(&self) -> &'static [OptionKey] {
        &[DELIMITER, HEADER]
    }

    fn open(&self, request: &OpenRequest) -> Result<Arc<dyn TileSource>, FormatError> {
        check_known(&request.options, self.read_options())?;
        Ok(Arc::new(source::CsvSource::open(request)?))
    }

    fn sink(&self, request: WriteRequest) -> Result<Arc<dyn Sink>, FormatError> {
        check_known(&request.options, self.write_options())?;
        Ok(Arc::new(sink::CsvSink::new(request)?))
    }
}
