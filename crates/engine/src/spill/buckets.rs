//! Rows that did not fit into memory, those with equal keys in one bucket.
use super::{Chunk, Share, Store};
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
    lists: [VecDeque<Chunk>; 1 << BITS],
}

impl Buckets {
    /// No rows yet. A bucket that is too large can be split again at the next level.
    pub fn new(share: &Share, keys: usize, level: u32) -> Buckets {
        Buckets { store: Store::new(share), keys, level, lists: Default::default() }
    }

    /// Whether there is such a level.
    pub fn has_level(level: u32) -> bool {
        level < LEVELS
    }

    /// Writes rows to their buckets.
    ///
    /// # Errors
    /// If the disk is full, or a key has no hash.
    pub fn write(&mut self, columns: &[ArrayRef]) -> Result<(), Failure> {
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
            self.lists[bucket].extend(self.store.write(&columns)?);
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
        let (store, level) = (Arc::new(self.store), self.level);
        let full = self.lists.into_iter().enumerate().filter(|(_, chunks)| !chunks.is_empty());
        let bucket = |(i, chunks)| {
            let first = (i as u64) << (u64::BITS - BITS * (level + 1));
            Bucket { store: store.clone(), chunks, level, first }
        };
        full.map(bucket).collect()
    }
}

/// All rows whose keys have some bits of their hash in common.
pub struct Bucket {
    store: Arc<Store>,
    chunks: VecDeque<Chunk>,
    /// At which level it was made.
    pub level: u32,
    /// The bits that tell it apart, at their places in the hash: the least hash of its keys, as
    /// far as this level goes.
    pub first: u64,
}

impl Bucket {
    /// The first hash behind those that it may have; none behind the last.
    pub fn end(&self) -> Option<u64> {
        self.first.checked_add(1 << (u64::BITS - BITS * (self.level + 1)))
    }

    /// How many rows it has, that have not been taken.
    pub fn rows(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.rows).sum()
    }

    /// All rows, in pieces as they were written; they stay.
    ///
    /// # Errors
    /// If the disk does not give back what was written.
    pub fn read(&self) -> Result<Vec<Vec<ArrayRef>>, Failure> {
        self.chunks.iter().map(|chunk| self.store.read(*chunk)).collect()
    }

    /// The columns of some rows, in the order in which they were written; each row once.
    ///
    /// # Errors
    /// If the disk does not give back what was written.
    pub fn take(&mut self) -> Result<Option<Vec<ArrayRef>>, Failure> {
        self.chunks.pop_front().map(|chunk| self.store.read(chunk)).transpose()
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
        buckets.write(&[keys.clone(), values.clone()]).unwrap();
        buckets.write(&[keys, values]).unwrap();
        let mut home: HashMap<i64, usize> = HashMap::new();
        let mut rows = 0;
        for (at, mut bucket) in buckets.split().into_iter().enumerate() {
            let mut finer = Buckets::new(&share, 1, 1);
            while let Some(columns) = bucket.take().unwrap() {
                for key in columns[0].as_primitive::<Int64Type>().values() {
                    assert_eq!(*home.entry(*key).or_insert(at), at);
                    rows += 1;
                }
                finer.write(&columns).unwrap();
            }
            assert_eq!(finer.split().len(), 16);
        }
        assert_eq!((rows, home.len()), (40_000, 5000));
    }
}
