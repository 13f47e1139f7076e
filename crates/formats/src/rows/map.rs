//! Files as memory.
use bytes::Bytes;
use memmap2::Mmap;
use std::fs::File;
use std::io;
use std::ops::Range;
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

/// Lets go of a part of what [`map_file`] gave, all of it: what was read long ago is not to count
/// as memory of this process. Whoever looks again finds the same bytes.
pub(crate) fn release(file: &Bytes, range: Range<u64>) {
    #[cfg(target_os = "linux")]
    {
        use rustix::mm::{Advice, madvise};
        /// At least a page, whatever its size.
        const ALIGN: usize = 1 << 16;
        let base = file.as_ptr() as usize;
        let start = base.saturating_add(range.start as usize) & !(ALIGN - 1);
        let start = start.max(base);
        let end = base + file.len().min(range.end as usize);
        if start < end {
            let first = file.as_ptr().wrapping_add(start - base).cast_mut().cast();
            // SAFETY: the range lies in a private mapping of a file that nobody writes to, from
            // its first byte or a page on: its pages are read from the file again when they are
            // looked at. What cannot be released stays.
            let _ = unsafe { madvise(first, end - start, Advice::LinuxDontNeed) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, range);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn released_bytes_are_still_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let written: Vec<u8> = (0..300_000u32).map(|i| (i % 251) as u8).collect();
        std::fs::write(&path, &written).unwrap();
        let file = map_file(&path).unwrap();
        for range in [0..1, 5..70_000, 100_000..300_000, 299_999..900_000, 400_000..500_000] {
            release(&file, range);
            assert!(file == written);
        }
    }
}
