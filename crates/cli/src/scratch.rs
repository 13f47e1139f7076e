//! A folder for outputs that are thrown away.
use crate::job;
use base::Failure;
use std::fs::{DirBuilder, remove_dir_all};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// A folder that only this user can write to, and that goes with this value.
pub struct Scratch {
    path: PathBuf,
    inode: u64,
}

impl Scratch {
    /// Makes one of its own in a folder.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn new(within: &Path, verb: &str) -> Result<Scratch, Failure> {
        let path = within.join(format!("tidemill-{verb}-{}", job::new_run_id()));
        let made = DirBuilder::new().mode(0o700).create(&path);
        let inode = made.and_then(|()| path.symlink_metadata()).map(|m| m.ino()).map_err(|e| {
            Failure::output(format!("cannot make the folder {}: {e}", path.display()))
        })?;
        Ok(Scratch { path, inode })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let ours = |m: std::fs::Metadata| m.is_dir() && m.ino() == self.inode;
        // Nobody else can have put anything into the folder that was made here, and links in it
        // are not followed. What cannot be removed stays, under a name that says whose it is.
        if self.path.symlink_metadata().is_ok_and(ours) {
            drop(remove_dir_all(&self.path));
        }
    }
}
