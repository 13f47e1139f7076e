//! How chunks are decoded: HDF5's filters undone. Bytes shuffled, then deflate or Zstandard, go the
//! fast way; all else goes step by step.
use super::hdf5::{FILTER_DEFLATE, FILTER_SHUFFLE, FILTER_ZSTD};
use super::lzf;
use super::shuffle::unshuffle;
use hdf5_reader::FilterRegistry;
use hdf5_reader::checksum::fletcher32;
use hdf5_reader::error::Error;
use hdf5_reader::filters::apply_pipeline_with_limit;
use hdf5_reader::messages::filter_pipeline::FilterDescription;
use libdeflater::Decompressor;
use std::cell::RefCell;
use std::sync::LazyLock;

const FILTER_FLETCHER32: i32 = 3;
const FILTER_LZF: i32 = 32000;

/// Filters that are not read, by their numbers in The HDF Group's registry.
const NAMES: [(u16, &str); 9] = [
    (305, "LZO"),
    (307, "bzip2"),
    (32001, "blosc"),
    (32004, "LZ4"),
    (32008, "bitshuffle"),
    (32013, "ZFP"),
    (32017, "SZ"),
    (32022, "BitGroom"),
    (32026, "blosc2"),
];

/// The most bytes that one byte of deflate becomes.
const DEFLATE_MOST: u64 = 1032;
/// The same of Zstandard and others, whose blocks may repeat one byte: nearly without bound.
const OTHERS_MOST: u64 = 1 << 17;

/// The filters of a variable's chunks.
#[derive(Debug)]
pub(super) struct Filters {
    all: Vec<FilterDescription>,
    fast: Option<Fast>,
}

#[derive(Clone, Copy, Debug)]
struct Fast {
    shuffled: bool,
    packing: Packing,
    /// Whether a checksum stands behind the bytes.
    summed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    None,
    Deflate,
    Zstd,
}

/// What decoding needs, in each thread.
#[derive(Default)]
struct Scratch {
    inflate: Option<Decompressor>,
    zstd: Option<zstd::bulk::Decompressor<'static>>,
    bytes: Vec<u8>,
}

/// Filters that `hdf5-reader` leaves to others.
static OTHERS: LazyLock<FilterRegistry> = LazyLock::new(|| {
    let mut registry = FilterRegistry::new();
    let failed = |what: &str| Error::InvalidData(format!("{what} is damaged"));
    let zstd = move |_: &FilterDescription, data: &[u8], _| {
        let len = zstd::zstd_safe::get_frame_content_size(data).ok().flatten();
        let len = len.filter(|n| *n < 1 << 32).ok_or_else(|| failed("zstd"))?;
        let decoded = zstd::bulk::decompress(data, len as usize);
        decoded.map_err(|_| failed("zstd"))
    };
    registry.register(FILTER_ZSTD as u16, Box::new(zstd));
    let lzf = move |filter: &FilterDescription, data: &[u8], _| {
        // The third parameter is the length of a chunk.
        let len = filter.client_data.get(2).copied().unwrap_or(0) as usize;
        lzf::decode(data, len).ok_or_else(|| failed("LZF"))
    };
    registry.register(FILTER_LZF as u16, Box::new(lzf));
    registry
});

impl Filters {
    /// Of a header, in the order of writing.
    ///
    /// # Errors
    /// If one of them is not known.
    pub(super) fn of(all: &[FilterDescription]) -> Result<Filters, String> {
        let numbers: Vec<i32> = all.iter().map(|f| i32::from(f.id)).collect();
        if let Some(other) = all.iter().find(|f| !known(f.id)) {
            let named = NAMES.iter().find(|(id, _)| *id == other.id).map(|(_, name)| *name);
            let name = named.or(other.name.as_deref()).unwrap_or("which has no name");
            return Err(format!(
                "its chunks are compressed by HDF5's filter {} ({name}), which is not read: write \
                 it anew with deflate or zstd, for instance by `nccopy -d 4` or xarray",
                other.id
            ));
        }
        Ok(Filters { all: all.to_vec(), fast: fast(&numbers) })
    }

