//! How long a classic NetCDF file must be. The library reads zeros behind the end of a file that
//! was cut off, so the length is checked against the header first.
//! Source: "NetCDF Classic Format Specification", NetCDF User's Guide, appendix B.
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// Checks that a classic file (CDF-1, CDF-2, CDF-5) is as long as its header says; other files
/// pass.
///
/// # Errors
/// If the file is shorter, or its header does not follow the format.
pub(super) fn check_length(path: &Path) -> Result<(), String> {
    let file = File::open(path).map_err(|e| e.to_string())?;
    let len = file.metadata().map_err(|e| e.to_string())?.len();
    let mut magic = [0u8; 4];
    let mut reader = BufReader::new(file);
    if reader.read_exact(&mut magic).is_err() || &magic[..3] != b"CDF" {
        return Ok(());
    }
    let mut header = Header { from: reader, version: magic[3] };
    match header.least_length() {
        Some(least) if least <= len => Ok(()),
        Some(least) => Err(format!("it is cut off: {len} bytes of at least {least}")),
        None => Err("its header is cut off or damaged".to_string()),
    }
}

struct Header<R> {
    from: R,
    version: u8,
}

impl<R: Read> Header<R> {
    fn least_length(&mut self) -> Option<u64> {
        let records = self.count()?;
        // A file being streamed does not know its records.
        let streaming = if self.version == 5 { u64::MAX } else { u64::from(u32::MAX) };
        let records = if records == streaming { 0 } else { records };
        let dims = self.list(10, |h| {
            h.name()?;
            h.count()
        })?;
        self.attributes()?;
        let variables = self.list(11, |h| h.variable(&dims))?;
        let (in_records, fixed): (Vec<Place>, Vec<Place>) =
            variables.into_iter().partition(|v| v.record);
        // A single variable in records is not padded.
        let padded =
            |v: &Place| if in_records.len() == 1 { v.bytes } else { v.bytes.div_ceil(4) * 4 };
        let record = in_records.iter().try_fold(0u64, |sum, v| sum.checked_add(padded(v)))?;
        let before = if records > 0 { record.checked_mul(records - 1)? } else { 0 };
        let mut least = 0;
        for place in &fixed {
            least = least.max(place.begin.checked_add(place.bytes)?);
        }
        for place in in_records.iter().filter(|_| records > 0) {
            least = least.max(place.begin.checked_add(before)?.checked_add(place.bytes)?);
        }
        Some(least)
    }

    fn variable(&mut self, dims: &[u64]) -> Option<Place> {
        self.name()?;
        let rank = self.count()?;
        let mut sizes = Vec::new();
        for _ in 0..rank {
            let id = self.count()?;
            sizes.push(*dims.get(usize::try_from(id).ok()?)?);
        }
        self.attributes()?;
        let width = self.width()?;
        self.count()?;
        let begin = if self.version == 1 { u64::from(self.word()?) } else { self.double_word()? };
        let record = sizes.first() == Some(&0);
        let rest = if record { &sizes[1..] } else { &sizes[..] };
        let bytes = rest.iter().try_fold(width, |n, s| n.checked_mul(*s))?;
        Some(Place { begin, bytes, record })
    }

    fn attributes(&mut self) -> Option<()> {
        self.list(12, |h| {
            h.name()?;
            let width = h.width()?;
            let count = h.count()?;
            h.skip(width.checked_mul(count)?)
        })?;
        Some(())
    }

    /// A list with its tag; an absent one has the tag 0 and no entries.
    fn list<T>(
        &mut self,
        tag: u32,
        mut entry: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let found = self.word()?;
        let count = self.count()?;
        if found != tag && (found != 0 || count != 0) {
            return None;
        }
        (0..count).map(|_| entry(self)).collect()
    }

    fn name(&mut self) -> Option<()> {
        let len = self.count()?;
        self.skip(len)
    }

    fn width(&mut self) -> Option<u64> {
        Some(match self.word()? {
            1 | 2 | 7 => 1,
            3 | 8 => 2,
            4 | 5 | 9 => 4,
            6 | 10 | 11 => 8,
            _ => return None,
        })
    }

    /// Passes over bytes and the padding behind them.
    fn skip(&mut self, bytes: u64) -> Option<()> {
        let padded = bytes.checked_next_multiple_of(4)?;
        let passed = std::io::copy(&mut self.from.by_ref().take(padded), &mut std::io::sink());
        (passed.ok()? == padded).then_some(())
    }

    fn count(&mut self) -> Option<u64> {
        if self.version == 5 { self.double_word() } else { self.word().map(u64::from) }
    }

    fn word(&mut self) -> Option<u32> {
        let mut bytes = [0; 4];
        self.from.read_exact(&mut bytes).ok()?;
        Some(u32::from_be_bytes(bytes))
    }

    fn double_word(&mut self) -> Option<u64> {
        let mut bytes = [0; 8];
        self.from.read_exact(&mut bytes).ok()?;
        Some(u64::from_be_bytes(bytes))
    }
}

/// Where a variable stands.
struct Place {
    begin: u64,
    /// Of the whole variable, or of one record.
    bytes: u64,
    record: bool,
}
