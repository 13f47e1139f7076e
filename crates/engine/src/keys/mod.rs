//! Key tables: from rows of key columns to numbers, a block at a time. What groups rows, and what
//! will join them.
//!
//! | file | what it has |
//! |---|---|
//! | `column` | the codes of the values of one column |
//! | `words` | from words to codes: a window of small integers, or a hash table |
//! | `texts` | from texts to codes |
//! | `view` | Arrow arrays as blocks of values |
//!
//! Each key column has a dictionary from its values to codes; the codes of two columns make a
//! word that a further table maps to a code, and so on: the last code is the group.
mod column;
mod texts;
mod view;
mod words;

use arrow_array::ArrayRef;
use base::DType;
use column::Dictionary;
use expr::{Validity, Values};
pub use view::{Scratch, array};
use words::Words;

/// No group.
pub const NONE: u32 = u32::MAX;

/// The groups of rows seen so far, numbered from 0 by first appearance.
pub struct Keys {
    columns: Vec<Dictionary>,
    /// Codes of the columns `0..=i` and of column `i + 1`, together.
    pairs: Vec<Words>,
    any: bool,
    codes: Vec<u32>,
    words: Vec<u64>,
}

impl Keys {
    /// No groups yet, of keys of these types.
    pub fn new(types: &[DType]) -> Keys {
        let columns: Vec<_> = types.iter().map(|t| Dictionary::new(*t)).collect();
        let pairs = columns.iter().skip(1).map(|_| Words::default()).collect();
        Keys { columns, pairs, any: false, codes: Vec::new(), words: Vec::new() }
    }

    /// No groups yet, but about so many will come: of one key they are its values, of several only
    /// the last pair has as many.
    pub fn expecting(types: &[DType], groups: usize) -> Keys {
        let mut keys = Keys::new(types);
        match (&mut keys.columns[..], keys.pairs.last_mut()) {
            ([one], _) => *one = Dictionary::expecting(types[0], groups),
            (_, Some(last)) => *last = Words::expecting(groups),
            (_, None) => {}
        }
        keys
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        match (self.pairs.last(), self.columns.first()) {
            (Some(pairs), _) => pairs.len(),
            (None, Some(column)) => column.len(),
            (None, None) => usize::from(self.any),
        }
    }

    /// Bytes of memory that this takes, or will take soon.
    pub fn bytes(&self) -> usize {
        let columns: usize = self.columns.iter().map(Dictionary::bytes).sum();
        columns + self.pairs.iter().map(Words::bytes).sum::<usize>()
    }

    /// The group of each of `len` rows; new keys make new groups.
    pub fn groups(&mut self, keys: &[(Values, Validity)], len: usize, groups: &mut Vec<u32>) {
        groups.clear();
        groups.resize(len, 0);
        self.any |= len > 0;
        self.codes.resize(len, 0);
        for (i, (values, validity)) in keys.iter().enumerate() {
            if i == 0 {
                self.columns[0].codes(values, *validity, groups);
                continue;
            }
            self.columns[i].codes(values, *validity, &mut self.codes);
            let pair = |(group, code): (&u32, &u32)| u64::from(*group) << 32 | u64::from(*code);
            self.words.clear();
            self.words.extend(groups.iter().zip(&self.codes).map(pair));
            self.pairs[i - 1].codes(&self.words, groups);
        }
    }

    /// The group of each of `len` rows as far as there is one, else [`NONE`]; rows that lack a key
    /// have none.
    pub fn find(&self, keys: &[(Values, Validity)], len: usize, groups: &mut Vec<u32>) {
        groups.clear();
        groups.resize(len, NONE);
        let (mut codes, mut words) = (vec![NONE; len], Vec::with_capacity(len));
        for (i, (values, validity)) in keys.iter().enumerate() {
            if i == 0 {
                self.columns[0].find(values, *validity, groups, &mut words);
                continue;
            }
            self.columns[i].find(values, *validity, &mut codes, &mut words);
            let pair = |(group, code): (&u32, &u32)| u64::from(*group) << 32 | u64::from(*code);
            words.clear();
            words.extend(groups.iter().zip(&codes).map(pair));
            // No group has a pair with `NONE` in it.
            self.pairs[i - 1].find(&words, groups);
        }
    }

    /// The keys of all groups, a column for each.
    pub fn arrays(&self) -> Vec<ArrayRef> {
        let mut codes: Vec<u32> = (0..self.len() as u32).collect();
        let mut arrays = Vec::with_capacity(self.columns.len());
        for i in (0..self.columns.len()).rev() {
            let own: Vec<u32> = match i.checked_sub(1).map(|p| &self.pairs[p]) {
                None => std::mem::take(&mut codes),
                Some(pairs) => {
                    let words = codes.iter().map(|c| pairs.value(*c));
                    let (first, own) = words.map(|w| ((w >> 32) as u32, w as u32)).unzip();
                    codes = first;
                    own
                }
            };
            arrays.push(self.columns[i].array(&own));
        }
        arrays.reverse();
        arrays
    }

