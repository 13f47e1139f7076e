//! The staged folder of a compressed file: where there is room for chunks, and where they lie.
//!
//! | file | |
//! |---|---|
//! | `data.nc` | what the library has defined, and behind it the chunks, in the order in which they came |
//! | `space` | numbers: where the next chunk goes; for each variable the address of its index, or all ones |
//! | `copy.nc` | what the library has made of both, where it does not take the index |
//! | `*.log` | of one writer: frames, each a tile and its chunks |
//!
//! A frame is a length (8 bytes), the first 8 bytes of SHA-256 over what follows, and that many bytes
//! of numbers (8 bytes each, little-endian, as in `space`). One that is cut off ends its log.
use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A chunk in the data file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// The variable, by its place among those of the file.
    pub(super) variable: usize,
    /// The chunk's first point.
    pub(super) origin: Vec<u64>,
    /// Where its bytes start in the file.
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

/// The chunks of each tile.
pub(super) type Tiles = BTreeMap<u64, Vec<Chunk>>;

/// The file that is to have the final name.
pub(super) fn data(folder: &Path) -> PathBuf {
    folder.join("data.nc")
}

/// Where the library puts all chunks into a new file, if it must.
pub(super) fn copy(folder: &Path) -> PathBuf {
    folder.join("copy.nc")
}

/// Whether a staged folder may have a file of this name.
pub(crate) fn is_staged_name(name: &str) -> bool {
    ["data.nc", "copy.nc", "space"].contains(&name) || name.ends_with(".log")
}

/// Room in the data file, which all writers of all processes share.
pub(super) struct Space(File);

impl Space {
    /// Begins the space behind the first `end` bytes of the data file.
    pub(super) fn create(folder: &Path, end: u64, roots: &[Option<u64>]) -> io::Result<()> {
        let roots = roots.iter().map(|root| root.unwrap_or(u64::MAX));
        let words: Vec<u8> = [end].into_iter().chain(roots).flat_map(u64::to_le_bytes).collect();
        fs::write(folder.join("space"), words)
    }

    pub(super) fn open(folder: &Path) -> io::Result<Space> {
        OpenOptions::new().read(true).write(true).open(folder.join("space")).map(Space)
    }

    /// Takes so many bytes; where they start.
    pub(super) fn take(&self, bytes: u64) -> io::Result<u64> {
        // Each writer has opened the file for itself, so the lock holds within a process, too.
        flock(&self.0, FlockOperation::LockExclusive)?;
        let mut word = [0; 8];
        let taken = self.0.read_exact_at(&mut word, 0).and_then(|()| {
            let at = u64::from_le_bytes(word);
            self.0.write_all_at(&(at + bytes).to_le_bytes(), 0).map(|()| at)
        });
        flock(&self.0, FlockOperation::Unlock)?;
        taken
    }

    /// The addresses of the indices of so many variables.
    pub(super) fn roots(&self, variables: usize) -> io::Result<Vec<Option<u64>>> {
        let mut words = vec![0; 8 * variables];
        self.0.read_exact_at(&mut words, 8)?;
        let words = words.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        Ok(words.map(|root| Some(root).filter(|root| *root != u64::MAX)).collect())
    }
}

/// The log of one writer.
pub(super) struct ChunkLog(File);

impl ChunkLog {
    /// A new one.
    pub(super) fn create(folder: &Path) -> io::Result<ChunkLog> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        loop {
            let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
            let path = folder.join(format!("{}-{process}-{count}.log", host.trim()));
            match OpenOptions::new().append(true).create_new(true).open(path) {
                // Of an earlier process of the same number.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                opened => return opened.map(ChunkLog),
            }
        }
    }

    /// Notes that a tile is in the data file: in one call of the system, so that a process that is
    /// killed leaves it out or has it whole.
    pub(super) fn note(&mut self, tile: u64, chunks: &[Chunk]) -> io::Result<()> {
        let words = chunks.iter().flat_map(|c| {
            let place = [c.offset, c.bytes];
            [c.variable as u64].into_iter().chain(c.origin.iter().copied()).chain(place)
        });
        let body: Vec<u8> = [tile].into_iter().chain(words).flat_map(u64::to_le_bytes).collect();
        let mut frame = (body.len() as u64).to_le_bytes().to_vec();
        frame.extend_from_slice(&Sha256::digest(&body)[..8]);
        frame.extend_from_slice(&body);
        self.0.write_all(&frame)
    }
}

