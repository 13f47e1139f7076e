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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const ROW: usize = 1 << 20;

    /// Rows that begin with their number; row `bad` cannot be decoded.
    struct Numbered {
        next: usize,
        bad: usize,
    }

    impl RowReader for Numbered {
        fn row(&mut self, row: &mut [u8]) -> Result<(), String> {
            if self.next == self.bad {
                return Err("bad".to_string());
            }
            row[0] = self.next as u8;
            self.next += 1;
            Ok(())
        }

        fn end(&mut self) -> Result<(), String> {
            Ok(())
        }
    }

    /// An image of 100 rows, and how often somebody has begun to decode it.
    fn image(bad: usize) -> (Rows, Arc<AtomicUsize>) {
        let begun = Arc::new(AtomicUsize::new(0));
        let counted = begun.clone();
        let start = move || -> Result<Box<dyn RowReader>, String> {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok(Box::new(Numbered { next: 0, bad }))
        };
        (Rows::new(Box::new(start), 100, ROW), begun)
    }

    /// The numbers of the rows that bands hold, cut to those that were asked for.
    fn numbers(rows: &Rows, first: usize, end: usize) -> Result<Vec<usize>, String> {
        let bands = rows.bands(first, end)?;
        let of = |b: &Band| -> Vec<(usize, u8)> {
            (0..b.count).map(|i| (b.first + i, b.bytes[i * ROW])).collect()
        };
        let all = bands.iter().flat_map(of).filter(|(row, _)| (first..end).contains(row));
        Ok(all
            .map(|(row, number)| {
                assert_eq!(row, number as usize);
                row
            })
            .collect())
    }

    #[test]
    fn rows_are_decoded_once_if_they_are_asked_for_in_about_their_order() {
        let (rows, _) = image(usize::MAX);
        std::thread::scope(|scope| {
            for part in 0..4 {
                let rows = &rows;
                scope.spawn(move || {
                    for first in (part * 5..100).step_by(20) {
                        let wanted: Vec<usize> = (first..first + 5).collect();
                        assert_eq!(numbers(rows, first, first + 5).unwrap(), wanted);
                    }
                });
            }
        });
        let (rows, begun) = image(usize::MAX);
        for first in [10, 0, 5, 20, 3, 40, 30, 60, 50, 80, 70, 90] {
            let wanted: Vec<usize> = (first..first + 10).collect();
            assert_eq!(numbers(&rows, first, first + 10).unwrap(), wanted);
        }
        assert_eq!(begun.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn rows_that_are_no_longer_kept_are_decoded_again() {
        let (rows, begun) = image(usize::MAX);
        assert_eq!(numbers(&rows, 0, 100).unwrap().len(), 100);
        assert!(rows.state.lock().unwrap().kept.len() <= KEPT / ROW + 1);
        assert_eq!(numbers(&rows, 95, 99).unwrap(), [95, 96, 97, 98]);
        assert_eq!(begun.load(Ordering::Relaxed), 1);
        assert_eq!(numbers(&rows, 2, 4).unwrap(), [2, 3]);
        assert_eq!(begun.load(Ordering::Relaxed), 2);
        assert_eq!(numbers(&rows, 99, 100).unwrap(), [99]);
        assert_eq!(begun.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn rows_before_a_bad_one_can_be_had_before_and_after_it_was_met() {
        let (rows, _) = image(50);
        assert_eq!(numbers(&rows, 48, 50).unwrap(), [48, 49]);
        assert_eq!(numbers(&rows, 50, 51).unwrap_err(), "bad");
        assert_eq!(numbers(&rows, 0, 2).unwrap(), [0, 1]);
        assert_eq!(numbers(&rows, 40, 60).unwrap_err(), "bad");
        assert_eq!(numbers(&rows, 49, 50).unwrap(), [49]);
    }
}
