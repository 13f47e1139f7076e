//! The chunks of a variable: found once, then read and decoded by each worker without the library.
use super::storage::{Wanted, read_exact, swap_if};
use crate::netcdf::codec::Filters;
use crate::netcdf::hdf5::{ChunkPlace, Dataset};
use crate::netcdf::slab::{self, Part};
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Above so many chunks HDF5 is asked for each chunk, under its lock: before 1.14 it counts
/// through all chunks to tell the place of one, so that an index takes the square of the number.
const MOST_INDEXED: u64 = 4096;

/// Bytes of decoded chunks that are kept where tiles take only parts of them; two are always.
const KEPT_BYTES: usize = 32 << 20;

/// The chunks of a variable.
#[derive(Debug)]
pub(super) struct Chunks {
    shape: Vec<usize>,
    width: usize,
    filters: Filters,
    swap: bool,
    index: Index,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
enum Index {
    /// Byte and length of each chunk, by its first point.
    Places(HashMap<Vec<u64>, (u64, u64)>),
    /// Too many: HDF5 is asked.
    Asked(Dataset),
}

/// Decoded chunks for the next tiles, by their first points.
#[derive(Debug, Default)]
struct Kept {
    chunks: HashMap<Vec<u64>, Arc<Decoded>>,
    order: VecDeque<Vec<u64>>,
}

/// The values of a chunk, which the first to need them decodes; `None` if it was never written.
type Decoded = OnceLock<Result<Option<Vec<u8>>, String>>;

/// What a chunk and a box have in common.
struct Overlap {
    shape: Vec<usize>,
    in_chunk: Vec<usize>,
    in_box: Vec<usize>,
    /// Whether the box has all points of the chunk that the variable has.
    whole: bool,
}

/// Memory for the bytes and the values of a chunk, in each thread.
#[derive(Default)]
struct Scratch {
    stored: Vec<u8>,
    values: Vec<u8>,
}

impl Chunks {
    /// Finds the chunks of a dataset of values of `width` bytes; `None` if only the library can
    /// read them.
    pub(super) fn find(
        dataset: Dataset,
        shape: &[u64],
        width: usize,
        swap: bool,
    ) -> Option<Chunks> {
        let filters = Filters::of(&dataset.filters())?;
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
        Some(Chunks { shape, width, filters, swap, index, kept: Mutex::default() })
    }

    /// Reads a box from the chunks it cuts; `false` if one of them was never written.
    ///
    /// # Errors
    /// If the file ends too early or a chunk is damaged.
    pub(super) fn read(
        &self,
        file: &File,
        wanted: &Wanted,
        out: &mut [u8],
    ) -> Result<bool, String> {
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

    fn overlap(&self, wanted: &Wanted, start: &[u64]) -> Overlap {
        let mut overlap = Overlap { shape: vec![], in_chunk: vec![], in_box: vec![], whole: true };
        for (i, dim) in wanted.variable.dims.iter().enumerate() {
            let (from, end) = (wanted.origin[i], wanted.origin[i] + wanted.shape[i] as u64);
            let chunk_end = (start[i] + self.shape[i] as u64).min(dim.size);
            let (low, high) = (from.max(start[i]), end.min(chunk_end));
            overlap.shape.push(high.saturating_sub(low) as usize);
            overlap.in_chunk.push((low - start[i]) as usize);
            overlap.in_box.push((low - from) as usize);
            overlap.whole &= low == start[i] && high == chunk_end;
        }
        overlap
    }

    /// Copies what a box takes from the chunk that starts at `start`.
    fn copy(
        &self,
        file: &File,
        wanted: &Wanted,
        start: &[u64],
        out: &mut [u8],
    ) -> Result<bool, String> {
        let overlap = self.overlap(wanted, start);
        let source = Part { sizes: &self.shape, origin: &overlap.in_chunk };
        let target = Part { sizes: wanted.shape, origin: &overlap.in_box };
        if !overlap.whole {
            let slot = self.kept(start);
            let decoded = slot.get_or_init(|| self.decoded(file, start)).as_ref();
            let Some(values) = decoded.map_err(String::clone)? else { return Ok(false) };
            slab::copy_box((values, &source), (out, &target), &overlap.shape, self.width);
            return Ok(true);
        }
        thread_local! {
            static SCRATCH: RefCell<Scratch> = RefCell::default();
        }
        SCRATCH.with_borrow_mut(|Scratch { stored, values }| {
            if !self.stored(file, start, stored)? {
                return Ok(false);
            }
            let sizes: Vec<u64> = wanted.shape.iter().map(|n| *n as u64).collect();
            let points: usize = self.shape.iter().product();
            if overlap.shape == self.shape && slab::run_length(&sizes, &self.shape) == points {
                // The chunk is one piece of the box.
                let first = target.start(&vec![0; sizes.len()]) * self.width;
                self.decode(stored, &mut out[first..first + points * self.width])?;
            } else {
                values.resize(self.bytes(), 0);
                self.decode(stored, values)?;
                slab::copy_box((values, &source), (out, &target), &overlap.shape, self.width);
            }
            Ok(true)
        })
    }

    /// The place of a chunk among those that are kept.
    fn kept(&self, start: &[u64]) -> Arc<Decoded> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = kept.chunks.get(start) {
            return slot.clone();
        }
        let slot = Arc::new(Decoded::new());
        kept.chunks.insert(start.to_vec(), slot.clone());
        kept.order.push_back(start.to_vec());
        if kept.order.len() > (KEPT_BYTES / self.bytes().max(1)).max(2)
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.chunks.remove(&oldest);
        }
        slot
    }

    fn decoded(&self, file: &File, start: &[u64]) -> Result<Option<Vec<u8>>, String> {
        let mut stored = Vec::new();
        if !self.stored(file, start, &mut stored)? {
            return Ok(None);
        }
        let mut values = vec![0; self.bytes()];
        self.decode(&stored, &mut values)?;
        Ok(Some(values))
    }

    /// Bytes of the values of a chunk.
    fn bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * self.width
    }

    /// The bytes of a chunk as they stand in the file; `false` if it was never written.
    fn stored(&self, file: &File, start: &[u64], to: &mut Vec<u8>) -> Result<bool, String> {
        // Compression makes what it cannot compress hardly longer.
        let longest = self.bytes() as u64 * 2 + 4096;
        match &self.index {
            Index::Asked(dataset) => {
                *to = dataset.read_chunk(start, longest)?;
                Ok(!to.is_empty())
            }
            Index::Places(places) => {
                let Some((offset, bytes)) = places.get(start) else {
                    return Ok(false);
                };
                if *bytes > longest {
                    return Err(format!("a chunk claims {bytes} bytes"));
                }
                to.resize(*bytes as usize, 0);
                read_exact(file, to, *offset)?;
                Ok(true)
            }
        }
    }

    fn decode(&self, stored: &[u8], values: &mut [u8]) -> Result<(), String> {
        self.filters.undo(stored, self.width, values)?;
        swap_if(self.swap, values, self.width);
        Ok(())
    }
}
