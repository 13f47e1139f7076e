//! Values of pixels, from the bytes that decoders give to columns.
use arrow_array::{ArrayRef, Float32Array, Int32Array};
use base::DType;
use std::sync::Arc;

/// How a value stands in decoded rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sample {
    /// A byte.
    Byte,
    /// Two bytes, the high one first.
    Word,
    /// Two bytes as the processor has them.
    NativeWord,
    /// Four bytes as the processor has them, an IEEE number.
    Float,
}

impl Sample {
    /// Its bytes.
    pub(super) fn width(self) -> usize {
        match self {
            Sample::Byte => 1,
            Sample::Word | Sample::NativeWord => 2,
            Sample::Float => 4,
        }
    }

    /// The type of a column of such values.
    pub(super) fn dtype(self) -> DType {
        if self == Sample::Float { DType::Float32 } else { DType::Int32 }
    }
}

/// Values of a box, as they come row by row.
pub(super) enum Values {
    /// Whole numbers.
    Int(Vec<i32>),
    /// Floats.
    Float(Vec<f32>),
}

impl Values {
    /// None yet, with room for so many.
    pub(super) fn new(sample: Sample, room: usize) -> Values {
        match sample {
            Sample::Float => Values::Float(Vec::with_capacity(room)),
            _ => Values::Int(Vec::with_capacity(room)),
        }
    }

    /// Adds the values of bytes that lie behind each other.
    pub(super) fn add(&mut self, sample: Sample, bytes: &[u8]) {
        match (self, sample) {
            (Values::Int(to), Sample::Byte) => to.extend(bytes.iter().map(|b| i32::from(*b))),
            (Values::Int(to), Sample::Word) => {
                to.extend(words(bytes).map(|w| i32::from(u16::from_be_bytes(w))));
            }
            (Values::Int(to), _) => {
                to.extend(words(bytes).map(|w| i32::from(u16::from_ne_bytes(w))));
            }
            (Values::Float(to), _) => {
                let (fours, _) = bytes.as_chunks::<4>();
                to.extend(fours.iter().map(|four| f32::from_ne_bytes(*four)));
            }
        }
    }

    /// The column.
    pub(super) fn array(self) -> ArrayRef {
        match self {
            Values::Int(values) => Arc::new(Int32Array::from(values)),
            Values::Float(values) => Arc::new(Float32Array::from(values)),
        }
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = [u8; 2]> {
    bytes.as_chunks::<2>().0.iter().copied()
}
