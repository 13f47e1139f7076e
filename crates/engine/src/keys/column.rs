//! The codes of the values of one key column.
use super::NONE;
use super::texts::Texts;
use super::words::Words;
use crate::hash;
use arrow_array::builder::StringBuilder;
use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array,
    TimestampMicrosecondArray,
};
use base::DType;
use expr::{Validity, Values};
use std::sync::Arc;

/// From the values of one column to codes.
pub struct Dictionary {
    dtype: DType,
    words: Words,
    texts: Texts,
    missing: Option<u32>,
    block: Vec<u64>,
}

impl Dictionary {
    /// No values yet.
    pub fn new(dtype: DType) -> Dictionary {
        Dictionary::expecting(dtype, 0)
    }

    /// No values yet, but about so many will come.
    pub fn expecting(dtype: DType, values: usize) -> Dictionary {
        let (words, texts) = (Words::expecting(values), Texts::default());
        Dictionary { dtype, words, texts, missing: None, block: Vec::new() }
    }

    /// How many codes there are.
    pub fn len(&self) -> usize {
        self.words.len().max(self.texts.len())
    }

    /// Bytes of memory that this takes.
    pub fn bytes(&self) -> usize {
        self.words.bytes() + self.texts.bytes() + self.block.capacity() * 8
    }

    /// Forgets all codes and keeps the memory of words.
    pub fn empty(&mut self) {
        self.words.empty();
        self.texts.clear();
        self.missing = None;
    }

    /// Forgets all codes.
    pub fn clear(&mut self) {
        self.words.clear();
        self.texts.clear();
        self.missing = None;
    }

    /// The code of each row of a block; new values get new codes.
    pub fn codes(&mut self, values: &Values, validity: Validity, codes: &mut [u32]) {
        let valid = validity.filter(|v| v.contains(&false));
        match values {
            Values::Bool(v) => self.words(v, valid, codes, u64::from),
            Values::Int32(v) => self.words(v, valid, codes, |x| i64::from(x) as u64),
            Values::Int64(v) => self.words(v, valid, codes, |x| x as u64),
            Values::Float32(v) => {
                self.words(v, valid, codes, |x| hash::float_key(f64::from(x)));
            }
            Values::Float64(v) => self.words(v, valid, codes, hash::float_key),
            Values::String(v) => {
                let texts = &mut self.texts;
                for (i, code) in codes.iter_mut().enumerate() {
                    if valid.is_none_or(|valid| valid[i]) {
                        *code = texts.code(v.value(i).as_bytes());
                    }
                }
            }
        }
        if let Some(valid) = valid {
            let missing = self.missing_code();
            for (code, _) in codes.iter_mut().zip(valid).filter(|(_, valid)| !**valid) {
                *code = missing;
            }
        }
    }

    /// The code of each row as far as there is one; rows without a value have none.
    pub fn find(
        &self,
        values: &Values,
        validity: Validity,
        codes: &mut [u32],
        words: &mut Vec<u64>,
    ) {
        let n = codes.len();
        words.clear();
        match values {
            Values::Bool(v) => words.extend(v[..n].iter().map(|x| u64::from(*x))),
            Values::Int32(v) => words.extend(v[..n].iter().map(|x| i64::from(*x) as u64)),
            Values::Int64(v) => words.extend(v[..n].iter().map(|x| *x as u64)),
            Values::Float32(v) => {
                words.extend(v[..n].iter().map(|x| hash::float_key(f64::from(*x))));
            }
            Values::Float64(v) => words.extend(v[..n].iter().map(|x| hash::float_key(*x))),
            Values::String(v) => {
                for (i, code) in codes.iter_mut().enumerate() {
                    *code = self.texts.find(v.value(i).as_bytes());
                }
            }
        }
        if !matches!(values, Values::String(_)) {
            self.words.find(words, codes);
        }
        for (code, _) in codes.iter_mut().zip(validity.into_iter().flatten()).filter(|(_, v)| !**v)
        {
            *code = NONE;
        }
    }

    /// The codes of values as words. What stands at a missing place must not make a code: a value
    /// that is there is taken instead.
    fn words<T: Copy>(
        &mut self,
        values: &[T],
        valid: Validity,
        codes: &mut [u32],
        word: impl Fn(T) -> u64,
    ) {
        let values = &values[..codes.len()];
        let Some(first) = valid.map_or(Some(0), |v| v.iter().position(|valid| *valid)) else {
            return;
        };
        self.block.clear();
        self.block.extend(values.iter().map(|x| word(*x)));
        if let (Some(valid), Some(any)) = (valid, self.block.get(first).copied()) {
            let missing = self.block.iter_mut().zip(valid).filter(|(_, valid)| !**valid);
            missing.for_each(|(word, _)| *word = any);
        }
        self.words.codes(&self.block, codes);
    }

    fn missing_code(&mut self) -> u32 {
        let (words, texts) = (&mut self.words, &mut self.texts);
        *self.missing.get_or_insert_with(|| match self.dtype {
            DType::String => texts.reserve_code(),
            _ => words.reserve_code(),
        })
    }

    /// The values of these codes.
    pub fn array(&self, codes: &[u32]) -> ArrayRef {
        let word = |c: &u32| (Some(*c) != self.missing).then(|| self.words.value(*c));
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
                let mut texts = StringBuilder::with_capacity(codes.len(), self.texts.length());
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
