//! zlib's format (RFC 1950, 1951) for shuffled values. The lowest bytes of measured or computed
//! numbers are mostly noise, on which a compressor spends most of its time for nothing: such bytes
//! are stored as they are, the rest is deflated. What comes out is read by any zlib.
use libdeflater::{CompressionLvl, Compressor, adler32};

/// The most bytes of a stored block.
const STORED: usize = u16::MAX as usize;
/// Bytes are judged by so many at their start: a little more than deflate looks back.
const WINDOW: usize = 36 << 10;
/// And by so many in the middle and at the end.
const GLANCE: usize = 8 << 10;
/// Four equal bytes in a row recur for one of so many bytes of noise at the most: what deflate
/// would gain by them is a hundredth.
const RECURRENCE: usize = 128;
/// χ² of the frequencies of n bytes of noise is at most n / 4: deflate would gain χ² / (2 n ln 2)
/// of 8 bits a byte, two hundredths.
const UNEVEN: f64 = 0.25;
/// The number of places where the sequences that have been seen are kept.
const SEEN: usize = 1 << 16;

/// Compresses; reused, since its tables are large.
pub(super) struct Deflate {
    engine: Compressor,
    level: u8,
    /// For the hash of four bytes, those that were seen last.
    seen: Vec<u32>,
}

impl Deflate {
    /// Level 1 to 9.
    pub(super) fn new(level: u8) -> Result<Deflate, String> {
        let known = CompressionLvl::new(i32::from(level));
        let known = known.map_err(|_| "there is no such level of compression")?;
        Ok(Deflate { engine: Compressor::new(known), level, seen: vec![0; SEEN] })
    }

    /// The most bytes that `len` bytes become.
    pub(super) fn bound(&mut self, len: usize) -> usize {
        let blocks = len.div_ceil(STORED) + 1;
        2 + 5 * blocks + self.engine.deflate_compress_bound(len) + 4
    }

    /// Compresses the shuffled bytes of values of `width` bytes; tells how many bytes that gave.
    pub(super) fn pack(
        &mut self,
        from: &[u8],
        width: usize,
        to: &mut [u8],
    ) -> Result<usize, String> {
        let noise = self.noise(from, width);
        to[..2].copy_from_slice(&header(self.level));
        let mut at = 2;
        for block in from[..noise].chunks(STORED) {
            let len = block.len() as u16;
            to[at] = 0; // stored, and not the last block
            to[at + 1..at + 3].copy_from_slice(&len.to_le_bytes());
            to[at + 3..at + 5].copy_from_slice(&(!len).to_le_bytes());
            to[at + 5..at + 5 + block.len()].copy_from_slice(block);
            at += 5 + block.len();
        }
        let packed = self.engine.deflate_compress(&from[noise..], &mut to[at..]);
        at += packed.map_err(|e| e.to_string())?;
        to[at..at + 4].copy_from_slice(&adler32(from).to_be_bytes());
        Ok(at + 4)
    }

    /// So many bytes at the start are noise: the lowest bytes of all values, then the next ones,
    /// but never the highest, since the last block is to be deflated.
    fn noise(&mut self, shuffled: &[u8], width: usize) -> usize {
        let plane = shuffled.len() / width.max(1);
        if plane < WINDOW {
            return 0;
        }
        let planes = shuffled.chunks_exact(plane).take(width.saturating_sub(1));
        plane * planes.take_while(|bytes| self.is_noise(bytes)).count()
    }

    fn is_noise(&mut self, bytes: &[u8]) -> bool {
        let last = bytes.len() - GLANCE;
        let windows = [&bytes[..WINDOW], &bytes[last / 2..last / 2 + GLANCE], &bytes[last..]];
        windows
            .into_iter()
            .all(|window| is_even(window) && self.recurrences(window) * RECURRENCE <= window.len())
    }

