//! How chunks are compressed: bytes shuffled, then deflate or Zstandard, as HDF5's filters do it.
use super::deflate::Deflate;
use super::shuffle::shuffle;
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
