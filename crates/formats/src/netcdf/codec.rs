//! How chunks are compressed: bytes shuffled, then deflate or Zstandard, as HDF5's filters do it.
use super::deflate::Deflate;
use super::hdf5::{FILTER_DEFLATE, FILTER_SHUFFLE, FILTER_ZSTD};
use super::shuffle::{shuffle, unshuffle};
use libdeflater::Decompressor;
use std::cell::RefCell;
use std::fmt;

/// How hard values are compressed, and with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    /// zlib's format, level 1 to 9.
    Deflate(u8),
    /// Zstandard, level 1 to 22.
    Zstd(u8),
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Codec::Deflate(level) => write!(f, "deflate {level}"),
            Codec::Zstd(level) => write!(f, "zstd {level}"),
        }
    }
}

/// Compresses chunks; reused, since its tables are large.
pub(super) struct Packer {
    codec: Codec,
    engine: Engine,
    shuffled: Vec<u8>,
    packed: Vec<u8>,
}

enum Engine {
    Deflate(Deflate),
    Zstd(zstd::bulk::Compressor<'static>),
}

impl Packer {
    fn new(codec: Codec) -> Result<Packer, String> {
        let engine = match codec {
            Codec::Deflate(level) => Engine::Deflate(Deflate::new(level)?),
            Codec::Zstd(level) => {
                let engine = zstd::bulk::Compressor::new(i32::from(level));
                Engine::Zstd(engine.map_err(|e| e.to_string())?)
            }
        };
        Ok(Packer { codec, engine, shuffled: Vec::new(), packed: Vec::new() })
    }

    /// Runs `f` with this thread's packer.
    pub(super) fn with<T>(
        codec: Codec,
        f: impl FnOnce(&mut Packer) -> Result<T, String>,
    ) -> Result<T, String> {
        thread_local! {
            static PACKER: RefCell<Option<Packer>> = const { RefCell::new(None) };
        }
        PACKER.with_borrow_mut(|kept| {
            let packer = match kept.take().filter(|p| p.codec == codec) {
                Some(packer) => packer,
                None => Packer::new(codec)?,
            };
            f(kept.insert(packer))
        })
    }

    /// The compressed bytes of values of `width` bytes each.
    pub(super) fn pack(&mut self, values: &[u8], width: usize) -> Result<&[u8], String> {
        self.shuffled.resize(values.len(), 0);
        shuffle(values, &mut self.shuffled, width);
        let from = &self.shuffled;
        let bound = match &mut self.engine {
            Engine::Deflate(engine) => engine.bound(from.len()),
            Engine::Zstd(_) => zstd::zstd_safe::compress_bound(from.len()),
        };
        self.packed.resize(bound, 0);
        let failed = |e: &dyn fmt::Display| format!("a chunk cannot be compressed: {e}");
        let to = &mut self.packed[..];
        let len = match &mut self.engine {
            Engine::Deflate(engine) => engine.pack(from, width, to).map_err(|e| failed(&e))?,
            Engine::Zstd(engine) => engine.compress_to_buffer(from, to).map_err(|e| failed(&e))?,
        };
        Ok(&self.packed[..len])
    }
}

/// The filters of a variable's chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Filters {
    shuffled: bool,
    packing: Packing,
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

impl Filters {
    /// Of HDF5's numbers, in the order of writing; `None` if we do not know how to undo them.
    pub(super) fn of(numbers: &[i32]) -> Option<Filters> {
        let (shuffled, rest) = match numbers {
            [FILTER_SHUFFLE, rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let packing = match rest {
            [] => Packing::None,
            [FILTER_DEFLATE] => Packing::Deflate,
            [FILTER_ZSTD] => Packing::Zstd,
            _ => return None,
        };
        Some(Filters { shuffled, packing })
    }

    /// Decodes the bytes of a chunk as stored, of values of `width` bytes each, into exactly
    /// their length.
    ///
    /// # Errors
    /// If the chunk is damaged, or holds more or less.
    pub(super) fn undo(&self, stored: &[u8], width: usize, to: &mut [u8]) -> Result<(), String> {
        thread_local! {
            static SCRATCH: RefCell<Scratch> = RefCell::default();
        }
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
                return Err(format!("a chunk holds {found} bytes instead of {len}"));
            }
            if shuffled {
                unshuffle(bytes, to, width);
            }
            Ok(())
        })
    }
}
