//! Rows that did not fit into memory, those with equal keys in one bucket.
use super::{Chunk, Share, Store, joined, width};
use crate::hash;
use arrow_array::{ArrayRef, UInt32Array};
use arrow_select::take::take;
use base::Failure;
use std::collections::VecDeque;
use std::sync::Arc;

/// Bits of the keys' hash that tell the buckets of one level apart.
const BITS: u32 = 4;

/// After so many levels no bits are left that do not tell workers apart.
const LEVELS: u32 = 7;

/// Rows in files, by the hash of their first columns, the keys.
pub struct Buckets {
    store: Store,
    keys: usize,
    level: u32,
    lists: [VecDeque<Piece>; 1 << BITS],
}

/// Rows of a bucket as they were written, and the number that was said with them.
type Piece = (u64, Chunk);

impl Buckets {
    /// No rows yet. A bucket that is too large can be split again at the next level.
    pub fn new(share: &Share, keys: usize, level: u32) -> Buckets {
        Buckets { store: Store::new(share), keys, level, lists: Default::default() }
    }

    /// Whether there is such a level.
    pub fn has_level(level: u32) -> bool {
        level < LEVELS
    }

    /// Writes rows to their buckets, with a number that [`Bucket::sort`] can order them by.
    ///
    /// # Errors
    /// If the disk is full, or a key has no hash.
    pub fn write(&mut self, number: u64, columns: &[ArrayRef]) -> Result<(), Failure> {
        let rows = columns.first().map_or(0, |c| c.len());
        let keys = columns.get(..self.keys).unwrap_or_default();
        for (bucket, rows) in self.rows(keys, rows)?.into_iter().enumerate() {
            if rows.is_empty() {
                continue;
            }
            let rows = UInt32Array::from(rows);
            let pick = |c: &ArrayRef| take(c, &rows, None);
            let columns: Result<Vec<ArrayRef>, _> = columns.iter().map(pick).collect();
            let columns = columns.map_err(|e| Failure::internal(e.to_string()))?;
            let chunks = self.store.write(&columns)?;
            self.lists[bucket].extend(chunks.into_iter().map(|chunk| (number, chunk)));
        }
        Ok(())
    }

    /// The rows of each bucket.
    fn rows(&self, keys: &[ArrayRef], rows: usize) -> Result<Vec<Vec<u32>>, Failure> {
        let mut lists = vec![Vec::new(); 1 << BITS];
        for (row, hash) in hash::rows(keys, rows)?.into_iter().enumerate() {
            // The highest bits first: those from 32 on tell workers apart.
            let bucket = hash.rotate_left(BITS * (self.level + 1)) as usize & ((1 << BITS) - 1);
            lists[bucket].push(row as u32);
        }
        Ok(lists)
    }

    /// The buckets that have rows.
    pub fn split(self) -> Vec<Bucket> {
        let (store, keys, level) = (Arc::new(self.store), self.keys, self.level);
        let full = self.lists.into_iter().enumerate().filter(|(_, pieces)| !pieces.is_empty());
        let bucket = |(place, pieces)| Bucket { store: store.clone(), pieces, keys, level, place };
        full.map(bucket).collect()
    }
}

/// All rows whose keys have some bits of their hash in common.
pub struct Bucket {
    store: Arc<Store>,
    pieces: VecDeque<Piece>,
    keys: usize,
    /// At which level it was made.
    pub level: u32,
    /// Which of the buckets of its level it is: equal keys have the same place, whatever else is
    /// in the rows.
    pub place: usize,
}

impl Bucket {
    /// How many rows it has, that have not been taken.
    pub fn rows(&self) -> usize {
        self.pieces.iter().map(|(_, chunk)| chunk.rows).sum()
    }

    /// How many pieces it has, that have not been taken.
    pub fn pieces(&self) -> usize {
        self.pieces.len()
    }

    /// How many rows a piece has.
    pub fn rows_of(&self, piece: usize) -> usize {
        self.pieces.get(piece).map_or(0, |(_, chunk)| chunk.rows)
    }

