//! One sequence of several sorted ones.
use super::column::{self, SortColumn};
use super::rows::internal;
use super::runs::Source;
use crate::spill::Chunk;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_array::{Array, ArrayRef, UInt64Array};
use arrow_select::interleave::interleave;
use base::Failure;
use std::cmp::Ordering;
use std::collections::VecDeque;

/// Rows in order.
pub struct Sorted {
    /// Their columns, and the numbers of their tiles.
    pub columns: Vec<ArrayRef>,
    /// How many there are.
    pub rows: usize,
}

/// Sorted runs that become one. Equal rows are ordered by the number of their tile, then by run.
pub struct Merge {
    runs: Vec<Run>,
    /// A heap of the runs that have rows left: the one with the first row stands first.
    heap: Vec<usize>,
}

/// A run, of which one chunk is in memory.
struct Run {
    chunks: VecDeque<Chunk>,
    columns: Vec<ArrayRef>,
    keys: Vec<SortColumn>,
    numbers: UInt64Array,
    row: usize,
    /// The word of the first key at `row`.
    word: u64,
    /// Where the columns are among those that rows are taken from.
    place: Option<usize>,
}

impl Run {
    /// Goes to the next row. Whether there is one.
    fn step(&mut self, source: &Source) -> Result<bool, Failure> {
        self.row += 1;
        if self.row < self.numbers.len() {
            self.word = self.keys.first().map_or(0, |key| key.word(self.row));
            return Ok(true);
        }
        self.load(source)
    }

    /// Goes to the first row of the next chunk, if there is one.
    fn load(&mut self, source: &Source) -> Result<bool, Failure> {
        let Some(chunk) = self.chunks.pop_front() else { return Ok(false) };
        (self.columns, self.keys) = source.read(chunk)?;
        let numbers = self.columns.last().and_then(|c| c.as_primitive_opt::<UInt64Type>());
        let missing = || Failure::internal("a run of sorted rows lacks the numbers of their tiles");
        self.numbers = numbers.ok_or_else(missing)?.clone();
        (self.row, self.place) = (0, None);
        self.word = self.keys.first().map_or(0, |key| key.word(0));
        Ok(true)
    }
}

impl Merge {
    /// Of these runs, in the order in which their rows came.
    ///
    /// # Errors
    /// If the disk does not give back what was written.
    pub fn new(runs: Vec<VecDeque<Chunk>>, source: &Source) -> Result<Merge, Failure> {
        let none = || UInt64Array::from(Vec::<u64>::new());
        let run = |chunks| Run {
            chunks,
            columns: Vec::new(),
            keys: Vec::new(),
            numbers: none(),
            row: 0,
            word: 0,
            place: None,
        };
        let mut merge = Merge { runs: runs.into_iter().map(run).collect(), heap: Vec::new() };
        for (at, run) in merge.runs.iter_mut().enumerate() {
            if run.load(source)? {
                merge.heap.push(at);
            }
        }
        for at in (0..merge.heap.len() / 2).rev() {
            merge.sink(at);
        }
        Ok(merge)
    }

    /// The next rows, at most so many; fewer only at the end.
    ///
    /// # Errors
    /// If the disk does not give back what was written.
    pub fn next(&mut self, most: usize, source: &Source) -> Result<Sorted, Failure> {
        self.runs.iter_mut().for_each(|run| run.place = None);
        let mut sources: Vec<Vec<ArrayRef>> = Vec::new();
        let mut places: Vec<(usize, usize)> = Vec::with_capacity(most.min(1 << 20));
        while places.len() < most {
            let Some(first) = self.heap.first() else { break };
            let run = &mut self.runs[*first];
            let place = *run.place.get_or_insert_with(|| {
                sources.push(run.columns.clone());
                sources.len() - 1
            });
            places.push((place, run.row));
            if !run.step(source)? {
                self.heap.swap_remove(0);
            }
            self.sink(0);
        }
        let column = |i: usize| {
            let arrays: Vec<&dyn Array> = sources.iter().map(|columns| &*columns[i]).collect();
            interleave(&arrays, &places).map_err(internal)
        };
        let count = sources.first().map_or(0, Vec::len);
        let columns = (0..count).map(column).collect::<Result<_, Failure>>()?;
        Ok(Sorted { columns, rows: places.len() })
    }

    /// Lets the run at a place of the heap sink to where it belongs.
    fn sink(&mut self, mut at: usize) {
        loop {
            let mut child = 2 * at + 1;
            if child >= self.heap.len() {
                return;
            }
            if child + 1 < self.heap.len() && self.before(child + 1, child) {
                child += 1;
            }
            if !self.before(child, at) {
                return;
            }
            self.heap.swap(child, at);
            at = child;
        }
    }

    /// Whether the row of one run comes before that of another, both by their places in the heap.
    fn before(&self, a: usize, b: usize) -> bool {
        let (a, b) = (self.heap[a], self.heap[b]);
        let (x, y) = (&self.runs[a], &self.runs[b]);
        let order = x.word.cmp(&y.word).then_with(|| {
            column::compare(&x.keys, x.row, &y.keys, y.row)
                .then_with(|| x.numbers.value(x.row).cmp(&y.numbers.value(y.row)))
                .then_with(|| a.cmp(&b))
        });
        order == Ordering::Less
    }
}
