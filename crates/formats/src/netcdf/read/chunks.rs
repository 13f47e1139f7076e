//! The chunks of a variable: found once, then read and decoded by each worker without the library.
use super::storage::{Wanted, read_exact, repeat, swap_if};
use crate::input::Input;
use crate::netcdf::filters::Filters;
use crate::netcdf::header::RawVariable;
use crate::netcdf::nc4::index::{ChunkPlace, counts};
use crate::netcdf::slab::{self, Part};
use crate::netcdf::stored::{ChunkLayout, Stored};
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Bytes of decoded chunks that are kept where tiles take only parts of them; two are always.
const KEPT_BYTES: usize = 32 << 20;

/// The chunks of a variable.
#[derive(Debug)]
pub(super) struct Chunks {
    shape: Vec<usize>,
    /// How many there are along each dimension.
    counts: Vec<u64>,
    /// The sizes of the variable as stored.
    sizes: Vec<u64>,
    width: usize,
    filters: Filters,
    swap: bool,
    fill: Vec<u8>,
    beyond: Vec<u8>,
    /// Ascending by their numbers.
    places: Vec<ChunkPlace>,
    kept: Mutex<Kept>,
}

/// Decoded chunks for the next tiles, by their first points.
#[derive(Debug, Default)]
struct Kept {
    chunks: HashMap<Vec<u64>, Arc<Decoded>>,
    order: VecDeque<Vec<u64>>,
}

/// The values of a chunk, which the first to need them decodes.
type Decoded = OnceLock<Result<Vec<u8>, String>>;

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

/// Bytes that reading chunks of a variable needs, if they are large: those of a chunk as stored,
/// unpacked and decoded, and the two that are kept.
pub(super) fn memory(variable: &RawVariable) -> u64 {
    let chunk = variable.stored.chunk_bytes().unwrap_or(0);
    if chunk * 2 > KEPT_BYTES as u64 { chunk * 5 } else { 0 }
}

impl Chunks {
    /// The chunks of a variable at these places.
    ///
    /// # Errors
    /// If they are compressed in a way that is not read.
    pub(super) fn of(
        stored: &Stored,
        layout: &ChunkLayout,
        places: Vec<ChunkPlace>,
    ) -> Result<Chunks, String> {
        Ok(Chunks {
            shape: layout.shape.iter().map(|n| *n as usize).collect(),
            counts: counts(&stored.sizes, &layout.shape),
            sizes: stored.sizes.clone(),
            width: stored.width,
            filters: Filters::of(&layout.filters)?,
            swap: stored.swap,
            fill: stored.fill.clone(),
            beyond: stored.beyond.clone(),
            places,
            kept: Mutex::default(),
        })
    }

    /// Reads a box from the chunks it cuts; what was never written is fill value.
    ///
    /// # Errors
    /// If the file ends too early or a chunk is damaged.
    pub(super) fn read(&self, file: &Input, wanted: &Wanted, out: &mut [u8]) -> Result<(), String> {
        let (origin, shape) = (wanted.origin, wanted.shape);
        if shape.contains(&0) {
            return Ok(());
        }
        let end = |i: usize| origin[i] + shape[i] as u64;
        if (0..shape.len()).any(|i| end(i) > self.sizes[i]) {
            repeat(&self.beyond, out);
        }
        self.cut(wanted, |start| self.copy(file, wanted, start, out))
    }

    /// Where the chunks of a box lie, but for those that are kept and not needed whole.
    pub(super) fn ranges(&self, wanted: &Wanted) -> Vec<Range<u64>> {
        let mut out = Vec::new();
        if wanted.shape.contains(&0) {
            return out;
        }
        let all = self.cut(wanted, |start| {
            let known = || !self.overlap(wanted, start).whole && self.is_decoded(start);
            if let Some(place) = self.place(start).filter(|_| !known()) {
                out.push(place.offset..place.offset.saturating_add(place.bytes));
            }
            Ok::<(), std::convert::Infallible>(())
        });
        let Ok(()) = all;
        out
    }

