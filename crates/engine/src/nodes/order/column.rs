//! A column to sort by: a word for each row, and what words cannot tell.
use super::radix;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use base::Failure;
use std::cmp::Ordering;

/// The rows of one column of some tiles, one tile after the other. The smaller word comes first;
/// NaN comes after all numbers and missing after NaN, descending too.
pub struct SortColumn {
    words: Vec<u64>,
    /// Whether rows with equal words are equal.
    exact: bool,
    arrays: Vec<ArrayRef>,
    ends: Vec<usize>,
    descending: bool,
}

const MISSING: u64 = u64::MAX;
/// Above all infinities.
const NAN: u64 = u64::MAX - 1;
const SIGN: u64 = 1 << 63;

/// So few rows are sorted by comparing all columns at once.
const FEW: usize = 32;

impl SortColumn {
    /// From the column's arrays in all tiles.
    ///
    /// # Errors
    /// If the column has no order.
    pub fn new(arrays: Vec<ArrayRef>, descending: bool) -> Result<SortColumn, Failure> {
        let rows = arrays.iter().map(|a| a.len()).sum();
        let mut column = SortColumn {
            words: Vec::with_capacity(rows),
            exact: true,
            ends: Vec::with_capacity(arrays.len()),
            arrays: Vec::new(),
            descending,
        };
        for array in &arrays {
            column.push(array)?;
        }
        column.arrays = arrays;
        Ok(column)
    }

    /// The word of a row.
    pub fn word(&self, row: usize) -> u64 {
        self.words[row]
    }

    fn push(&mut self, array: &ArrayRef) -> Result<(), Failure> {
        let flip = if self.descending { u64::MAX } else { 0 };
        let int = |x: i64| (x as u64 ^ SIGN) ^ flip;
        let float = |x: f64| {
            // Adding 0.0 makes the zeros equal.
            let bits = (x + 0.0).to_bits();
            let rising = if bits & SIGN == 0 { bits | SIGN } else { !bits };
            if x.is_nan() { NAN } else { rising ^ flip }
        };
        let start = self.words.len();
        let words = &mut self.words;
        match array.data_type() {
            DataType::Boolean => {
                words.extend(array.as_boolean().values().iter().map(|b| int(b.into())));
            }
            DataType::Int32 => {
                let values = array.as_primitive::<Int32Type>().values();
                words.extend(values.iter().map(|x| int((*x).into())));
            }
            DataType::Int64 => {
                let values = array.as_primitive::<Int64Type>().values();
                words.extend(values.iter().map(|x| int(*x)));
                // The last integer has the word of missing ones.
                self.exact &= array.null_count() == 0;
            }
            DataType::Timestamp(_, _) => {
                let values = array.as_primitive::<TimestampMicrosecondType>().values();
                words.extend(values.iter().map(|x| int(*x)));
                self.exact &= array.null_count() == 0;
            }
            DataType::Float32 => {
                let values = array.as_primitive::<Float32Type>().values();
                words.extend(values.iter().map(|x| float((*x).into())));
            }
            DataType::Float64 => {
                let values = array.as_primitive::<Float64Type>().values();
                words.extend(values.iter().map(|x| float(*x)));
            }
            DataType::Utf8 => {
                let texts = array.as_string::<i32>();
                let word = |i| prefix(texts.value(i).as_bytes());
                // No text begins with a byte of ones, so there is room for missing ones.
                let word = |i| if self.descending { MISSING - 1 - word(i) } else { word(i) };
                words.extend((0..texts.len()).map(word));
                self.exact = false;
            }
            other => return Err(Failure::internal(format!("{other} has no order"))),
        }
        if let Some(nulls) = array.nulls().filter(|n| n.null_count() > 0) {
            let gaps = nulls.iter().enumerate().filter(|(_, valid)| !valid);
            gaps.for_each(|(i, _)| words[start + i] = MISSING);
        }
        self.ends.push(words.len());
        Ok(())
    }

    /// Compares a row of these with a row of others of the same column.
    pub fn compare(&self, row: usize, other: &SortColumn, row2: usize) -> Ordering {
        self.words[row].cmp(&other.words[row2]).then_with(|| {
            let ((a, i), (b, j)) = (self.place(row), other.place(row2));
            match (a.is_null(i), b.is_null(j)) {
                (false, false) => match (a.as_string_opt::<i32>(), b.as_string_opt::<i32>()) {
                    (Some(a), Some(b)) if self.descending => b.value(j).cmp(a.value(i)),
                    (Some(a), Some(b)) => a.value(i).cmp(b.value(j)),
                    _ => Ordering::Equal,
                },
                (a, b) => a.cmp(&b),
            }
        })
    }

