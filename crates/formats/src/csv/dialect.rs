//! What the options say of a text table.
use crate::rows::{bad_option, flag, text, texts, types};
use crate::{FormatError, OptionValue, Options};
use base::{DType, Value};
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
    /// The types that columns are said to have.
    pub(super) types: Vec<(String, DType)>,
    /// Whether the delimiter is only the usual one.
    pub(super) usual: bool,
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
            nulls: nulls(options)?.unwrap_or_else(usual),
            types: types(options, "types")?,
            usual: options.get("delimiter").is_none(),
        })
    }

    /// The type that a column is said to have.
    pub(super) fn type_of(&self, column: &str) -> Option<DType> {
        self.types.iter().find(|(name, _)| name == column).map(|(_, dtype)| *dtype)
    }

    /// Whether an unquoted text means a missing value.
    pub(super) fn is_null(&self, text: &str) -> bool {
        let text = text.trim();
        self.nulls.iter().any(|n| n == text)
    }
}

/// What means a missing value; numbers as they are written.
fn nulls(options: &Options) -> Result<Option<Vec<String>>, FormatError> {
    let text = |value: &Value| match value {
        Value::Int(_) | Value::Float(_) => Value::Str(value.to_string()),
        other => other.clone(),
    };
    let values = match options.get("null") {
        Some(OptionValue::One(value)) => OptionValue::One(text(value)),
        Some(OptionValue::Many(values)) => OptionValue::Many(values.iter().map(text).collect()),
        other => return other.map_or(Ok(None), |_| texts(options, "null")),
    };
    texts(&Options(vec![("null".into(), values)]), "null")
}
