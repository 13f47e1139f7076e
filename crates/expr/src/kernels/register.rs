//! Registers: the blocks that kernels write.
use super::Arg;
use crate::{Validity, Values};
use arrow_array::{Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array};
use arrow_array::{Int64Array, StringArray, TimestampMicrosecondArray, new_null_array};
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use base::DType;
use std::sync::Arc;

/// Values of one type that can be overwritten.
#[derive(Clone, Debug)]
pub enum Buffer {
    /// bool
    Bool(Vec<bool>),
    /// int32
    Int32(Vec<i32>),
    /// int64 and timestamps
    Int64(Vec<i64>),
    /// float32
    Float32(Vec<f32>),
    /// float64
    Float64(Vec<f64>),
    /// string; replaced as a whole
    String(StringArray),
}

/// Does the same with the vector inside, whatever its type.
macro_rules! each_vec {
    ($buffer:expr, $v:ident => $do:expr, $s:ident => $string:expr) => {
        match $buffer {
            Buffer::Bool($v) => $do,
            Buffer::Int32($v) => $do,
            Buffer::Int64($v) => $do,
            Buffer::Float32($v) => $do,
            Buffer::Float64($v) => $do,
            Buffer::String($s) => $string,
        }
    };
}

impl Buffer {
    /// An empty buffer for values of this type.
    pub fn new(dtype: DType) -> Buffer {
        match dtype {
            DType::Bool => Buffer::Bool(Vec::new()),
            DType::Int32 => Buffer::Int32(Vec::new()),
            DType::Int64 | DType::Timestamp => Buffer::Int64(Vec::new()),
            DType::Float32 => Buffer::Float32(Vec::new()),
            DType::Float64 => Buffer::Float64(Vec::new()),
            DType::String | DType::Binary => Buffer::String(StringArray::new_null(0)),
        }
    }

    /// Makes room for `len` values; strings are left alone.
    pub fn resize(&mut self, len: usize) {
        each_vec!(self, v => v.resize(len, Default::default()), _s => ())
    }

    /// Makes room for `more` values; strings are left alone.
    pub fn reserve(&mut self, more: usize) {
        each_vec!(self, v => v.reserve(more), _s => ())
    }

    /// The values.
    pub fn values(&self) -> Values<'_> {
        match self {
            Buffer::Bool(v) => Values::Bool(v),
            Buffer::Int32(v) => Values::Int32(v),
            Buffer::Int64(v) => Values::Int64(v),
            Buffer::Float32(v) => Values::Float32(v),
            Buffer::Float64(v) => Values::Float64(v),
            Buffer::String(v) => Values::String(v),
        }
    }

    /// Keeps the values at these ascending positions, counted from `origin`.
    pub fn keep(&mut self, positions: &[u32], origin: u32) {
        each_vec!(self, v => keep(v, positions, origin), s => *s = keep_strings(s, positions, origin))
    }

    /// Appends numbers or bools of the same type; anything else is ignored.
    pub fn append(&mut self, values: Values) {
        match (self, values) {
            (Buffer::Bool(v), Values::Bool(x)) => v.extend_from_slice(x),
            (Buffer::Int32(v), Values::Int32(x)) => v.extend_from_slice(x),
            (Buffer::Int64(v), Values::Int64(x)) => v.extend_from_slice(x),
            (Buffer::Float32(v), Values::Float32(x)) => v.extend_from_slice(x),
            (Buffer::Float64(v), Values::Float64(x)) => v.extend_from_slice(x),
            _ => {}
        }
    }

    /// Bytes of memory in use.
    pub fn bytes(&self) -> usize {
        each_vec!(self, v => size_of_val(&v[..]), s => s.get_array_memory_size())
    }

    /// The values as an Arrow array of this type.
    pub fn into_array(self, dtype: DType, validity: Option<Vec<bool>>) -> ArrayRef {
        let nulls = validity.map(NullBuffer::from).filter(|n| n.null_count() > 0);
        match self {
            Buffer::Bool(v) => Arc::new(BooleanArray::new(BooleanBuffer::from(v), nulls)),
            Buffer::Int32(v) => Arc::new(Int32Array::new(ScalarBuffer::from(v), nulls)),
            Buffer::Int64(v) if dtype == DType::Timestamp => {
                Arc::new(TimestampMicrosecondArray::new(ScalarBuffer::from(v), nulls))
            }
            Buffer::Int64(v) => Arc::new(Int64Array::new(ScalarBuffer::from(v), nulls)),
            Buffer::Float32(v) => Arc::new(Float32Array::new(ScalarBuffer::from(v), nulls)),
            Buffer::Float64(v) => Arc::new(Float64Array::new(ScalarBuffer::from(v), nulls)),
            Buffer::String(v) => match nulls {
                None => Arc::new(v),
                Some(nulls) if nulls.len() == v.len() => {
                    let (offsets, bytes, _) = v.into_parts();
                    Arc::new(StringArray::new(offsets, bytes, Some(nulls)))
                }
                Some(nulls) => new_null_array(&DType::String.arrow(), nulls.len()),
            },
        }
    }
}

