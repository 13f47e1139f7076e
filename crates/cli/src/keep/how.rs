//! How outputs are to be kept up to date.
use serde::{Deserialize, Serialize};
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
    /// Whether nothing else is.
    pub quiet: bool,
    /// About how many files there are.
    pub files: usize,
    /// Whether what they give to keys goes to disk, since it did not fit into memory.
    pub on_disk: bool,
}
