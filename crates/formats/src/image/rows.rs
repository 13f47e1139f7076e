//! Rows that can only be decoded one after the other: decoded once, though many ask for them.
use crate::rows::guarded;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of decoded rows that are put together.
const BAND: usize = 1 << 20;
/// Bytes of decoded rows that are kept for whoever comes later: workers take tiles by ascending
/// number, so that rows far behind are seldom asked for.
pub(super) const KEPT: usize = 1 << 25;

/// Decodes rows from the first on.
pub(super) trait RowReader: Send {
    /// Decodes the next row into a buffer of its size.
    fn row(&mut self, row: &mut [u8]) -> Result<(), String>;

    /// Behind the last row: looks whether the file ends as it should.
    fn end(&mut self) -> Result<(), String>;
}

/// Decoded rows that follow each other.
#[derive(Clone)]
pub(super) struct Band {
    /// The first of them.
    pub(super) first: usize,
    /// How many.
    pub(super) count: usize,
    /// Their bytes.
    pub(super) bytes: Arc<Vec<u8>>,
}

/// Begins to decode.
type Start = Box<dyn Fn() -> Result<Box<dyn RowReader>, String> + Send + Sync>;

/// The rows of a file.
pub(super) struct Rows {
    start: Start,
    height: usize,
    row_bytes: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    reader: Option<Box<dyn RowReader>>,
    /// The row that the reader gives next.
    next: usize,
    /// The bands that were decoded last, ascending.
    kept: VecDeque<Band>,
}

impl Rows {
    /// Of an image of so many rows. Decodes none yet.
    pub(super) fn new(start: Start, height: usize, row_bytes: usize) -> Rows {
        Rows { start, height, row_bytes, state: Mutex::default() }
    }

    /// Bands that hold rows `first..end`, ascending.
    ///
    /// # Errors
    /// If the file is damaged at or before one of them.
    pub(super) fn bands(&self, first: usize, end: usize) -> Result<Vec<Band>, String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |b: &&Band| b.first < end && b.first + b.count > first;
        let mut bands: Vec<Band> = state.kept.iter().filter(known).cloned().collect();
        if bands.first().map_or(state.next, |b| b.first) > first {
            // Rows that are no longer there: from the beginning again.
            state.forget();
            bands.clear();
        }
        while state.next < end {
            let band = guarded(|| self.decode(&mut state, end)).inspect_err(|_| state.forget())?;
            if band.first + band.count > first {
                bands.push(band.clone());
            }
            state.keep(band);
        }
        Ok(bands)
    }

    /// The next rows, none behind `end`.
    fn decode(&self, state: &mut State, end: usize) -> Result<Band, String> {
        let (mut reader, first) = match state.reader.take() {
            Some(reader) => (reader, state.next),
            None => ((self.start)()?, 0),
        };
        let count = (BAND / self.row_bytes.max(1)).clamp(1, end - first);
        let mut bytes = vec![0; count * self.row_bytes];
        bytes.chunks_exact_mut(self.row_bytes).try_for_each(|row| reader.row(row))?;
        state.next = first + count;
        match state.next == self.height {
            true => reader.end()?,
            false => state.reader = Some(reader),
        }
        Ok(Band { first, count, bytes: Arc::new(bytes) })
    }
}

impl State {
    fn forget(&mut self) {
        *self = State::default();
    }

    fn keep(&mut self, band: Band) {
        let mut bytes: usize = self.kept.iter().map(|b| b.bytes.len()).sum();
        self.kept.push_back(band);
        while bytes > KEPT {
            bytes -= self.kept.pop_front().map_or(bytes, |b| b.bytes.len());
        }
    }
}
