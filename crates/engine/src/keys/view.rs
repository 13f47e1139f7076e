//! Arrow arrays as blocks of values.
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use base::Failure;
use expr::{Validity, Values};

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