    /// Forgets all groups and keeps the memory: about as many will come again.
    pub fn empty(&mut self) {
        self.any = false;
        self.columns.iter_mut().for_each(Dictionary::empty);
        self.pairs.iter_mut().for_each(Words::empty);
    }

    /// Forgets all groups and gives the memory back.
    pub fn clear(&mut self) {
        self.any = false;
        self.columns.iter_mut().for_each(Dictionary::clear);
        self.pairs.iter_mut().for_each(Words::clear);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Float64Type, Int32Type, Int64Type};
    use arrow_array::{Array, BooleanArray, Float64Array, Int32Array, Int64Array, StringArray};
    use std::sync::Arc;

    fn groups(keys: &mut Keys, arrays: &[ArrayRef]) -> Vec<u32> {
        let mut scratch: Vec<Scratch> = arrays.iter().map(|_| Scratch::default()).collect();
        let views: Vec<_> =
            arrays.iter().zip(&mut scratch).map(|(a, s)| s.view(a).unwrap()).collect();
        let mut out = Vec::new();
        keys.groups(&views, arrays[0].len(), &mut out);
        out
    }

    #[test]
    fn floats_with_nan_zeros_and_missing() {
        let mut keys = Keys::new(&[DType::Float64]);
        let values =
            [Some(0.0), None, Some(-0.0), Some(f64::NAN), Some(-f64::NAN), Some(1.0), None];
        let array: ArrayRef = Arc::new(Float64Array::from(values.to_vec()));
        assert_eq!(
            groups(&mut keys, &[array]),
            [0, 2, 0, 1, 1, 3, 2].map(|g| match g {
                // Missing keys get the code after the values of their block.
                1 => 1,
                2 => 3,
                3 => 2,
                g => g,
            })
        );
        let back = keys.arrays();
        let back = back[0].as_primitive::<Float64Type>();
        assert_eq!(back.len(), 4);
        assert!(back.value(1).is_nan() && back.is_null(3) && back.value(0).is_sign_positive());
    }

    #[test]
    fn three_columns_come_back() {
        let mut keys = Keys::new(&[DType::String, DType::Int32, DType::Bool]);
        let text: ArrayRef =
            Arc::new(StringArray::from(vec![Some("a"), Some("b"), Some("a"), None]));
        let ints: ArrayRef = Arc::new(Int32Array::from(vec![-1, -1, -1, -1]));
        let bools: ArrayRef = Arc::new(BooleanArray::from(vec![true, true, true, true]));
        let columns = [text, ints, bools];
        assert_eq!(groups(&mut keys, &columns), [0, 1, 0, 2]);
        assert_eq!(groups(&mut keys, &columns), [0, 1, 0, 2]);
        let back = keys.arrays();
        let texts: Vec<_> = back[0].as_string::<i32>().iter().collect();
        assert_eq!(texts, [Some("a"), Some("b"), None]);
        assert_eq!(back[1].as_primitive::<Int32Type>().values(), &[-1, -1, -1]);
        keys.clear();
        assert_eq!(keys.len(), 0);
    }

    /// Looking up finds what was put in, and puts in nothing.
    #[test]
    fn finding_is_not_making() {
        let mut keys = Keys::new(&[DType::String, DType::Float64]);
        let text = |t: &[Option<&str>]| Arc::new(StringArray::from(t.to_vec())) as ArrayRef;
        let float = |x: &[Option<f64>]| Arc::new(Float64Array::from(x.to_vec())) as ArrayRef;
        let nan = Some(f64::NAN);
        let made =
            [text(&[Some("a"), Some("b"), Some("a")]), float(&[Some(0.0), nan, Some(1e300)])];
        assert_eq!(groups(&mut keys, &made), [0, 1, 2]);
        let asked = [
            text(&[Some("b"), Some("a"), None, Some("b"), Some("c"), Some("a"), Some("a")]),
            float(&[nan, Some(-0.0), Some(0.0), None, nan, Some(2.0), Some(1e300)]),
        ];
        let mut scratch: Vec<Scratch> = asked.iter().map(|_| Scratch::default()).collect();
        let views: Vec<_> =
            asked.iter().zip(&mut scratch).map(|(a, s)| s.view(a).unwrap()).collect();
        let mut found = Vec::new();
        keys.find(&views, 7, &mut found);
        assert_eq!(found, [1, 0, NONE, NONE, NONE, NONE, 2]);
        assert_eq!(keys.len(), 3);
    }

    #[test]
    fn many_groups() {
        let mut keys = Keys::new(&[DType::Int64, DType::Int64]);
        let a: ArrayRef = Arc::new(Int64Array::from_iter_values((0..100_000).map(|i| i % 1000)));
        let b: ArrayRef = Arc::new(Int64Array::from_iter_values((0..100_000).map(|i| i / 50_000)));
        let found = groups(&mut keys, &[a.clone(), b.clone()]);
        assert_eq!(keys.len(), 2000);
        let back = keys.arrays();
        for (row, group) in found.iter().enumerate() {
            for (column, given) in back.iter().zip([&a, &b]) {
                let column = column.as_primitive::<Int64Type>();
                let given = given.as_primitive::<Int64Type>();
                assert_eq!(column.value(*group as usize), given.value(row));
            }
        }
    }
}