    /// Puts its pieces into the order of their numbers; those of one number stay as they are.
    pub fn sort(&mut self) {
        self.pieces.make_contiguous().sort_by_key(|(number, _)| *number);
    }

    /// The columns of a piece; it stays. None behind the last.
    ///
    /// # Errors
    /// If the disk does not give back what was written.
    pub fn read(&self, piece: usize) -> Result<Option<Vec<ArrayRef>>, Failure> {
        self.pieces.get(piece).map(|(_, chunk)| self.store.read(*chunk)).transpose()
    }

    /// The columns of some rows, in the order in which they were written; each row once.
    ///
    /// # Errors
    /// If the disk does not give back what was written.
    pub fn take(&mut self) -> Result<Option<Vec<ArrayRef>>, Failure> {
        self.pieces.pop_front().map(|(_, chunk)| self.store.read(chunk)).transpose()
    }

    /// The same rows in buckets of the next level, which there has to be; in the order of their
    /// numbers.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn finer(mut self, share: &Share) -> Result<Vec<Bucket>, Failure> {
        self.sort();
        let mut finer = Buckets::new(share, self.keys, self.level + 1);
        // Pieces of pieces would be small: some that follow each other are split as one.
        let most = share.chunk() << BITS;
        let (mut some, mut bytes, mut first) = (Vec::new(), 0, 0);
        while let Some((number, chunk)) = self.pieces.pop_front() {
            let columns = self.store.read(chunk)?;
            first = if some.is_empty() { number } else { first };
            bytes += columns.iter().map(width).sum::<usize>();
            some.push(columns);
            if bytes >= most || self.pieces.is_empty() {
                finer.write(first, &joined(some)?)?;
                (some, bytes) = (Vec::new(), 0);
            }
        }
        Ok(finer.split())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{Budget, Folder};
    use super::*;
    use arrow_array::Int64Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    use std::collections::HashMap;

    #[test]
    fn equal_keys_are_in_one_bucket_and_levels_split() {
        let share = Budget::new(1 << 20, Folder::new(std::env::temp_dir())).share();
        let keys: ArrayRef = Arc::new(Int64Array::from_iter_values((0..20_000).map(|i| i % 5000)));
        let values: ArrayRef = Arc::new(Int64Array::from_iter_values(0..20_000));
        let mut buckets = Buckets::new(&share, 1, 0);
        buckets.write(2, &[keys.clone(), values.clone()]).unwrap();
        buckets.write(1, &[keys, values]).unwrap();
        let mut home: HashMap<i64, usize> = HashMap::new();
        let mut rows = 0;
        for bucket in buckets.split() {
            let at = bucket.place;
            let finer = bucket.finer(&share).unwrap();
            assert_eq!(finer.len(), 16);
            for mut bucket in finer {
                bucket.sort();
                assert!(bucket.read(0).unwrap().is_some() && bucket.level == 1);
                while let Some(columns) = bucket.take().unwrap() {
                    for key in columns[0].as_primitive::<Int64Type>().values() {
                        let place = (at << 4) | bucket.place;
                        assert_eq!(*home.entry(*key).or_insert(place), place);
                        rows += 1;
                    }
                }
            }
        }
        assert_eq!((rows, home.len()), (40_000, 5000));
    }

    #[test]
    fn pieces_are_sorted_by_number() {
        let share = Budget::new(1 << 20, Folder::new(std::env::temp_dir())).share();
        let mut buckets = Buckets::new(&share, 1, 0);
        for number in [3u64, 1, 2, 1] {
            let place = (number * 10) as i64;
            let columns: [ArrayRef; 2] =
                [Arc::new(Int64Array::from(vec![7])), Arc::new(Int64Array::from(vec![place]))];
            buckets.write(number, &columns).unwrap();
        }
        let mut bucket = buckets.split().pop().unwrap();
        bucket.sort();
        let mut found = Vec::new();
        while let Some(columns) = bucket.take().unwrap() {
            found.extend_from_slice(columns[1].as_primitive::<Int64Type>().values());
        }
        assert_eq!(found, [10, 10, 20, 30]);
    }
}
