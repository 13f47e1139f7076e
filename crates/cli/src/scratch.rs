//! A folder for outputs that are thrown away.
use crate::job;
use crate::signals::Temporary;
use base::Failure;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// A folder that only this user can write to, and that goes with this value, or with the process.
pub struct Scratch(Temporary);

impl Scratch {
    /// Makes one of its own in a folder.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn new(within: &Path, verb: &str) -> Result<Scratch, Failure> {
        let path = within.join(format!("tidemill-{verb}-{}", job::new_run_id()));
        DirBuilder::new().mode(0o700).create(&path).map_err(|e| {
            Failure::output(format!("cannot make the folder {}: {e}", path.display()))
        })?;
        Ok(Scratch(Temporary::new(path)))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}
