//! Sorted rows that did not fit into memory: runs in a file, and one sequence of all of them.
use super::column::SortColumn;
use super::merge::{Merge, Sorted};
use super::rows::columns_of;
use crate::spill::{Chunk, Share, Store};
use arrow_array::ArrayRef;
use base::Failure;
use plan::physical::SortKey;
use std::collections::VecDeque;

/// Runs of sorted rows, each with its columns and, last, the number of the tile it comes from. A
/// run has rows that came before those of the next one.
pub struct Runs {
    keys: Vec<SortKey>,
    store: Store,
    runs: VecDeque<VecDeque<Chunk>>,
    /// Of so many runs a chunk each is in memory.
    most: usize,
    /// Runs that are made one, and what there is of it.
    joining: Option<(Merge, VecDeque<Chunk>)>,
    /// How many runs wait to be joined in this round.
    round: usize,
    last: Option<Merge>,
}

impl Runs {
    /// None yet.
    pub fn new(keys: &[SortKey], share: &Share) -> Runs {
        Runs {
            keys: keys.to_vec(),
            store: Store::new(share),
            runs: VecDeque::new(),
            most: 0,
            joining: None,
            round: 0,
            last: None,
        }
    }

    /// Begins a run.
    pub fn begin(&mut self) {
        self.runs.push_back(VecDeque::new());
    }

    /// Bytes of rows that are best written at once.
    pub fn piece(&self) -> u64 {
        self.store.chunk() as u64
    }

    /// Adds rows to the run that was begun last.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn write(&mut self, columns: &[ArrayRef]) -> Result<(), Failure> {
        let chunks = self.store.write(columns)?;
        if let Some(run) = self.runs.back_mut() {
            run.extend(chunks);
        }
        Ok(())
    }

    /// No more rows come: so many chunks may be in memory.
    pub fn end(&mut self, most: usize) {
        self.most = most.max(2);
    }

    /// So many of the next rows in order, or fewer at the end; none if runs must be joined first,
    /// a piece of which is done.
    ///
    /// # Errors
    /// If the disk is full, or does not give back what was written.
    pub fn next(&mut self, rows: usize) -> Result<Option<Sorted>, Failure> {
        let source = Source { keys: &self.keys, store: &self.store };
        if let Some(merge) = &mut self.last {
            return merge.next(rows, &source).map(Some);
        }
        if let Some((merge, run)) = &mut self.joining {
            let piece = merge.next(PIECE, &source)?;
            if piece.rows > 0 {
                run.extend(self.store.write(&piece.columns)?);
                return Ok(None);
            }
            self.runs.push_back(std::mem::take(run));
            self.joining = None;
            return Ok(None);
        }
        if self.runs.len() <= self.most && self.round == 0 {
            self.last = Some(Merge::new(self.runs.drain(..).collect(), &source)?);
            return Ok(None);
        }
        // All runs are joined in their order, some neighbours at a time.
        if self.round == 0 {
            self.round = self.runs.len();
        }
        let some = self.most.min(self.round);
        self.round -= some;
        if some == 1 {
            self.runs.rotate_left(1);
            return Ok(None);
        }
        let runs = self.runs.drain(..some).collect();
        self.joining = Some((Merge::new(runs, &source)?, VecDeque::new()));
        Ok(None)
    }
}

/// Rows that are joined at a time.
const PIECE: usize = 1 << 14;

/// Where rows come from, and what orders them.
pub struct Source<'a> {
    keys: &'a [SortKey],
    store: &'a Store,
}

impl Source<'_> {
    /// The columns of a chunk, and those to sort by.
    ///
    /// # Errors
    /// If the disk does not give back what was written.
    pub fn read(&self, chunk: Chunk) -> Result<(Vec<ArrayRef>, Vec<SortColumn>), Failure> {
        let columns = self.store.read(chunk)?;
        let keys = columns_of(self.keys, &columns)?;
        Ok((columns, keys))
    }
}