    /// How often four bytes of a window were there before.
    fn recurrences(&mut self, window: &[u8]) -> usize {
        self.seen.fill(0);
        let mut found = 0;
        for four in window.windows(4) {
            let word = u32::from_le_bytes([four[0], four[1], four[2], four[3]]);
            let place = (word.wrapping_mul(0x9e37_79b1) >> 16) as usize;
            found += usize::from(self.seen[place] == word && word != 0);
            self.seen[place] = word;
        }
        found
    }
}

/// Whether all bytes are about as frequent.
fn is_even(window: &[u8]) -> bool {
    let mut counts = [0u32; 256];
    window.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let mean = window.len() as f64 / 256.0;
    let squares: f64 = counts.iter().map(|n| (f64::from(*n) - mean).powi(2)).sum();
    squares / mean < UNEVEN * window.len() as f64
}

/// Of zlib's format: a window of 32 KiB, and a hint of the level (RFC 1950, section 2.2).
fn header(level: u8) -> [u8; 2] {
    let method = 0x78u8;
    let hint = match level {
        0..=1 => 0u8,
        2..=5 => 1,
        6 => 2,
        _ => 3,
    } << 6;
    let rest = (u16::from(method) * 256 + u16::from(hint)) % 31;
    [method, hint + (31 - rest) as u8]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::netcdf::shuffle::shuffle;
    use libdeflater::Decompressor;

    /// Numbers in no order (Steele, Lea and Flood 2014).
    fn noise(n: usize) -> impl Iterator<Item = u64> + Clone {
        (1..=n as u64).map(|i| {
            let mut z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        })
    }

    /// Packs values of 8 bytes; how many bytes were stored, and what came out.
    fn packed(values: &[u64]) -> (usize, usize) {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let mut shuffled = vec![0; bytes.len()];
        shuffle(&bytes, &mut shuffled, 8);
        let mut deflate = Deflate::new(4).unwrap();
        let mut to = vec![0; deflate.bound(bytes.len())];
        let len = deflate.pack(&shuffled, 8, &mut to).unwrap();
        let mut back = vec![0; bytes.len()];
        let found = Decompressor::new().zlib_decompress(&to[..len], &mut back).unwrap();
        assert_eq!((found, back), (bytes.len(), shuffled.clone()));
        (deflate.noise(&shuffled, 8) / values.len().max(1), len)
    }

    #[test]
    fn noise_is_stored_and_the_rest_deflated() {
        let n = 100_000;
        let numbers = |bits: u32| noise(n).map(move |x| x >> (64 - bits)).collect::<Vec<u64>>();
        let (stored, len) = packed(&numbers(40));
        assert_eq!(stored, 5);
        assert!(len < n * 5 + n / 10, "{len}");
        assert_eq!(packed(&numbers(64)).0, 7);
        assert_eq!(packed(&vec![7; n]).0, 0);
        assert_eq!(packed(&(0..n as u64).collect::<Vec<_>>()).0, 0);
        let rows: Vec<u64> = noise(800).cycle().take(n).collect();
        let (stored, len) = packed(&rows);
        assert_eq!(stored, 0, "what recurs is not noise");
        assert!(len < n, "{len}");
    }

    #[test]
    fn short_and_odd_chunks_are_deflated_whole() {
        for n in [0, 1, 100, WINDOW - 1] {
            assert_eq!(packed(&noise(n).collect::<Vec<_>>()).0, 0);
        }
        let mut deflate = Deflate::new(9).unwrap();
        let mut to = vec![0; deflate.bound(5)];
        let len = deflate.pack(b"abcde", 4, &mut to).unwrap();
        let mut back = [0; 5];
        Decompressor::new().zlib_decompress(&to[..len], &mut back).unwrap();
        assert_eq!(&back, b"abcde");
    }

    #[test]
    fn headers_are_those_of_zlib() {
        let known = [(1, [0x78, 0x01]), (4, [0x78, 0x5e]), (6, [0x78, 0x9c]), (9, [0x78, 0xda])];
        known.iter().for_each(|(level, bytes)| assert_eq!(header(*level), *bytes));
    }
}
