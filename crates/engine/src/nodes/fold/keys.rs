//! Group tables: from keys to group numbers, a block at a time.
//!
//! Each key column has a dictionary from its values to codes; the codes of two columns make a
//! word that a further dictionary maps to a code, and so on: the last code is the group.
use crate::hash;
use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array,
    TimestampMicrosecondArray,
};
use arrow_schema::DataType;
use base::{DType, Failure};
use expr::{Validity, Values};
use std::sync::Arc;

/// The groups of rows seen so far, numbered from 0 by first appearance.
pub struct Keys {
    columns: Vec<Dictionary>,
    /// Codes of the columns `0..=i` and of column `i + 1`, together.
    pairs: Vec<Words>,
    any: bool,
    codes: Vec<u32>,
}

impl Keys {
    /// No groups yet, of keys of these types.
    pub fn new(types: &[DType]) -> Keys {
        let columns: Vec<_> = types.iter().map(|t| Dictionary::new(*t)).collect();
        let pairs = columns.iter().skip(1).map(|_| Words::default()).collect();
        Keys { columns, pairs, any: false, codes: Vec::new() }
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        match (self.pairs.last(), self.columns.first()) {
            (Some(pairs), _) => pairs.len(),
            (None, Some(column)) => column.len(),
            (None, None) => usize::from(self.any),
        }
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
            let pairs = &mut self.pairs[i - 1];
            for (group, code) in groups.iter_mut().zip(&self.codes) {
                *group = pairs.code(u64::from(*group) << 32 | u64::from(*code));
            }
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
                    let words = codes.iter().map(|c| pairs.values[*c as usize]);
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

    /// Forgets all groups.
    pub fn clear(&mut self) {
        self.any = false;
        self.columns.iter_mut().for_each(Dictionary::clear);
        self.pairs.iter_mut().for_each(Words::clear);
    }
}

/// From the values of one column to codes.
struct Dictionary {
    dtype: DType,
    words: Words,
    texts: Texts,
    missing: Option<u32>,
}

impl Dictionary {
    fn new(dtype: DType) -> Dictionary {
        Dictionary { dtype, words: Words::default(), texts: Texts::default(), missing: None }
    }

    fn len(&self) -> usize {
        self.words.len().max(self.texts.len())
    }

    fn clear(&mut self) {
        self.words.clear();
        self.texts.clear();
        self.missing = None;
    }

    fn codes(&mut self, values: &Values, validity: Validity, codes: &mut [u32]) {
        let words = &mut self.words;
        match values {
            Values::Bool(v) => each(codes, |i| words.code(u64::from(v[i])), validity),
            Values::Int32(v) => each(codes, |i| words.code(i64::from(v[i]) as u64), validity),
            Values::Int64(v) => each(codes, |i| words.code(v[i] as u64), validity),
            Values::Float32(v) => {
                each(codes, |i| words.code(hash::float_key(f64::from(v[i]))), validity);
            }
            Values::Float64(v) => each(codes, |i| words.code(hash::float_key(v[i])), validity),
            Values::String(v) => {
                let texts = &mut self.texts;
                each(codes, |i| texts.code(v.value(i).as_bytes()), validity);
            }
        }
        if let Some(valid) = validity.filter(|v| v.contains(&false)) {
            let missing = self.missing_code();
            for (code, _) in codes.iter_mut().zip(valid).filter(|(_, valid)| !**valid) {
                *code = missing;
            }
        }
    }

    fn missing_code(&mut self) -> u32 {
        let new = match self.dtype {
            DType::String => self.texts.len(),
            _ => self.words.len(),
        } as u32;
        if self.missing.is_none() {
            match self.dtype {
                DType::String => self.texts.reserve_code(),
                _ => self.words.values.push(0),
            }
        }
        *self.missing.get_or_insert(new)
    }

