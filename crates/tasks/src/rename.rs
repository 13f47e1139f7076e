//! Giving files names in one step, where the file system can.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
use rustix::fs::{CWD, RenameFlags, renameat_with};
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
use rustix::io::Errno;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Renames; fails if the new name is taken, at once where the file system can, else by a look.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] if it is taken; what the file system says.
pub fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
        done => return Ok(done?),
    }
    if to.symlink_metadata().is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    fs::rename(from, to)
}

/// Exchanges two names, or gives the new one if nothing has it any more; false if the file system
/// cannot exchange names.
///
/// # Errors
/// What the file system says.
pub fn exchange(from: &Path, to: &Path) -> io::Result<bool> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    match renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
        // What was to be replaced is gone.
        Err(Errno::NOENT) => return rename_new(from, to).map(|()| true),
        done => return Ok(done.map(|()| true)?),
    }
    let _ = (from, to);
    Ok(false)
}
