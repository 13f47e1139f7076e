//! Hashes of keys: the same in every process, whatever the machine.
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use base::Failure;

/// The bits that stand for a float as a key: one for all NaNs, one for both zeros.
#[inline(always)]
pub fn float_key(x: f64) -> u64 {
    if x.is_nan() {
        f64::NAN.to_bits()
    } else {
        // Adding 0.0 turns -0.0 into 0.0 and leaves all else alone.
        (x + 0.0).to_bits()
    }
}

/// Mixes a word so that each bit of it moves all bits of the result (the finaliser of MurmurHash3).
#[inline(always)]
pub fn word(x: u64) -> u64 {
    let x = (x ^ x >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let x = (x ^ x >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    x ^ x >> 33
}

/// The hash of some bytes.
pub fn bytes(text: &[u8]) -> u64 {
    let mut hash = word(text.len() as u64);
    let mut chunks = text.chunks_exact(8);
    for chunk in &mut chunks {
        let mut eight = [0; 8];
        eight.copy_from_slice(chunk);
        hash = word(hash.rotate_left(5) ^ u64::from_le_bytes(eight));
    }
    let mut last = [0; 8];
    last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    word(hash.rotate_left(5) ^ u64::from_le_bytes(last))
}

/// Where every hash begins.
const SEED: u64 = 0x2545_f491_4f6c_dd1d;

/// What a missing key hashes to.
const MISSING: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash of each row of some key columns of equal length.
///
/// # Errors
/// If a column has a type that no key has.
pub fn rows(columns: &[ArrayRef], rows: usize) -> Result<Vec<u64>, Failure> {
    let mut hashes = vec![SEED; rows];
    for array in columns {
        match array.data_type() {
            DataType::Boolean => {
                let values = array.as_boolean();
                mix(&mut hashes, array, |i| word(u64::from(values.value(i))));
            }
            DataType::Int32 => {
                let values = array.as_primitive::<Int32Type>().values();
                mix(&mut hashes, array, |i| word(i64::from(values[i]) as u64));
            }
            DataType::Int64 => {
                let values = array.as_primitive::<Int64Type>().values();
                mix(&mut hashes, array, |i| word(values[i] as u64));
            }
            DataType::Timestamp(_, _) => {
                let values = array.as_primitive::<TimestampMicrosecondType>().values();
                mix(&mut hashes, array, |i| word(values[i] as u64));
            }
            DataType::Float32 => {
                let values = array.as_primitive::<Float32Type>().values();
                mix(&mut hashes, array, |i| word(float_key(f64::from(values[i]))));
            }
            DataType::Float64 => {
                let values = array.as_primitive::<Float64Type>().values();
                mix(&mut hashes, array, |i| word(float_key(values[i])));
            }
            DataType::Utf8 => {
                let values = array.as_string::<i32>();
                mix(&mut hashes, array, |i| bytes(values.value(i).as_bytes()));
            }
            other => return Err(Failure::internal(format!("{other} cannot be a key"))),
        }
    }
    Ok(hashes)
}

fn mix(hashes: &mut [u64], array: &ArrayRef, value: impl Fn(usize) -> u64) {
    for (i, hash) in hashes.iter_mut().enumerate() {
        let next = if array.is_null(i) { MISSING } else { value(i) };
        *hash = word(hash.rotate_left(5) ^ next);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::{Float64Array, StringArray};
    use std::sync::Arc;

    #[test]
    fn equal_keys_hash_alike() {
        let floats = Float64Array::from(vec![Some(0.0), Some(-0.0), Some(f64::NAN), None]);
        let other = Float64Array::from(vec![f64::from_bits(0x7ff8_0000_0000_0007)]);
        let a = rows(&[Arc::new(floats)], 4).unwrap();
        let b = rows(&[Arc::new(other)], 1).unwrap();
        assert_eq!(a[0], a[1]);
        assert_eq!(a[2], b[0]);
        assert_ne!(a[0], a[3]);
    }

    #[test]
    fn texts_and_columns_differ() {
        let text: ArrayRef = Arc::new(StringArray::from(vec!["", "\0", "abcdefgh", "abcdefgh\0"]));
        let one = rows(std::slice::from_ref(&text), 4).unwrap();
        let mut all = one.clone();
        all.extend(rows(&[text.clone(), text], 4).unwrap());
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 8);
    }

    #[test]
    fn the_hash_never_changes() {
        assert_eq!(word(1), 0xb456_bcfc_34c2_cb2c);
    }
}