    fn array(&self, codes: &[u32]) -> ArrayRef {
        let word = |c: &u32| (Some(*c) != self.missing).then(|| self.words.values[*c as usize]);
        let words = codes.iter().map(word);
        match self.dtype {
            DType::Bool => Arc::new(words.map(|w| w.map(|w| w != 0)).collect::<BooleanArray>()),
            DType::Int32 => Arc::new(words.map(|w| w.map(|w| w as i32)).collect::<Int32Array>()),
            DType::Int64 => Arc::new(words.map(|w| w.map(|w| w as i64)).collect::<Int64Array>()),
            DType::Timestamp => {
                let times = words.map(|w| w.map(|w| w as i64));
                Arc::new(times.collect::<TimestampMicrosecondArray>())
            }
            DType::Float32 => {
                let floats = words.map(|w| w.map(|w| f64::from_bits(w) as f32));
                Arc::new(floats.collect::<Float32Array>())
            }
            DType::Float64 => {
                Arc::new(words.map(|w| w.map(f64::from_bits)).collect::<Float64Array>())
            }
            DType::String | DType::Binary => {
                let mut texts = StringBuilder::with_capacity(codes.len(), self.texts.bytes.len());
                for code in codes {
                    texts.append_option(
                        (Some(*code) != self.missing).then(|| self.texts.get(*code)),
                    );
                }
                Arc::new(texts.finish())
            }
        }
    }
}

/// Fills in the codes of rows that are not missing.
fn each(codes: &mut [u32], mut code: impl FnMut(usize) -> u32, validity: Validity) {
    match validity {
        None => codes.iter_mut().enumerate().for_each(|(i, c)| *c = code(i)),
        Some(valid) => {
            for (i, c) in codes.iter_mut().enumerate().filter(|(i, _)| valid[*i]) {
                *c = code(i);
            }
        }
    }
}

/// A free place in a table.
const FREE: u32 = u32::MAX;

/// From words to codes: open addressing, a power of two of places, at most half of them taken.
#[derive(Default)]
struct Words {
    values: Vec<u64>,
    slots: Vec<(u64, u32)>,
}

impl Words {
    fn len(&self) -> usize {
        self.values.len()
    }

    fn clear(&mut self) {
        *self = Words::default();
    }

    fn code(&mut self, word: u64) -> u32 {
        if self.values.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut at = hash::word(word) as usize & mask;
        loop {
            let (there, code) = self.slots[at];
            if code == FREE {
                let code = self.values.len() as u32;
                self.slots[at] = (word, code);
                self.values.push(word);
                return code;
            }
            if there == word {
                return code;
            }
            at = (at + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 4).max(1 << 10);
        let old = std::mem::replace(&mut self.slots, vec![(0, FREE); size]);
        for (word, code) in old.into_iter().filter(|(_, code)| *code != FREE) {
            let mut at = hash::word(word) as usize & (size - 1);
            while self.slots[at].1 != FREE {
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = (word, code);
        }
    }
}

/// From texts to codes.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    slots: Vec<(u64, u32)>,
}

impl Texts {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn clear(&mut self) {
        *self = Texts::default();
    }

    fn raw(&self, code: u32) -> &[u8] {
        let code = code as usize;
        let start = code.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[code]]
    }

    fn get(&self, code: u32) -> &str {
        // Only texts were put in, so this never falls back.
        std::str::from_utf8(self.raw(code)).unwrap_or_default()
    }

    /// A code that no text has.
    fn reserve_code(&mut self) {
        self.ends.push(self.bytes.len());
    }

    fn code(&mut self, text: &[u8]) -> u32 {
        if self.ends.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let (hash, mask) = (hash::bytes(text), self.slots.len() - 1);
        let mut at = hash as usize & mask;
        loop {
            let (there, code) = self.slots[at];
            if code == FREE {
                let code = self.ends.len() as u32;
                self.bytes.extend_from_slice(text);
                self.ends.push(self.bytes.len());
                self.slots[at] = (hash, code);
                return code;
            }
            if there == hash && self.raw(code) == text {
                return code;
            }
            at = (at + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 4).max(1 << 10);
        let old = std::mem::replace(&mut self.slots, vec![(0, FREE); size]);
        for (hash, code) in old.into_iter().filter(|(_, code)| *code != FREE) {
            let mut at = hash as usize & (size - 1);
            while self.slots[at].1 != FREE {
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = (hash, code);
        }
    }
}

/// Room for what of an Arrow array is not laid out as [`Values`] are.
#[derive(Default)]
pub struct Scratch {
    bools: Vec<bool>,
    valid: Vec<bool>,
}

impl Scratch {
    /// An array as values and validity.
    ///
    /// # Errors
    /// If it has a type that no column has.
    pub fn view<'a>(
        &'a mut self,
        array: &'a ArrayRef,
    ) -> Result<(Values<'a>, Validity<'a>), Failure> {
        let Scratch { bools, valid } = self;
        let validity = array.nulls().filter(|n| n.null_count() > 0).map(|nulls| {
            valid.extend(nulls.iter());
            valid.as_slice()
        });
        let values = match array.data_type() {
            DataType::Boolean => {
                bools.extend(array.as_boolean().values().iter());
                Values::Bool(bools)
            }
            DataType::Int32 => Values::Int32(array.as_primitive::<Int32Type>().values()),
            DataType::Int64 => Values::Int64(array.as_primitive::<Int64Type>().values()),
            DataType::Timestamp(_, _) => {
                Values::Int64(array.as_primitive::<TimestampMicrosecondType>().values())
            }
            DataType::Float32 => Values::Float32(array.as_primitive::<Float32Type>().values()),
            DataType::Float64 => Values::Float64(array.as_primitive::<Float64Type>().values()),
            DataType::Utf8 => Values::String(array.as_string::<i32>()),
            other => return Err(Failure::internal(format!("{other} cannot be a key"))),
        };
        Ok((values, validity))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::StringArray;

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
