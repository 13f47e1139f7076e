//! A mark on files that says who has made them: an attribute that file systems keep beside a file.
//!
//! A run that is killed between the last step of a file and the note of it finds the file again, and
//! knows it for one of its own. A file that has been written to since has another size or time than
//! its mark says, and is nobody's.
use crate::Made;
use rustix::fs::{XattrFlags, lgetxattr, lsetxattr};
use std::path::Path;

const NAME: &str = "user.tidemill.made";

/// Longer marks are not ours.
const LONGEST: usize = 256;

/// Marks a file. Where the file system has no such attributes, nothing is marked.
pub fn mark(path: &Path, maker: &str) {
    if let Some(made) = Made::at(path) {
        let _ = lsetxattr(path, NAME, text(maker, &made).as_bytes(), XattrFlags::empty());
    }
}

/// Whether a file is as this maker has made it.
pub fn is_of(path: &Path, maker: &str) -> bool {
    let mut value = [0; LONGEST];
    let Ok(length) = lgetxattr(path, NAME, &mut value) else { return false };
    Made::at(path).is_some_and(|made| text(maker, &made).as_bytes() == &value[..length])
}

fn text(maker: &str, made: &Made) -> String {
    format!("{maker} {} {}", made.bytes, made.modified)
}
