//! What the options say of a text table.
use crate::rows::{bad_option, flag, text, texts};
use crate::{FormatError, Options};
use std::path::Path;

/// How a text table is written.
#[derive(Clone, Debug)]
pub(super) struct Dialect {
    /// Between values.
    pub(super) delimiter: u8,
    /// Whether the first line names the columns.
    pub(super) header: bool,
    /// What means a missing value.
    pub(super) nulls: Vec<String>,
}

impl Dialect {
    /// Reads the options for a file of this name.
    pub(super) fn new(options: &Options, path: &Path) -> Result<Dialect, FormatError> {
        let tabs = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("tsv"));
        let delimiter = match text(options, "delimiter")?.map(str::as_bytes) {
            None => {
                if tabs {
                    b'\t'
                } else {
                    b','
                }
            }
            Some([one]) if !b"\"\r\n".contains(one) => *one,
            Some(_) => {
                let message = "`delimiter` takes one ASCII character, other than a quote";
                return Err(bad_option("delimiter", message));
            }
        };
        let usual = || ["", "NA"].map(String::from).to_vec();
        Ok(Dialect {
            delimiter,
            header: flag(options, "header")?.unwrap_or(true),
            nulls: texts(options, "null")?.unwrap_or_else(usual),
        })
    }

    /// Whether an unquoted text means a missing value.
    pub(super) fn is_null(&self, text: &str) -> bool {
        let text = text.trim();
        self.nulls.iter().any(|n| n == text)
    }
}
