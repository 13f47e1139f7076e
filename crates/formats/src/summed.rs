//! What is written to a staged file, measured on its way: how long it is, what it ends with, and a
//! checksum of it if one is wanted.
use crate::Piece;
use std::fs::File;
use std::hash::Hasher;
use std::io::{self, Read, Write};
use twox_hash::XxHash3_64;

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 18;

/// A file that is written from its beginning, or gone on with at its end.
pub(crate) struct Summed {
    file: File,
    length: u64,
    /// Of these, how many were written here: what was there before is not known.
    here: u64,
    /// The last eight bytes that were written here.
    tail: [u8; 8],
    /// Over what was written since the last [`Summed::piece`].
    sum: Option<XxHash3_64>,
}

/// A staged file that is written at its end.
pub(crate) type Appended = Summed;

impl Summed {
    /// Of a file that has so many bytes.
    pub(crate) fn new(length: u64, file: File) -> Summed {
        Summed { file, length, here: 0, tail: [0; 8], sum: None }
    }

    /// From now on there is a checksum of what is written.
    pub(crate) fn sum(&mut self) {
        self.sum = Some(XxHash3_64::new());
    }

    /// How long the file is.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// What was written since it was asked for the last time; the length is that of the file. Of one
    /// to which fewer than eight bytes were written here the last ones are not known, and 0.
    pub(crate) fn piece(&mut self) -> Piece {
        let sum = self.sum.as_ref().map_or(0, |sum| known(sum.finish()));
        if self.sum.is_some() {
            self.sum();
        }
        let tail = if self.here < 8 { 0 } else { u64::from_le_bytes(self.tail) };
        Piece { bytes: self.length, sum, tail }
    }

    /// Makes it durable.
    pub(crate) fn sync_all(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// The file.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// The file alone.
    pub(crate) fn into_file(self) -> File {
        self.file
    }
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        let bytes = &bytes[..written];
        self.length += written as u64;
        self.here += written as u64;
        if let Some(sum) = &mut self.sum {
            sum.write(bytes);
        }
        let last = &bytes[written.saturating_sub(8)..];
        self.tail.rotate_left(last.len() % 8);
        self.tail[8 - last.len()..].copy_from_slice(last);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The checksum of what comes next of a file, so many bytes. 0 if it is shorter: no checksum is.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn sum_of(file: &mut File, bytes: u64) -> io::Result<u64> {
    let (mut sum, mut left, mut block) = (XxHash3_64::new(), bytes, vec![0; BLOCK]);
    while left > 0 {
        let most = left.min(BLOCK as u64) as usize;
        match file.read(&mut block[..most])? {
            0 => return Ok(0),
            read => {
                sum.write(&block[..read]);
                left -= read as u64;
            }
        }
    }
    Ok(known(sum.finish()))
}

/// 0 stands for no checksum.
fn known(sum: u64) -> u64 {
    sum.max(1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::{Seek, SeekFrom};

    #[test]
    fn pieces_have_the_sums_of_what_was_read_back() {
        let mut file = Summed::new(0, tempfile::tempfile().unwrap());
        file.sum();
        let mut pieces = Vec::new();
        for len in [0usize, 1, 3, 8, 9, 100_000, 700_001] {
            let bytes: Vec<u8> = (0..len).map(|i| (i * 7 % 251) as u8).collect();
            bytes.chunks(4099).for_each(|part| file.write_all(part).unwrap());
            pieces.push(file.piece());
        }
        let (end, tail) = (file.length(), pieces.last().unwrap().tail);
        let mut file = file.into_file();
        file.seek(SeekFrom::Start(end - 8)).unwrap();
        let mut last = [0; 8];
        file.read_exact(&mut last).unwrap();
        assert_eq!(u64::from_le_bytes(last), tail);
        let (mut file, mut at) = (file, 0);
        file.rewind().unwrap();
        for piece in &pieces {
            assert_eq!(sum_of(&mut file, piece.bytes - at).unwrap(), piece.sum);
            at = piece.bytes;
        }
        assert_eq!(sum_of(&mut file, 1).unwrap(), 0);
    }
}
