//! The right side of a join in files, where it does not fit into memory: buckets by the hash of the
//! keys, of which one at a time is looked into, for all questions that wait.
use super::internal;
use super::table::Table;
use crate::hash;
use crate::nodes::numbered::in_order;
use crate::spill::{Bucket, Buckets, Share};
use arrow_array::{ArrayRef, UInt32Array, new_empty_array};
use arrow_select::concat::concat;
use arrow_select::take::take;
use base::{Failure, FailureKind};
use plan::physical::{How, Join};
use std::sync::Arc;

/// A bucket is never too large if it has no more bytes than this.
const LEAST: u64 = 1 << 20;

/// Rows of the right, with the numbers of their tiles, in buckets that fit into memory one by one.
pub struct Files {
    join: Join,
    share: Share,
    /// Ascending by their hashes.
    buckets: Vec<Bucket>,
    /// Bytes of a row in a table.
    row: u64,
    most: u64,
}

/// A question: keys, and which rows of the asker's tile they are.
pub struct Question {
    /// The keys.
    pub keys: Vec<ArrayRef>,
    /// The rows; all, if that is not said.
    pub rows: Option<UInt32Array>,
}

impl Files {
    /// From buckets of rows that have so many bytes in all. Large buckets are split.
    ///
    /// # Errors
    /// If the disk fails, or rows of one key do not fit into memory.
    pub fn new(join: &Join, share: Share, buckets: Buckets, bytes: u64) -> Result<Files, Failure> {
        let mut waiting = buckets.split();
        let rows: usize = waiting.iter().map(Bucket::rows).sum();
        let row = bytes.div_ceil(rows.max(1) as u64);
        let (mut files, keys) = (Vec::new(), join.types.len());
        while let Some(mut bucket) = waiting.pop() {
            let level = bucket.level + 1;
            let fits = bucket.rows() as u64 * row <= share.own().max(LEAST);
            if fits || !Buckets::has_level(level) {
                files.push(bucket);
                continue;
            }
            let mut finer = Buckets::new(&share, keys, level);
            let first = bucket.first;
            while let Some(columns) = bucket.take()? {
                finer.write(&columns)?;
            }
            for mut bucket in finer.split() {
                bucket.first |= first;
                waiting.push(bucket);
            }
        }
        files.sort_by_key(|bucket| bucket.first);
        let mut files = Files { join: join.clone(), share, buckets: files, row, most: 1 };
        for i in 0..files.buckets.len() {
            files.most = files.most.max(files.table(i)?.most());
        }
        files.share.hold(0);
        Ok(files)
    }

    /// As [`Table::most`].
    pub fn most(&self) -> u64 {
        self.most
    }

    fn table(&mut self, bucket: usize) -> Result<Table, Failure> {
        let bucket = &self.buckets[bucket];
        let bytes = bucket.rows() as u64 * self.row;
        if !self.share.hold(bytes) && bytes > LEAST {
            return Err(Failure::new(
                FailureKind::Memory,
                format!(
                    "the right side of a join has {} rows whose keys cannot be told apart, {} MB, \
                     and there is no memory for them: give the run more (--memory)",
                    bucket.rows(),
                    bytes / 1_000_000
                ),
            ));
        }
        let columns = in_order(bucket.read()?)?;
        Table::new(&self.join, vec![columns])
    }

    /// The answer to each question: rows, and beside them columns of the right.
    ///
    /// # Errors
    /// As [`Files::new`].
    pub fn answers(
        &mut self,
        questions: &[Question],
        how: How,
    ) -> Result<Vec<Vec<ArrayRef>>, Failure> {
        let sorted = questions.iter().map(|q| self.by_bucket(q));
        let sorted: Vec<Vec<Vec<u32>>> = sorted.collect::<Result<_, Failure>>()?;
        let mut answers: Vec<Vec<Vec<ArrayRef>>> = questions.iter().map(|_| Vec::new()).collect();
        for bucket in 0..self.buckets.len() {
            if sorted.iter().all(|rows| rows[bucket].is_empty()) {
                continue;
            }
            let table = self.table(bucket)?;
            for ((question, rows), pieces) in questions.iter().zip(&sorted).zip(&mut answers) {
                let rows = UInt32Array::from(rows[bucket].clone());
                let some = |key: &ArrayRef| take(key, &rows, None).map_err(internal);
                let keys = question.keys.iter().map(some).collect::<Result<Vec<_>, Failure>>()?;
                let question = Question { keys, rows: Some(question.own(&rows)?) };
                pieces.push(table.answer(&self.join, &question, how)?);
            }
        }
        self.share.hold(0);
        let types = || {
            let right = self.join.right.iter().map(|i| self.join.right_types[*i].arrow());
            std::iter::once(arrow_schema::DataType::UInt32).chain(right)
        };
        let whole = |pieces: Vec<Vec<ArrayRef>>| match pieces.is_empty() {
            true => Ok(types().map(|t| new_empty_array(&t)).collect()),
            false => all(&pieces),
        };
        answers.into_iter().map(whole).collect()
    }

    /// The rows of a question whose keys each bucket may have.
    fn by_bucket(&self, question: &Question) -> Result<Vec<Vec<u32>>, Failure> {
        let count = question.keys.first().map_or(0, |key| key.len());
        let mut rows = vec![Vec::new(); self.buckets.len()];
        for (row, hash) in hash::rows(&question.keys, count)?.into_iter().enumerate() {
            let at = self.buckets.partition_point(|bucket| bucket.first <= hash);
            let Some(at) = at.checked_sub(1) else { continue };
            if self.buckets[at].end().is_none_or(|end| hash < end) {
                rows[at].push(row as u32);
            }
        }
        Ok(rows)
    }
}

impl Question {
    /// Which rows of the asker's tile some of its rows are.
    pub fn own(&self, rows: &UInt32Array) -> Result<UInt32Array, Failure> {
        let Some(own) = &self.rows else { return Ok(rows.clone()) };
        Ok(rows.values().iter().map(|row| own.value(*row as usize)).collect::<Vec<_>>().into())
    }
}

/// Pieces of columns, one after the other.
fn all(pieces: &[Vec<ArrayRef>]) -> Result<Vec<ArrayRef>, Failure> {
    let count = pieces.first().map_or(0, Vec::len);
    let column = |i: usize| {
        let arrays: Vec<_> = pieces.iter().map(|piece| &*piece[i]).collect();
        concat(&arrays).map_err(internal)
    };
    (0..count).map(column).collect()
}

/// Rows of a tile for buckets: its columns, and its number beside each row.
pub fn with_number(tile: &base::Tile) -> Vec<ArrayRef> {
    let numbers = arrow_array::UInt64Array::from(vec![tile.number; tile.points()]);
    let columns = tile.columns.iter().map(|c| c.array.clone());
    columns.chain([Arc::new(numbers) as ArrayRef]).collect()
}
