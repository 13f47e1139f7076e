//! Files as memory.
use super::fault::{self, Watched};
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
    map(&file)
}

/// The bytes of an open file, mapped.
pub(crate) fn map(file: &File) -> io::Result<Bytes> {
    // SAFETY: the mapping is private to this process and read-only. A file that another program
    // cuts short meanwhile reads as zeros, and `whole` tells; one that it changes gives other
    // values, and all that is decoded from it is checked.
    let map = unsafe { Mmap::map(file)? };
    let watched = (!map.is_empty()).then(|| fault::watch(map.as_ptr() as usize, map.len()));
    Ok(Bytes::from_owner(Mapped { map, watched }))
}

/// A mapping, and the watch over it.
struct Mapped {
    map: Mmap,
    watched: Option<&'static Watched>,
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.map
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        self.watched.into_iter().for_each(fault::unwatch);
    }
}

/// Whether all bytes looked at so far of what [`map_file`] gave were those of the file: asked
/// when something has been made of them.
///
/// # Errors
/// A sentence, if the file has become shorter meanwhile.
pub(crate) fn whole(bytes: &[u8]) -> Result<(), &'static str> {
    match !bytes.is_empty() && fault::cut_short(bytes.as_ptr() as usize) {
        true => Err("the file has become shorter while it was read"),
        false => Ok(()),
    }
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
    fn a_file_that_is_cut_short_reads_as_zeros_and_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let sum = |bytes: &Bytes| bytes.iter().map(|b| u64::from(*b)).sum::<u64>();
        for _ in 0..3 {
            std::fs::write(&path, vec![1; 1 << 20]).unwrap();
            let (file, other) = (map_file(&path).unwrap(), map_file(&path).unwrap());
            assert_eq!(sum(&file), 1 << 20);
            assert_eq!(whole(&file), Ok(()));
            File::options().write(true).open(&path).unwrap().set_len(1 << 19).unwrap();
            assert_eq!(sum(&file), 1 << 19);
            assert!(whole(&file).is_err());
            assert_eq!(whole(&other), Ok(()));
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| assert_eq!(sum(&other), 1 << 19));
                }
            });
            assert!(whole(&other).is_err());
        }
        std::fs::write(&path, "").unwrap();
        assert_eq!(whole(&map_file(&path).unwrap()), Ok(()));
    }

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
