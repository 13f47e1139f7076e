//! Where the values of a variable lie, and how they are fetched without the library where it can.
use crate::netcdf::hdf5::{ChunkPlace, Dataset, FILTER_DEFLATE, FILTER_SHUFFLE, H5File, Layout};
use crate::netcdf::library::{NcFile, Raw, RawVariable};
use crate::netcdf::shuffle::unshuffle;
use crate::netcdf::slab::{self, Part};
use libdeflater::Decompressor;
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Above so many chunks HDF5 is asked for each chunk, under its lock: before 1.14 it counts
/// through all chunks to tell the place of one, so that an index takes the square of the number.
const MOST_INDEXED: u64 = 4096;

/// Chunks kept for the next tile when a tile took only a part of them, and their largest size.
const KEPT: usize = 8;
const KEPT_BYTES: usize = 16 << 20;

/// How the values of a variable are fetched.
#[derive(Debug)]
pub(super) enum Storage {
    /// In one piece from this byte on.
    Contiguous { offset: u64, swap: bool },
    /// In chunks with filters that we know.
    Chunked(Box<Chunks>),
    /// By the library, under its lock.
    Library,
}

/// The first point of a chunk, and its values as they lie.
type Decoded = (Vec<u64>, Arc<Vec<u8>>);

/// The chunks of a variable.
#[derive(Debug)]
pub(super) struct Chunks {
    shape: Vec<usize>,
    shuffled: bool,
    deflated: bool,
    swap: bool,
    index: Index,
    kept: Mutex<VecDeque<Decoded>>,
}

#[derive(Debug)]
enum Index {
    /// Byte and length of each chunk, by its first point.
    Places(HashMap<Vec<u64>, (u64, u64)>),
    /// Too many: HDF5 is asked.
    Asked(Dataset),
}

/// A box of a variable, to be read.
pub(super) struct Wanted<'a> {
    pub(super) variable: &'a RawVariable,
    pub(super) origin: &'a [u64],
    pub(super) shape: &'a [usize],
}

impl Storage {
    /// Finds out where a variable of numbers lies; whatever is unusual is left to the library.
    pub(super) fn find(path: &Path, variable: &RawVariable) -> Storage {
        find(path, variable).unwrap_or(Storage::Library)
    }

    /// The values of a box in the machine's byte order, into `out`.
    ///
    /// # Errors
    /// If the file ends too early or a chunk is damaged.
    pub(super) fn read(
        &self,
        file: &File,
        library: &NcFile,
        wanted: &Wanted,
        out: &mut [u8],
    ) -> Result<(), String> {
        let variable = wanted.variable;
        match self {
            Storage::Library => library.read(variable, wanted.origin, wanted.shape, out),
            Storage::Contiguous { offset, swap } => {
                read_runs(file, *offset, wanted, out)?;
                swap_if(*swap, out, variable.raw.width());
                Ok(())
            }
            Storage::Chunked(chunks) => match chunks.read(file, wanted, out)? {
                true => Ok(()),
                // Chunks that were never written hold the fill value, which the library knows.
                false => library.read(variable, wanted.origin, wanted.shape, out),
            },
        }
    }
}

fn find(path: &Path, variable: &RawVariable) -> Option<Storage> {
    let file = H5File::open(path, false).filter(|f| !f.has_user_block())?;
    let sizes: Vec<u64> = variable.dims.iter().map(|d| d.size).collect();
    let width = variable.raw.width();
    let dataset = file.dataset(&variable.path)?;
    let (bytes, big) = dataset.value();
    // A dimension without a variable has a dataset too; so what we found must fit.
    if dataset.sizes()? != sizes || bytes != width || variable.raw == Raw::Char {
        return None;
    }
    let swap = big != cfg!(target_endian = "big") && width > 1;
    match dataset.layout(sizes.len()) {
        Layout::Contiguous { offset, bytes } => {
            let values = sizes.iter().try_fold(width as u64, |n, s| n.checked_mul(*s))?;
            (bytes == values).then_some(Storage::Contiguous { offset, swap })
        }
        Layout::Chunked(shape) => chunks(dataset, &shape, width, swap),
        Layout::Other => None,
    }
}

fn chunks(dataset: Dataset, shape: &[u64], width: usize, swap: bool) -> Option<Storage> {
    let (shuffled, deflated) = match dataset.filters()[..] {
        [] => (false, false),
        [FILTER_SHUFFLE] => (true, false),
        [FILTER_DEFLATE] => (false, true),
        [FILTER_SHUFFLE, FILTER_DEFLATE] => (true, true),
        _ => return None,
    };
    // HDF5 itself has no chunks of 4 GiB or more.
    let bytes = shape.iter().try_fold(width as u64, |n, s| n.checked_mul(*s))?;
    if bytes >= 1 << 32 {
        return None;
    }
    let count = dataset.chunk_count()?;
    let index = if count > MOST_INDEXED {
        Index::Asked(dataset)
    } else {
        let places = dataset.chunk_places(shape.len(), count)?;
        if places.iter().any(|p| p.mask != 0) {
            return None;
        }
        let entry = |p: ChunkPlace| (p.origin, (p.offset, p.bytes));
        Index::Places(places.into_iter().map(entry).collect())
    };
    let shape = shape.iter().map(|n| *n as usize).collect();
    let kept = Mutex::default();
    Some(Storage::Chunked(Box::new(Chunks { shape, shuffled, deflated, swap, index, kept })))
}

fn read_runs(file: &File, offset: u64, wanted: &Wanted, out: &mut [u8]) -> Result<(), String> {
    let sizes: Vec<u64> = wanted.variable.dims.iter().map(|d| d.size).collect();
    let width = wanted.variable.raw.width();
    let mut at = 0;
    slab::runs(&sizes, wanted.origin, wanted.shape, |start, len| {
        let place = &mut out[at..at + len * width];
        at += len * width;
        read_exact(file, place, offset.saturating_add(start * width as u64))
    })
}