    /// The most bytes that one stored byte becomes.
    pub(super) fn most(&self) -> u64 {
        match self.fast {
            Some(Fast { packing: Packing::None, .. }) => 1,
            Some(Fast { packing: Packing::Deflate, .. }) => DEFLATE_MOST,
            _ => OTHERS_MOST,
        }
    }

    /// Decodes the bytes of a chunk as stored, of values of `width` bytes each, into exactly
    /// their length. Filters whose bit is set in `mask` were left out.
    ///
    /// # Errors
    /// If the chunk is damaged, or holds more or less.
    pub(super) fn undo(
        &self,
        stored: &[u8],
        mask: u32,
        width: usize,
        to: &mut [u8],
    ) -> Result<(), String> {
        if let Some(fast) = self.fast.filter(|_| mask == 0) {
            return fast.undo(stored, width, to);
        }
        let most = Some(to.len() + 1);
        let found = apply_pipeline_with_limit(stored, &self.all, mask, width, Some(&OTHERS), most);
        let found = found.map_err(|e| format!("a compressed chunk is damaged: {e}"))?;
        if found.len() != to.len() {
            return Err(wrong_length(found.len(), to.len()));
        }
        to.copy_from_slice(&found);
        Ok(())
    }
}

fn known(id: u16) -> bool {
    id <= 6 || [FILTER_ZSTD, FILTER_LZF].contains(&i32::from(id))
}

fn wrong_length(found: usize, wanted: usize) -> String {
    format!("a chunk holds {found} bytes instead of {wanted}")
}

fn fast(numbers: &[i32]) -> Option<Fast> {
    let (shuffled, rest) = match numbers {
        [FILTER_SHUFFLE, rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (summed, rest) = match rest {
        [rest @ .., FILTER_FLETCHER32] => (true, rest),
        rest => (false, rest),
    };
    let packing = match rest {
        [] => Packing::None,
        [FILTER_DEFLATE] => Packing::Deflate,
        [FILTER_ZSTD] => Packing::Zstd,
        _ => return None,
    };
    Some(Fast { shuffled, packing, summed })
}

/// The bytes before a checksum, if it is right. Old versions of HDF5 swapped its bytes.
fn checked(stored: &[u8]) -> Option<&[u8]> {
    let (bytes, sum) = stored.split_last_chunk::<4>()?;
    let found = fletcher32(bytes);
    let [a, b, c, d] = *sum;
    let wanted = [[a, b, c, d], [b, a, d, c]].map(u32::from_le_bytes);
    wanted.contains(&found).then_some(bytes)
}

impl Fast {
    fn undo(self, stored: &[u8], width: usize, to: &mut [u8]) -> Result<(), String> {
        thread_local! {
            static SCRATCH: RefCell<Scratch> = RefCell::default();
        }
        let stored = match self.summed {
            true => checked(stored).ok_or("a chunk is damaged: its checksum differs")?,
            false => stored,
        };
        SCRATCH.with_borrow_mut(|scratch| {
            let len = to.len();
            let shuffled = self.shuffled && width > 1;
            if self.packing == Packing::None && stored.len() == len {
                match shuffled {
                    true => unshuffle(stored, to, width),
                    false => to.copy_from_slice(stored),
                }
                return Ok(());
            }
            let Scratch { inflate, zstd, bytes } = scratch;
            if shuffled {
                bytes.resize(len, 0);
            }
            let unpacked = if shuffled { &mut bytes[..] } else { &mut *to };
            let damaged = || "a compressed chunk is damaged".to_string();
            let found = match self.packing {
                Packing::None => stored.len(),
                Packing::Deflate => {
                    let engine = inflate.get_or_insert_with(Decompressor::new);
                    engine.zlib_decompress(stored, unpacked).map_err(|_| damaged())?
                }
                Packing::Zstd => {
                    let engine = match zstd.take() {
                        Some(engine) => engine,
                        None => zstd::bulk::Decompressor::new().map_err(|e| e.to_string())?,
                    };
                    let engine = zstd.insert(engine);
                    engine.decompress_to_buffer(stored, unpacked).map_err(|_| damaged())?
                }
            };
            if found != len {
                return Err(wrong_length(found, len));
            }
            if shuffled {
                unshuffle(bytes, to, width);
            }
            Ok(())
        })
    }
}
