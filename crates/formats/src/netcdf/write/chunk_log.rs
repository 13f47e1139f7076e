//! Where the chunks of a file under way lie. The library keeps that in memory until the file is
//! closed, so a run that is killed loses it; noted here, the chunks can be taken out of what is left.
//!
//! The staged folder holds data files and the log, `chunks`: frames of a length (8 bytes), the first
//! 8 bytes of SHA-256 over what follows, and that many bytes of numbers (8 bytes each); all
//! little-endian. The first frame holds the number of the data file and where its variables in one
//! piece start, each later one a tile and its chunks. A frame that is cut off ends the log.
use super::placed::Places;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A chunk in a data file.
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

/// What a log tells.
#[derive(Debug)]
pub(super) struct Told {
    /// The data file.
    pub(super) number: u64,
    /// Where its variables in one piece start.
    pub(super) places: Places,
    /// The chunks of each tile.
    pub(super) tiles: BTreeMap<u64, Vec<Chunk>>,
}

/// A log that goes on.
pub(super) struct ChunkLog(File);

/// The data file of this number.
pub(super) fn data(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("data-{number}.nc"))
}

fn log(folder: &Path) -> PathBuf {
    folder.join("chunks")
}

impl ChunkLog {
    /// A log of a data file, under a name of its own until [`name`].
    pub(super) fn create(folder: &Path, number: u64, places: &Places) -> io::Result<ChunkLog> {
        let file = File::create(log(folder).with_extension("new"))?;
        let places = places.iter().map(|place| place.unwrap_or(u64::MAX));
        let mut log = ChunkLog(file);
        log.frame([number].into_iter().chain(places))?;
        Ok(log)
    }

    /// Goes on with the log.
    pub(super) fn open(folder: &Path) -> io::Result<ChunkLog> {
        OpenOptions::new().append(true).open(log(folder)).map(ChunkLog)
    }

    /// Notes that a tile is in the data file.
    pub(super) fn note(&mut self, tile: u64, chunks: &[Chunk]) -> io::Result<()> {
        let words = chunks.iter().flat_map(|c| {
            let place = [c.offset, c.bytes];
            [c.variable as u64].into_iter().chain(c.origin.iter().copied()).chain(place)
        });
        self.frame([tile].into_iter().chain(words))
    }

    /// One call of the system, so that a process that is killed leaves it out or has it whole.
    fn frame(&mut self, words: impl Iterator<Item = u64>) -> io::Result<()> {
        let body: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
        let mut frame = (body.len() as u64).to_le_bytes().to_vec();
        frame.extend_from_slice(&Sha256::digest(&body)[..8]);
        frame.extend_from_slice(&body);
        self.0.write_all(&frame)
    }
}

/// Gives a new log its name: from now on its data file counts, and no other.
pub(super) fn name(folder: &Path) -> io::Result<()> {
    fs::rename(log(folder).with_extension("new"), log(folder))
}

/// Makes durable the log, and the data file that it tells of.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    let wanting = || io::Error::from(io::ErrorKind::NotFound);
    let number = current(folder).ok_or_else(wanting)?;
    File::open(data(folder, number))?.sync_data()?;
    File::open(log(folder))?.sync_data()?;
    File::open(folder)?.sync_all()
}

/// The number of the data file.
pub(super) fn current(folder: &Path) -> Option<u64> {
    let bytes = fs::read(log(folder)).ok()?;
    frames(&bytes).next()?.first().copied()
}

/// What the log tells, for chunks of so many dimensions; `None` if there is none or it is damaged.
pub(super) fn read(folder: &Path, rank: usize) -> Option<Told> {
    let bytes = fs::read(log(folder)).ok()?;
    let mut frames = frames(&bytes);
    let head = frames.next()?;
    let (number, places) = head.split_first()?;
    let places = places.iter().map(|p| Some(*p).filter(|p| *p != u64::MAX)).collect();
    let mut tiles = BTreeMap::new();
    for frame in frames {
        let (tile, words) = frame.split_first()?;
        let chunks = words.chunks(rank + 3).map(|words| {
            let (variable, words) = words.split_first()?;
            let (origin, place) = words.split_at_checked(rank)?;
            let [offset, bytes] = *place else { return None };
            let variable = usize::try_from(*variable).ok()?;
            Some(Chunk { variable, origin: origin.to_vec(), offset, bytes })
        });
        tiles.insert(*tile, chunks.collect::<Option<Vec<Chunk>>>()?);
    }
    Some(Told { number: *number, places, tiles })
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

    #[test]
    fn a_log_that_is_cut_off_tells_what_was_whole() {
        let dir = tempfile::tempdir().unwrap();
        let places = vec![Some(4096), None];
        let chunk = |n: u64| Chunk { variable: 1, origin: vec![n, 0], offset: 9 * n, bytes: 9 };
        let mut log = ChunkLog::create(dir.path(), 3, &places).unwrap();
        log.note(5, &[chunk(1), chunk(2)]).unwrap();
        assert!(read(dir.path(), 2).is_none(), "it has no name yet");
        name(dir.path()).unwrap();
        ChunkLog::open(dir.path()).unwrap().note(0, &[chunk(3)]).unwrap();
        let told = read(dir.path(), 2).unwrap();
        assert_eq!((told.number, &told.places), (3, &places));
        assert_eq!(
            told.tiles,
            BTreeMap::from([(5, vec![chunk(1), chunk(2)]), (0, vec![chunk(3)])])
        );
        let path = dir.path().join("chunks");
        let whole = fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let tiles = read(dir.path(), 2).map(|told| told.tiles.len());
            assert!(tiles.is_none_or(|n| n < 2), "{cut}");
        }
    }
}