    fn place(&self, row: usize) -> (&ArrayRef, usize) {
        let at = self.ends.partition_point(|end| *end <= row);
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        (&self.arrays[at], row - start)
    }
}

/// The first eight bytes, as a number of the same order.
fn prefix(text: &[u8]) -> u64 {
    let mut eight = [0; 8];
    let n = text.len().min(8);
    eight[..n].copy_from_slice(&text[..n]);
    u64::from_be_bytes(eight)
}

/// Compares a row with a row of others by all columns.
pub fn compare(a: &[SortColumn], row: usize, b: &[SortColumn], row2: usize) -> Ordering {
    let orders = a.iter().zip(b).map(|(a, b)| a.compare(row, b, row2));
    orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// Sorts rows, which come in ascending order, by these columns and keeps ties in place.
pub fn sort(rows: &mut [u32], columns: &[SortColumn]) {
    let Some((first, rest)) = columns.split_first() else { return };
    if rows.len() <= FEW {
        rows.sort_by(|a, b| compare(columns, *a as usize, columns, *b as usize));
        return;
    }
    let pairs = radix::sorted(rows, |row| first.words[row as usize]);
    rows.iter_mut().zip(&pairs).for_each(|(row, pair)| *row = pair.1);
    if first.exact && rest.is_empty() {
        return;
    }
    let mut start = 0;
    for run in pairs.chunk_by(|a, b| a.0 == b.0) {
        let rows = &mut rows[start..start + run.len()];
        start += run.len();
        if rows.len() < 2 {
        } else if first.exact {
            sort(rows, rest);
        } else {
            let order = |a: u32, b: u32| first.compare(a as usize, first, b as usize);
            rows.sort_by(|a, b| order(*a, *b));
            if !rest.is_empty() {
                rows.chunk_by_mut(|a, b| order(*a, *b).is_eq()).for_each(|rows| sort(rows, rest));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::hash;
    use arrow_array::{BooleanArray, Float64Array, Int64Array, StringArray};
    use std::sync::Arc;

    /// Sorted rows of columns of random values are in order by comparison, and ties in place.
    #[test]
    fn sorting_agrees_with_comparing() {
        let n = 4000u64;
        let missing = |i: u64| hash::word(i ^ 77).is_multiple_of(9);
        let ints = |i: u64| match hash::word(i) % 5 {
            0 => i64::MAX,
            1 => i64::MIN,
            x => x as i64 - 3,
        };
        let float =
            |i: u64| [f64::NAN, 0.0, -0.0, f64::INFINITY, -1.5][(hash::word(i) % 5) as usize];
        let text = |i: u64| {
            ["", "same prefix b", "same prefix a", "\0", "z"][(hash::word(i) % 5) as usize]
        };
        let make = |kind: usize, seed: u64| -> ArrayRef {
            let rows = (0..n).map(|i| (i + seed, !missing(i + seed)));
            match kind {
                0 => Arc::new(rows.map(|(i, v)| v.then(|| ints(i))).collect::<Int64Array>()),
                1 => Arc::new(rows.map(|(i, v)| v.then(|| float(i))).collect::<Float64Array>()),
                2 => Arc::new(rows.map(|(i, v)| v.then(|| text(i))).collect::<StringArray>()),
                3 => Arc::new(rows.map(|(i, v)| v.then(|| ints(i) > 0)).collect::<BooleanArray>()),
                _ => Arc::new(Int64Array::from_iter_values(rows.map(|(i, _)| ints(i)))),
            }
        };
        for (a, b) in [(0, 1), (1, 2), (2, 0), (3, 4), (4, 3), (2, 2), (1, 1)] {
            for flip in [false, true] {
                let columns: Vec<SortColumn> = [(a, flip), (b, !flip)]
                    .into_iter()
                    .enumerate()
                    .map(|(seed, (kind, descending))| {
                        let array = make(kind, 10_000 * seed as u64);
                        let pieces = vec![array.slice(0, 1500), array.slice(1500, 2500)];
                        SortColumn::new(pieces, descending).unwrap()
                    })
                    .collect();
                let mut fast: Vec<u32> = (0..n as u32).collect();
                let mut slow = fast.clone();
                sort(&mut fast, &columns);
                slow.sort_by(|x, y| compare(&columns, *x as usize, &columns, *y as usize));
                assert!(fast == slow, "{a} {b} {flip}");
            }
        }
    }
}
