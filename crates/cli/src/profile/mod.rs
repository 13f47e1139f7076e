//! The profile of a run, as a trace for Perfetto or as a page.
//!
//! | file | what it does |
//! |---|---|
//! | `sums` | what all workers of all processes did, for each operator; shares of the time |
//! | `trace` | Trace Event Format: what <https://ui.perfetto.dev> and `chrome://tracing` open |
//! | `page` | one HTML file with a picture and a table |
mod page;
mod sums;
mod trace;

pub use sums::Shares;

use crate::report::Summary;
use base::Failure;
use engine::profile::Profile;
use std::path::{Path, PathBuf};

/// What a profile is of.
pub struct Profiled<'a> {
    /// The pipeline's title.
    pub title: &'a str,
    /// How the run went.
    pub summary: &'a Summary,
    /// A profile for each process, in order.
    pub profiles: &'a [Profile],
}

/// Where the profile goes; the ending says in which form.
#[derive(Clone, Debug)]
pub struct Target {
    path: PathBuf,
    form: fn(&Profiled) -> String,
}

impl Target {
    /// Reads a file name.
    ///
    /// # Errors
    /// If its ending is none that is known.
    pub fn parse(text: &str) -> Result<Target, String> {
        let path = PathBuf::from(text);
        let form = match path.extension().and_then(|e| e.to_str()) {
            Some("json") => trace::trace,
            Some("html") => page::page,
            _ => return Err("the name must end with .json (for Perfetto) or .html".into()),
        };
        Ok(Target { path, form })
    }

    /// Where it goes.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the profile of a run.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, profiled: &Profiled) -> Result<(), Failure> {
        std::fs::write(&self.path, (self.form)(profiled)).map_err(|e| {
            Failure::output(format!("cannot write the profile {}: {e}", self.path.display()))
        })
    }
}