fn logs(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let paths = fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path()));
    let paths = paths.collect::<io::Result<Vec<PathBuf>>>()?;
    Ok(paths.into_iter().filter(|p| p.extension().is_some_and(|e| e == "log")).collect())
}

/// Makes durable the data file and what is told of it.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(data(folder))?.sync_data()?;
    File::open(folder.join("space"))?.sync_data()?;
    logs(folder)?.iter().try_for_each(|log| File::open(log)?.sync_data())?;
    File::open(folder)?.sync_all()
}

/// What all logs tell, for chunks of so many dimensions.
pub(super) fn read(folder: &Path, rank: usize) -> io::Result<Tiles> {
    let mut tiles = Tiles::new();
    for log in logs(folder)? {
        for frame in frames(&fs::read(log)?) {
            tiles.extend(tile(&frame, rank));
        }
    }
    Ok(tiles)
}

/// Puts one log in the place of all: that these tiles are in the data file, and no others. False,
/// and nothing done, if one of them is in no log.
pub(super) fn keep(folder: &Path, rank: usize, written: &BTreeSet<u64>) -> io::Result<bool> {
    let (old, mut tiles) = (logs(folder)?, read(folder, rank)?);
    tiles.retain(|tile, _| written.contains(tile));
    if tiles.len() < written.len() {
        return Ok(false);
    }
    let mut log = ChunkLog::create(folder)?;
    tiles.iter().try_for_each(|(tile, chunks)| log.note(*tile, chunks))?;
    log.0.sync_data()?;
    old.iter().try_for_each(fs::remove_file)?;
    Ok(true)
}

fn tile(frame: &[u64], rank: usize) -> Option<(u64, Vec<Chunk>)> {
    let (tile, words) = frame.split_first()?;
    let chunks = words.chunks(rank + 3).map(|words| {
        let (variable, words) = words.split_first()?;
        let (origin, place) = words.split_at_checked(rank)?;
        let [offset, bytes] = *place else { return None };
        let variable = usize::try_from(*variable).ok()?;
        Some(Chunk { variable, origin: origin.to_vec(), offset, bytes })
    });
    Some((*tile, chunks.collect::<Option<Vec<Chunk>>>()?))
}

/// The frames that are whole.
fn frames(mut bytes: &[u8]) -> impl Iterator<Item = Vec<u64>> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<8>()?;
        let (check, rest) = rest.split_first_chunk::<8>()?;
        let (body, rest) = rest.split_at_checked(u64::from_le_bytes(*length) as usize)?;
        bytes = rest;
        let words = body.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        (Sha256::digest(body)[..8] == check[..]).then(|| words.collect())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn chunk(n: u64) -> Chunk {
        Chunk { variable: 1, origin: vec![n, 0], offset: 9 * n, bytes: 9 }
    }

    #[test]
    fn logs_that_are_cut_off_tell_what_was_whole() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path();
        let mut log = ChunkLog::create(folder).unwrap();
        log.note(5, &[chunk(1), chunk(2)]).unwrap();
        ChunkLog::create(folder).unwrap().note(0, &[chunk(3)]).unwrap();
        log.note(7, &[chunk(4)]).unwrap();
        let all =
            Tiles::from([(5, vec![chunk(1), chunk(2)]), (0, vec![chunk(3)]), (7, vec![chunk(4)])]);
        assert_eq!(read(folder, 2).unwrap(), all);
        assert!(!keep(folder, 2, &BTreeSet::from([0, 6])).unwrap());
        assert!(keep(folder, 2, &BTreeSet::from([0, 5])).unwrap());
        let paths = logs(folder).unwrap();
        assert_eq!((paths.len(), read(folder, 2).unwrap().len()), (1, 2));
        let whole = fs::read(&paths[0]).unwrap();
        for cut in 0..whole.len() {
            fs::write(&paths[0], &whole[..cut]).unwrap();
            assert!(read(folder, 2).unwrap().len() < 2, "{cut}");
        }
    }

    #[test]
    fn nobody_gets_the_same_space() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path();
        Space::create(folder, 100, &[None, Some(7)]).unwrap();
        let takes = || {
            let space = Space::open(folder).unwrap();
            (1..200).map(|n| (space.take(n).unwrap(), n)).collect::<Vec<_>>()
        };
        let mut all: Vec<(u64, u64)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..3).map(|_| scope.spawn(takes)).collect();
            threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
        });
        all.sort_unstable();
        let mut end = 100;
        for (at, bytes) in all {
            assert_eq!(at, end);
            end += bytes;
        }
        assert_eq!(Space::open(folder).unwrap().roots(2).unwrap(), [None, Some(7)]);
    }
}
