//! Files that only their owner is trusted with: what is staged, and its note.
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Opens a file to read and write, or makes it, for this process alone; `None` if another one has it.
///
/// # Errors
/// As [`open`].
pub(super) fn alone(path: &Path) -> io::Result<Option<File>> {
    // Between opening and locking it, another process may give it its final name.
    for _ in 0..100 {
        let mut options = OpenOptions::new();
        let file = open(options.read(true).write(true).create(true).truncate(false), path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => break,
            // Not all file systems have locks.
            Err(Errno::NOTSUP | Errno::NOSYS | Errno::NOLCK | Errno::INVAL) | Ok(()) => {}
            Err(e) => return Err(e.into()),
        }
        let (about, there) = (file.metadata()?, path.symlink_metadata());
        if there.is_ok_and(|m| (m.dev(), m.ino()) == (about.dev(), about.ino())) {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// Opens a file of this user, or of the folder's owner, never through a link.
///
/// # Errors
/// If it is a link, no regular file, or another user's.
pub(super) fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = options.custom_flags(flags.bits() as i32).open(path);
    let file = file.map_err(|e| match e.raw_os_error() {
        Some(no) if no == Errno::LOOP.raw_os_error() => {
            io::Error::other(format!("`{}` is a symbolic link", path.display()))
        }
        _ => e,
    })?;
    let about = file.metadata()?;
    let folder = path.parent().and_then(|folder| folder.metadata().ok()).map(|m| m.uid());
    let known = [Some(geteuid().as_raw()), folder];
    let wrong = match () {
        () if !about.is_file() => "is no regular file",
        () if !known.contains(&Some(about.uid())) => "belongs to another user",
        () => return Ok(file),
    };
    Err(io::Error::other(format!("`{}` {wrong}", path.display())))
}
