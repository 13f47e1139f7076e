//! Arrow arrays as blocks of values, and back.
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array,
    TimestampMicrosecondArray, make_array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use base::{DType, Failure};
use expr::{Validity, Values};
use std::sync::Arc;

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

/// The first `len` values of a block as an array of this type.
///
/// # Errors
/// Never, for values of that type.
pub fn array(
    dtype: DType,
    (values, validity): (Values, Validity),
    len: usize,
) -> Result<ArrayRef, Failure> {
    let all: ArrayRef = match values {
        Values::Bool(v) => Arc::new(BooleanArray::from(v[..len].to_vec())),
        Values::Int32(v) => Arc::new(Int32Array::from(v[..len].to_vec())),
        Values::Int64(v) if dtype == DType::Timestamp => {
            Arc::new(TimestampMicrosecondArray::from(v[..len].to_vec()))
        }
        Values::Int64(v) => Arc::new(Int64Array::from(v[..len].to_vec())),
        Values::Float32(v) => Arc::new(Float32Array::from(v[..len].to_vec())),
        Values::Float64(v) => Arc::new(Float64Array::from(v[..len].to_vec())),
        Values::String(v) => Arc::new(v.slice(0, len)),
    };
    let Some(valid) = validity.map(|valid| &valid[..len]).filter(|valid| valid.contains(&false))
    else {
        return Ok(all);
    };
    let nulls = NullBuffer::from(valid.to_vec());
    let data = all.to_data().into_builder().nulls(Some(nulls)).build();
    data.map(make_array).map_err(|e| Failure::internal(e.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::StringArray;

    #[test]
    fn arrays_come_back() {
        let arrays: [(DType, ArrayRef); 7] = [
            (DType::Bool, Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
            (DType::Int32, Arc::new(Int32Array::from(vec![1, 2, 3]))),
            (DType::Int64, Arc::new(Int64Array::from(vec![None, Some(2), Some(3)]))),
            (
                DType::Timestamp,
                Arc::new(TimestampMicrosecondArray::from(vec![Some(4), None, None])),
            ),
            (DType::Float32, Arc::new(Float32Array::from(vec![Some(0.5), None, Some(-0.0)]))),
            (DType::Float64, Arc::new(Float64Array::from(vec![1.5, f64::INFINITY, 0.1]))),
            (DType::String, Arc::new(StringArray::from(vec![Some("a"), None, Some("ccc")]))),
        ];
        for (dtype, given) in arrays {
            let mut scratch = Scratch::default();
            let view = scratch.view(&given).unwrap();
            assert_eq!(&array(dtype, view, 3).unwrap(), &given);
            let mut scratch = Scratch::default();
            let view = scratch.view(&given).unwrap();
            assert_eq!(&array(dtype, view, 2).unwrap(), &given.slice(0, 2));
        }
    }
}
