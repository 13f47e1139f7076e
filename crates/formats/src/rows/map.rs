//! Files as memory.
use bytes::Bytes;
use memmap2::Mmap;
use std::fs::File;
use std::io;
use std::path::Path;

/// The bytes of a file, mapped: those that nobody looks at are never read.
pub(crate) fn map_file(path: &Path) -> io::Result<Bytes> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    // SAFETY: the mapping is private to this process and read-only. A file that another program
    // cuts short meanwhile ends this one (SIGBUS), as with every reader that maps; one that it
    // changes gives other values, and all that is decoded from it is checked.
    let map = unsafe { Mmap::map(&file)? };
    Ok(Bytes::from_owner(map))
}