fn read_exact(file: &File, place: &mut [u8], offset: u64) -> Result<(), String> {
    file.read_exact_at(place, offset).map_err(|e| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => "the file ends before its values do".to_string(),
        _ => e.to_string(),
    })
}

fn swap_if(swap: bool, bytes: &mut [u8], width: usize) {
    if swap {
        bytes.chunks_exact_mut(width).for_each(<[u8]>::reverse);
    }
}

impl Chunks {
    /// Reads a box from the chunks it cuts; `false` if one of them was never written.
    fn read(&self, file: &File, wanted: &Wanted, out: &mut [u8]) -> Result<bool, String> {
        let (origin, shape) = (wanted.origin, wanted.shape);
        if shape.contains(&0) {
            return Ok(true);
        }
        let rank = shape.len();
        let first: Vec<u64> = (0..rank).map(|i| origin[i] / self.shape[i] as u64).collect();
        let last = |i: usize| (origin[i] + shape[i] as u64 - 1) / self.shape[i] as u64;
        let counts: Vec<usize> = (0..rank).map(|i| (last(i) - first[i] + 1) as usize).collect();
        let mut complete = true;
        slab::points(&counts, |at| {
            let start = |i: usize| (first[i] + at[i] as u64) * self.shape[i] as u64;
            let start: Vec<u64> = (0..rank).map(start).collect();
            complete = complete && self.copy(file, wanted, &start, out)?;
            Ok::<(), String>(())
        })?;
        Ok(complete)
    }

    /// Copies what a box takes from the chunk that starts at `start`.
    fn copy(
        &self,
        file: &File,
        wanted: &Wanted,
        start: &[u64],
        out: &mut [u8],
    ) -> Result<bool, String> {
        let width = wanted.variable.raw.width();
        let mut taken = Vec::with_capacity(start.len());
        let (mut in_chunk, mut in_box) = (Vec::new(), Vec::new());
        let mut whole = true;
        for (i, dim) in wanted.variable.dims.iter().enumerate() {
            let (from, end) = (wanted.origin[i], wanted.origin[i] + wanted.shape[i] as u64);
            let chunk_end = (start[i] + self.shape[i] as u64).min(dim.size);
            let (low, high) = (from.max(start[i]), end.min(chunk_end));
            taken.push(high.saturating_sub(low) as usize);
            in_chunk.push((low - start[i]) as usize);
            in_box.push((low - from) as usize);
            whole &= low == start[i] && high == chunk_end;
        }
        let Some(chunk) = self.fetch(file, start, width, !whole)? else {
            return Ok(false);
        };
        let source = Part { sizes: &self.shape, origin: &in_chunk };
        let target = Part { sizes: wanted.shape, origin: &in_box };
        slab::copy_box((&chunk, &source), (out, &target), &taken, width);
        Ok(true)
    }

    /// The decoded chunk that starts at `start`; `None` if it was never written.
    fn fetch(
        &self,
        file: &File,
        start: &[u64],
        width: usize,
        keep: bool,
    ) -> Result<Option<Arc<Vec<u8>>>, String> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if keep && let Some((_, chunk)) = kept().iter().find(|(s, _)| s == start) {
            return Ok(Some(chunk.clone()));
        }
        let Some(stored) = self.stored(file, start, width)? else {
            return Ok(None);
        };
        let chunk = Arc::new(self.decode(stored, width)?);
        if keep && chunk.len() <= KEPT_BYTES {
            let mut kept = kept();
            kept.push_back((start.to_vec(), chunk.clone()));
            if kept.len() > KEPT {
                kept.pop_front();
            }
        }
        Ok(Some(chunk))
    }

    /// The bytes of a chunk as they stand in the file.
    fn stored(&self, file: &File, start: &[u64], width: usize) -> Result<Option<Vec<u8>>, String> {
        // Deflate makes what it cannot compress hardly longer.
        let longest = (self.shape.iter().product::<usize>() * width) as u64 * 2 + 4096;
        match &self.index {
            Index::Asked(dataset) => {
                let bytes = dataset.read_chunk(start, longest)?;
                Ok(Some(bytes).filter(|b| !b.is_empty()))
            }
            Index::Places(places) => {
                let Some((offset, bytes)) = places.get(start) else {
                    return Ok(None);
                };
                if *bytes > longest {
                    return Err(format!("a chunk claims {bytes} bytes"));
                }
                let mut data = vec![0; *bytes as usize];
                read_exact(file, &mut data, *offset)?;
                Ok(Some(data))
            }
        }
    }

    fn decode(&self, stored: Vec<u8>, width: usize) -> Result<Vec<u8>, String> {
        thread_local! {
            static INFLATE: RefCell<Decompressor> = RefCell::new(Decompressor::new());
        }
        let len = self.shape.iter().product::<usize>() * width;
        let mut bytes = stored;
        if self.deflated {
            let mut inflated = vec![0; len];
            let inflate =
                |d: &RefCell<Decompressor>| d.borrow_mut().zlib_decompress(&bytes, &mut inflated);
            let found = INFLATE.with(inflate).map_err(|_| "a compressed chunk is damaged")?;
            inflated.truncate(found);
            bytes = inflated;
        }
        if bytes.len() != len {
            return Err(format!("a chunk holds {} bytes instead of {len}", bytes.len()));
        }
        if self.shuffled && width > 1 {
            let mut values = vec![0; len];
            unshuffle(&bytes, &mut values, width);
            bytes = values;
        }
        swap_if(self.swap, &mut bytes, width);
        Ok(bytes)
    }
}
