//! Records in a file: each with its lengths and two checksums, so that what a kill, a power cut or
//! a bad disk has left is never taken for more than it is.
//!
//! ```text
//! file:   16 bytes of magic, frames
//! frame:  length of the head (4), of the body (8), checksum of both and the head (8),
//!         checksum of the body (8), head (JSON), body; numbers little-endian
//! ```
use super::record::Record;
use formats::own;
use plan::Print;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a file of a ledger begins with.
pub const MAGIC: &[u8; 16] = b"tidemill ledger\n";

const FIXED: usize = 28;
/// The head of a record is small: a larger one is none.
const MOST_HEAD: u64 = 1 << 20;

/// A record, and where its body is.
#[derive(Clone, Debug)]
pub struct Frame {
    pub record: Record,
    pub body: Body,
}

/// The body of a record, still in its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(PathBuf, u64, u64, [u8; 8])", into = "(PathBuf, u64, u64, [u8; 8])")]
pub struct Body {
    path: Arc<PathBuf>,
    at: u64,
    len: u64,
    sum: [u8; 8],
}

impl From<(PathBuf, u64, u64, [u8; 8])> for Body {
    fn from((path, at, len, sum): (PathBuf, u64, u64, [u8; 8])) -> Body {
        Body { path: Arc::new(path), at, len, sum }
    }
}

impl From<Body> for (PathBuf, u64, u64, [u8; 8]) {
    fn from(body: Body) -> Self {
        (body.path.to_path_buf(), body.at, body.len, body.sum)
    }
}

impl Body {
    /// Of the last record of a file of so many bytes.
    pub fn last(path: &Arc<PathBuf>, end: u64, body: &[&[u8]]) -> Body {
        let len = body.iter().map(|piece| piece.len() as u64).sum();
        Body { path: path.clone(), at: end - len, len, sum: sum(body) }
    }

    /// What tells it from other bodies.
    pub fn place(&self) -> (PathBuf, u64) {
        (self.path.to_path_buf(), self.at)
    }

    /// How many bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// The keys that it begins with. They are not checked, but no wrong key is anybody's.
    pub fn keys(&self, count: u64) -> Option<Vec<Print>> {
        let len = count.checked_mul(16).filter(|len| *len <= self.len)?;
        let file = own::open(&self.path, OpenOptions::new().read(true)).ok()?;
        let mut bytes = vec![0; usize::try_from(len).ok()?];
        file.read_exact_at(&mut bytes, self.at).ok()?;
        Some(bytes.as_chunks::<16>().0.iter().map(|key| Print(*key)).collect())
    }

    /// The bytes, if they are what was written.
    pub fn read(&self) -> Option<Vec<u8>> {
        let file = own::open(&self.path, OpenOptions::new().read(true)).ok()?;
        let mut bytes = vec![0; usize::try_from(self.len).ok()?];
        file.read_exact_at(&mut bytes, self.at).ok()?;
        (sum(&[&bytes]) == self.sum).then_some(bytes)
    }
}

/// How the records of a file end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With the file.
    Whole,
    /// With a record that was being written: as after a kill.
    Torn,
    /// With a record that is not what was written, and more behind it.
    Damaged,
    /// It is no file of a ledger.
    Foreign,
}

/// The bytes of a record.
pub fn encode(record: &Record, body: &[&[u8]]) -> io::Result<Vec<u8>> {
    let head = serde_json::to_vec(record)?;
    let length: usize = body.iter().map(|piece| piece.len()).sum();
    let lengths = [&(head.len() as u32).to_le_bytes()[..], &(length as u64).to_le_bytes()].concat();
    let mut bytes = Vec::with_capacity(FIXED + head.len() + length);
    bytes.write_all(&lengths)?;
    bytes.write_all(&sum(&[&lengths, &head]))?;
    bytes.write_all(&sum(body))?;
    bytes.write_all(&head)?;
    body.iter().try_for_each(|piece| bytes.write_all(piece))?;
    Ok(bytes)
}

/// Adds a record to a file; its bytes.
pub fn append(file: &mut File, record: &Record, body: &[&[u8]]) -> io::Result<u64> {
    let bytes = encode(record, body)?;
    file.write_all(&bytes)?;
    Ok(bytes.len() as u64)
}

