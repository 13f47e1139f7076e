//! Ranks: what a column's values are compared by.
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::DataType;
use base::Failure;
use std::cmp::Ordering;

/// The values of one column of one tile, ready to be compared with those of others.
pub enum Ranks {
    /// The smaller comes first. The high half is 0 for numbers, 1 for NaN, 2 for missing.
    Words(Vec<u128>),
    /// Texts, by their bytes.
    Texts(StringArray),
}

const NAN: u128 = 1 << 64;
const MISSING: u128 = 2 << 64;
const SIGN: u64 = 1 << 63;

impl Ranks {
    /// The ranks of a column. NaN comes after all numbers and missing after NaN, descending too.
    ///
    /// # Errors
    /// If the column has no order.
    pub fn new(array: &ArrayRef, descending: bool) -> Result<Ranks, Failure> {
        let flip = if descending { u64::MAX } else { 0 };
        let int = |x: i64| u128::from((x as u64 ^ SIGN) ^ flip);
        let float = |x: f64| {
            if x.is_nan() {
                return NAN;
            }
            // Adding 0.0 makes the zeros equal.
            let bits = (x + 0.0).to_bits();
            let rising = if bits & SIGN == 0 { bits | SIGN } else { !bits };
            u128::from(rising ^ flip)
        };
        let words: Vec<u128> = match array.data_type() {
            DataType::Boolean => {
                array.as_boolean().values().iter().map(|b| int(b.into())).collect()
            }
            DataType::Int32 => array
                .as_primitive::<Int32Type>()
                .values()
                .iter()
                .map(|x| int((*x).into()))
                .collect(),
            DataType::Int64 => {
                array.as_primitive::<Int64Type>().values().iter().map(|x| int(*x)).collect()
            }
            DataType::Timestamp(_, _) => {
                let times = array.as_primitive::<TimestampMicrosecondType>().values();
                times.iter().map(|x| int(*x)).collect()
            }
            DataType::Float32 => {
                let floats = array.as_primitive::<Float32Type>().values();
                floats.iter().map(|x| float((*x).into())).collect()
            }
            DataType::Float64 => {
                array.as_primitive::<Float64Type>().values().iter().map(|x| float(*x)).collect()
            }
            DataType::Utf8 => return Ok(Ranks::Texts(array.as_string().clone())),
            other => return Err(Failure::internal(format!("{other} has no order"))),
        };
        Ok(Ranks::Words(match array.nulls() {
            None => words,
            Some(nulls) => {
                let one = |(word, valid)| if valid { word } else { MISSING };
                words.into_iter().zip(nulls.iter()).map(one).collect()
            }
        }))
    }

    /// Compares a row of these with a row of others of the same column.
    pub fn compare(&self, row: usize, other: &Ranks, row2: usize, descending: bool) -> Ordering {
        match (self, other) {
            (Ranks::Words(a), Ranks::Words(b)) => a[row].cmp(&b[row2]),
            (Ranks::Texts(a), Ranks::Texts(b)) => match (a.is_null(row), b.is_null(row2)) {
                (false, false) if descending => b.value(row2).cmp(a.value(row)),
                (false, false) => a.value(row).cmp(b.value(row2)),
                (a, b) => a.cmp(&b),
            },
            _ => Ordering::Equal,
        }
    }
}
