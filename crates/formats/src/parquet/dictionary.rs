//! Where a dictionary does not pay: columns nearly all of whose values differ.
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType};
use arrow_schema::{DataType, TimeUnit};
use std::collections::HashSet;
use std::hash::Hash;

/// So many values are looked at, in runs of neighbours that are evenly spread.
const SAMPLE: usize = 1 << 14;
const RUN: usize = 1 << 4;

/// Whether a dictionary may pay. It is given up when it has 2^17 values of 8 bytes; of so many,
/// about one in 16 of a sample would be there twice.
pub(super) fn pays(array: &ArrayRef) -> bool {
    let (len, runs) = (array.len(), SAMPLE / RUN);
    let run = |r: usize| match len <= SAMPLE {
        true => r * RUN..len.min((r + 1) * RUN),
        false => len / runs * r..len / runs * r + RUN,
    };
    let at = (0..runs).flat_map(run).filter(|i| array.is_valid(*i));
    let (seen, different) = match array.data_type() {
        DataType::Int32 => primitive::<Int32Type, _>(array, at, |v| v),
        DataType::Int64 => primitive::<Int64Type, _>(array, at, |v| v),
        DataType::Float32 => primitive::<Float32Type, _>(array, at, f32::to_bits),
        DataType::Float64 => primitive::<Float64Type, _>(array, at, f64::to_bits),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            primitive::<TimestampMicrosecondType, _>(array, at, |v| v)
        }
        DataType::Utf8 => {
            let values = array.as_string::<i32>();
            count(at.map(|i| values.value(i)))
        }
        _ => return true,
    };
    different * 33 <= seen * 32
}

fn primitive<T: ArrowPrimitiveType, K: Hash + Eq>(
    array: &ArrayRef,
    at: impl Iterator<Item = usize>,
    key: impl Fn(T::Native) -> K,
) -> (usize, usize) {
    let values = array.as_primitive::<T>().values();
    count(at.map(|i| key(values[i])))
}

/// How many there are, and how many different ones.
fn count<K: Hash + Eq>(values: impl Iterator<Item = K>) -> (usize, usize) {
    let mut different = HashSet::with_capacity(SAMPLE);
    let mut seen = 0;
    for value in values {
        seen += 1;
        different.insert(value);
    }
    (seen, different.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{Float64Array, Int64Array, StringArray};
    use std::sync::Arc;

    #[test]
    fn few_values_pay_and_many_do_not() {
        let n = 1 << 20;
        // Spread as random numbers are.
        let mixed = |i: i64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64) >> 20 & i64::MAX;
        let ints = |f: &dyn Fn(i64) -> i64| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values((0..n).map(f)))
        };
        assert!(pays(&ints(&|i| i % 1000)));
        assert!(pays(&ints(&|i| i / 64)));
        assert!(pays(&ints(&|i| mixed(i) % 100_000)));
        assert!(!pays(&ints(&|i| i)));
        assert!(!pays(&ints(&|i| mixed(i) % 10_000_000)));
        let floats: ArrayRef = Arc::new(Float64Array::from_iter_values((0..n).map(|i| i as f64)));
        assert!(!pays(&floats));
        let text: ArrayRef = Arc::new(StringArray::from_iter_values(["a", "b", "a"]));
        assert!(pays(&text));
    }
}