/// Keeps the values at these ascending positions, counted from `origin`.
pub fn keep<T: Copy>(values: &mut Vec<T>, positions: &[u32], origin: u32) {
    // Ascending positions never lie before the place that is written.
    for (to, from) in positions.iter().enumerate() {
        values[to] = values[(*from - origin) as usize];
    }
    values.truncate(positions.len());
}

fn keep_strings(strings: &StringArray, positions: &[u32], origin: u32) -> StringArray {
    let positions: Vec<u32> = positions.iter().map(|p| p - origin).collect();
    take_strings(strings, &positions)
}

/// The strings at these positions.
pub fn take_strings(strings: &StringArray, positions: &[u32]) -> StringArray {
    let at = |i: &u32| strings.is_valid(*i as usize).then(|| strings.value(*i as usize));
    positions.iter().map(at).collect()
}

/// A block of values that may be missing.
#[derive(Clone, Debug)]
pub struct Register {
    /// The values.
    pub values: Buffer,
    /// Whether `validity` counts; else all values are there.
    pub nullable: bool,
    /// `true` where the value is not missing.
    pub validity: Vec<bool>,
}

impl Register {
    /// An empty register for values of this type.
    pub fn new(dtype: DType) -> Register {
        Register { values: Buffer::new(dtype), nullable: false, validity: Vec::new() }
    }

    /// The block, to be read.
    pub fn arg(&self) -> Arg<'_> {
        Arg { values: self.values.values(), validity: self.validity() }
    }

    /// Which values are there.
    pub fn validity(&self) -> Validity<'_> {
        self.nullable.then_some(&self.validity[..])
    }

    /// Makes room for `len` values, all there.
    pub fn reset(&mut self, len: usize) {
        self.values.resize(len);
        self.nullable = false;
    }

    /// The validity, `len` long, to be written; all `true` at first.
    pub fn validity_mut(&mut self, len: usize) -> &mut [bool] {
        self.nullable = true;
        self.validity.clear();
        self.validity.resize(len, true);
        &mut self.validity
    }

    /// Missing wherever one of the arguments is.
    pub fn propagate(&mut self, arguments: &[Arg], len: usize) {
        if arguments.iter().all(|a| a.validity.is_none()) {
            self.nullable = false;
            return;
        }
        let out = self.validity_mut(len);
        for validity in arguments.iter().filter_map(|a| a.validity) {
            match validity {
                [all] if len != 1 => out.iter_mut().for_each(|o| *o &= *all),
                each => out.iter_mut().zip(each).for_each(|(o, v)| *o &= *v),
            }
        }
    }

    /// Keeps the rows at these ascending positions, counted from `origin`.
    pub fn keep(&mut self, positions: &[u32], origin: u32) {
        self.values.keep(positions, origin);
        if self.nullable {
            keep(&mut self.validity, positions, origin);
        }
    }

    /// Bytes of memory in use.
    pub fn bytes(&self) -> usize {
        self.values.bytes() + self.validity.capacity()
    }
}
