//! A file that a verb writes beside the outputs of a pipeline, such as a profile.
use crate::job::{Job, new_run_id};
use base::{Failure, FailureKind};
use formats::{Known, Replace, put, refusal};
use plan::physical::{Op, Physical};
use plan::real_name;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A file is known by what stands in so many of its first bytes.
const BEGINNING: u64 = 4096;

/// What is to be written, and where.
pub struct SideFile<'a> {
    /// What it is: `profile`.
    pub what: &'a str,
    /// Its name.
    pub path: &'a Path,
    /// Words near the beginning by which an earlier one is known, which may be replaced.
    pub mark: &'a str,
    /// Whether any other file may be replaced, too.
    pub overwrite: bool,
}

impl SideFile<'_> {
    /// Refuses a name under which something stands that may not be replaced.
    ///
    /// # Errors
    /// With what stands there.
    pub fn check(&self, job: &Job, physical: &Physical) -> Result<(), Failure> {
        let wrong = |why| Failure::new(FailureKind::Pipeline, why);
        if let Some(why) = taken(self.path, job, physical) {
            return Err(wrong(format!("cannot write the {}: {why}", self.what)));
        }
        self.replace().map(drop).map_err(wrong)
    }

    fn replace(&self) -> Result<Replace, String> {
        let Some(known) = Known::at(self.path) else { return Ok(Replace::Never) };
        if let Some(why) = refusal(self.path, false) {
            return Err(format!("cannot write the {}: {why}", self.what));
        }
        if self.overwrite {
            return Ok(Replace::Always);
        }
        let mut beginning = Vec::new();
        let read =
            File::open(self.path).and_then(|f| f.take(BEGINNING).read_to_end(&mut beginning));
        let ours = read.is_ok() && String::from_utf8_lossy(&beginning).contains(self.mark);
        ours.then_some(Replace::Known(known)).ok_or_else(|| {
            let (what, path) = (self.what, self.path.display());
            format!(
                "cannot write the {what}: `{path}` exists already and is no {what} of Tidemill: \
                 say `--overwrite` to replace it, or give another name"
            )
        })
    }

    /// Writes it whole.
    ///
    /// # Errors
    /// If something that may not be replaced has come meanwhile, or it cannot be written.
    pub fn write(&self, text: &str) -> Result<(), Failure> {
        let replace = self.replace().map_err(Failure::output)?;
        put(self.path, &new_run_id(), replace, text.as_bytes())
    }
}

/// Why a name is not free beside a pipeline: it is that of the pipeline, of an input or an output.
pub fn taken(path: &Path, job: &Job, physical: &Physical) -> Option<String> {
    let id = |path: &Path| path.metadata().ok().map(|m| (m.dev(), m.ino()));
    let (real, this, name) = (real_name(path), id(path), path.display());
    let same = |other: &Path| this.is_some() && this == id(other);
    if same(Path::new(&job.name)) {
        return Some(format!("`{name}` is the pipeline file"));
    }
    physical.nodes.iter().find_map(|node| match &node.op {
        Op::Read(read) => {
            let files = read.files.as_ref().filter(|_| this.is_some());
            let read = files.is_some_and(|files| files.files().iter().any(|file| same(file)));
            read.then(|| format!("`{name}` is read by the pipeline"))
        }
        Op::Write(sink) => {
            let written = same(sink.path()) || real.starts_with(real_name(sink.path()));
            written.then(|| format!("`{name}` is written by the pipeline"))
        }
        _ => None,
    })
}