    /// Does something with the first point of each chunk that a box cuts.
    fn cut<E>(
        &self,
        wanted: &Wanted,
        mut each: impl FnMut(&[u64]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (origin, rank) = (wanted.origin, wanted.shape.len());
        let end = |i: usize| origin[i] + wanted.shape[i] as u64;
        let first: Vec<u64> = (0..rank).map(|i| origin[i] / self.shape[i] as u64).collect();
        let last = |i: usize| end(i).min(self.sizes[i]).div_ceil(self.shape[i] as u64);
        let cut: Vec<usize> =
            (0..rank).map(|i| last(i).saturating_sub(first[i]) as usize).collect();
        slab::points(&cut, |at| {
            let start = |i: usize| (first[i] + at[i] as u64) * self.shape[i] as u64;
            let start: Vec<u64> = (0..rank).map(start).collect();
            each(&start)
        })
    }

    fn is_decoded(&self, start: &[u64]) -> bool {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.chunks.get(start).is_some_and(|slot| slot.get().is_some())
    }

    fn overlap(&self, wanted: &Wanted, start: &[u64]) -> Overlap {
        let mut overlap = Overlap { shape: vec![], in_chunk: vec![], in_box: vec![], whole: true };
        for (i, size) in self.sizes.iter().enumerate() {
            let (from, end) = (wanted.origin[i], wanted.origin[i] + wanted.shape[i] as u64);
            let chunk_end = (start[i] + self.shape[i] as u64).min(*size);
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
        file: &Input,
        wanted: &Wanted,
        start: &[u64],
        out: &mut [u8],
    ) -> Result<(), String> {
        let overlap = self.overlap(wanted, start);
        let source = Part { sizes: &self.shape, origin: &overlap.in_chunk };
        let target = Part { sizes: wanted.shape, origin: &overlap.in_box };
        let Some(place) = self.place(start) else {
            self.fill(out, &target, &overlap.shape);
            return Ok(());
        };
        if !overlap.whole {
            let slot = self.kept(start);
            let decoded = slot.get_or_init(|| self.decoded(file, place)).as_ref();
            let values = decoded.map_err(String::clone)?;
            slab::copy_box((values, &source), (out, &target), &overlap.shape, self.width);
            return Ok(());
        }
        thread_local! {
            static SCRATCH: RefCell<Scratch> = RefCell::default();
        }
        SCRATCH.with_borrow_mut(|Scratch { stored, values }| {
            self.stored(file, place, stored)?;
            let sizes: Vec<u64> = wanted.shape.iter().map(|n| *n as u64).collect();
            let points: usize = self.shape.iter().product();
            if overlap.shape == self.shape && slab::run_length(&sizes, &self.shape) == points {
                // The chunk is one piece of the box.
                let first = target.start(&vec![0; sizes.len()]) * self.width;
                self.decode(stored, place, &mut out[first..first + points * self.width])?;
            } else {
                values.resize(self.bytes(), 0);
                self.decode(stored, place, values)?;
                slab::copy_box((values, &source), (out, &target), &overlap.shape, self.width);
            }
            // One large chunk is no reason to hold its bytes for ever.
            if self.bytes() > KEPT_BYTES {
                *stored = Vec::new();
                *values = Vec::new();
            }
            Ok(())
        })
    }

    /// Puts fill values where a chunk was never written.
    fn fill(&self, out: &mut [u8], target: &Part, shape: &[usize]) {
        let (outer, run) = match shape.split_last() {
            Some((run, outer)) => (outer, *run),
            None => (shape, 1),
        };
        let filled: Result<(), std::convert::Infallible> = slab::points(outer, |at| {
            let first = target.start(at) * self.width;
            repeat(&self.fill, &mut out[first..first + run * self.width]);
            Ok(())
        });
        let Ok(()) = filled;
    }

    /// Where the chunk is that starts at `start`; `None` if it was never written.
    fn place(&self, start: &[u64]) -> Option<ChunkPlace> {
        let index = start.iter().zip(&self.shape).map(|(at, chunk)| at / *chunk as u64);
        let number = index.zip(&self.counts).fold(0, |sum, (at, count)| sum * count + at);
        let found = self.places.binary_search_by_key(&number, |p| p.number).ok()?;
        self.places.get(found).copied()
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

    fn decoded(&self, file: &Input, place: ChunkPlace) -> Result<Vec<u8>, String> {
        let mut stored = Vec::new();
        self.stored(file, place, &mut stored)?;
        let mut values = vec![0; self.bytes()];
        self.decode(&stored, place, &mut values)?;
        Ok(values)
    }

    /// Bytes of the values of a chunk.
    fn bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * self.width
    }

    /// The bytes of a chunk as they stand in the file.
    fn stored(&self, file: &Input, place: ChunkPlace, to: &mut Vec<u8>) -> Result<(), String> {
        // Compression makes what it cannot compress hardly longer.
        let (whole, bytes) = (self.bytes() as u64, place.bytes);
        if bytes > whole * 2 + 4096 {
            return Err(format!("a chunk claims {bytes} bytes"));
        }
        if bytes.saturating_add(64).saturating_mul(self.filters.most()) < whole {
            return Err(format!("a chunk of {bytes} bytes claims to hold {whole}"));
        }
        to.resize(bytes as usize, 0);
        read_exact(file, to, place.offset)
    }

    fn decode(&self, stored: &[u8], place: ChunkPlace, values: &mut [u8]) -> Result<(), String> {
        self.filters.undo(stored, place.mask, self.width, values)?;
        swap_if(self.swap, values, self.width);
        Ok(())
    }
}