/// All records of a file that are whole, up to the first one that is not. Bodies are not read.
pub fn scan(file: &File, path: &Path) -> io::Result<(Vec<Frame>, End)> {
    let len = file.metadata()?.len();
    let mut magic = [0; MAGIC.len()];
    let begun = len.min(magic.len() as u64) as usize;
    file.read_exact_at(&mut magic[..begun], 0)?;
    if magic[..begun] != MAGIC[..begun] {
        let same = magic.iter().zip(MAGIC).take_while(|(a, b)| a == b).count() as u64;
        let torn = rest_is_zero(file, same, len)?;
        return Ok((Vec::new(), if torn { End::Torn } else { End::Foreign }));
    }
    if begun < magic.len() {
        return Ok((Vec::new(), End::Torn));
    }
    let path = Arc::new(path.to_path_buf());
    let mut frames = Vec::new();
    let mut at = MAGIC.len() as u64;
    while at < len {
        match frame(file, &path, at, len)? {
            Some((frame, next)) => {
                frames.push(frame);
                at = next;
            }
            None if ends_torn(file, at, len)? => return Ok((frames, End::Torn)),
            None => return Ok((frames, End::Damaged)),
        }
    }
    Ok((frames, End::Whole))
}

fn lengths(fixed: &[u8; FIXED]) -> (u64, u64) {
    let word = |range: std::ops::Range<usize>| {
        fixed[range].iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte))
    };
    (word(0..4), word(4..12))
}

fn frame(file: &File, path: &Arc<PathBuf>, at: u64, len: u64) -> io::Result<Option<(Frame, u64)>> {
    if len - at < FIXED as u64 {
        return Ok(None);
    }
    let mut fixed = [0; FIXED];
    file.read_exact_at(&mut fixed, at)?;
    let (head_len, body_len) = lengths(&fixed);
    let after = (at + FIXED as u64).saturating_add(head_len).saturating_add(body_len);
    if head_len > MOST_HEAD || after > len {
        return Ok(None);
    }
    let mut head = vec![0; head_len as usize];
    file.read_exact_at(&mut head, at + FIXED as u64)?;
    if sum(&[&fixed[..12], &head]) != fixed[12..20] {
        return Ok(None);
    }
    let record = serde_json::from_slice::<Record>(&head).ok().filter(Record::is_sound);
    let Some(record) = record else { return Ok(None) };
    let mut of_body = [0; 8];
    of_body.copy_from_slice(&fixed[20..]);
    let at = at + FIXED as u64 + head_len;
    let body = Body { path: path.clone(), at, len: body_len, sum: of_body };
    // Only the states of folds are large; they are looked at when they are used.
    if !matches!(record, Record::Partial { .. }) && body.read().is_none() {
        return Ok(None);
    }
    Ok(Some((Frame { record, body }, after)))
}

/// Whether a record that is not whole is the last one: it reaches to the end of the file or past
/// it, or nothing but zeros follows.
fn ends_torn(file: &File, at: u64, len: u64) -> io::Result<bool> {
    if len - at < FIXED as u64 {
        return Ok(true);
    }
    let mut fixed = [0; FIXED];
    file.read_exact_at(&mut fixed, at)?;
    let (head, body) = lengths(&fixed);
    let end = (at + FIXED as u64).saturating_add(head).saturating_add(body);
    Ok((head <= MOST_HEAD && end >= len) || rest_is_zero(file, at, len)?)
}

fn rest_is_zero(file: &File, mut at: u64, len: u64) -> io::Result<bool> {
    let mut bytes = [0; 4096];
    while at < len {
        let some = (len - at).min(bytes.len() as u64) as usize;
        file.read_exact_at(&mut bytes[..some], at)?;
        if bytes[..some].iter().any(|b| *b != 0) {
            return Ok(false);
        }
        at += some as u64;
    }
    Ok(true)
}

/// The first 8 bytes of SHA-256.
fn sum(pieces: &[&[u8]]) -> [u8; 8] {
    let mut hash = Sha256::new();
    pieces.iter().for_each(|piece| hash.update(piece));
    let mut sum = [0; 8];
    sum.copy_from_slice(&hash.finalize()[..8]);
    sum
}
