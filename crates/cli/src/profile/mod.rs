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
use crate::side_file::SideFile;
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
    mark: &'static str,
}

impl Target {
    /// Reads a file name.
    ///
    /// # Errors
    /// If its ending is none that is known.
    pub fn parse(text: &str) -> Result<Target, String> {
        let path = PathBuf::from(text);
        let (form, mark): (fn(&Profiled) -> String, _) = match ending(&path) {
            Some("json") => (trace::trace, trace::MARK),
            Some("html") => (page::page, page::MARK),
            _ => return Err("the name must end with .json (for Perfetto) or .html".into()),
        };
        Ok(Target { path, form, mark })
    }

    /// Where it goes.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file, and whether any other may be replaced by it.
    pub fn file(&self, overwrite: bool) -> SideFile<'_> {
        SideFile { what: "profile", path: &self.path, mark: self.mark, overwrite }
    }

    /// The text of the profile of a run.
    pub fn text(&self, profiled: &Profiled) -> String {
        (self.form)(profiled)
    }
}

fn ending(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}
