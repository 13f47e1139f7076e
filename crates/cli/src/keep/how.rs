//! How outputs are to be kept up to date.
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// What the user said of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct How {
    /// Time between two looks at the files.
    pub every: Duration,
    /// How long a file must have stayed as it is before it is read.
    pub settle: Duration,
    /// Whether rows that came and went are told, and not tables.
    pub changes: bool,
    /// Where they are told, if not on standard output.
    pub to: Option<PathBuf>,
    /// How they are told.
    pub format: ChangeFormat,
    /// Whether nothing else is.
    pub quiet: bool,
    /// About how many files there are.
    pub files: usize,
    /// Whether what they give to keys goes to disk, since it did not fit into memory.
    pub on_disk: bool,
}

/// How changes are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeFormat {
    /// A table of each change, for people
    Table,
    /// A line of values for each row, `+` or `-` the first
    Csv,
    /// A JSON object for each row
    Json,
}
