//! Numbers of every type as integers of the same order.
use crate::Values;
use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array,
    TimestampMicrosecondArray,
};
use base::DType;
use std::sync::Arc;

/// The rank of NaN: below those of all other floats.
pub(super) const NAN: i64 = i64::MIN;

/// An integer that orders floats as numbers, -0.0 before 0.0, and [`NAN`] for every NaN.
#[inline(always)]
pub(super) fn of_float(x: f64) -> i64 {
    let bits = x.to_bits() as i64;
    if x.is_nan() { NAN } else { flip(bits) }
}

#[inline(always)]
fn flip(bits: i64) -> i64 {
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

fn to_float(rank: i64) -> f64 {
    if rank == NAN { f64::NAN } else { f64::from_bits(flip(rank) as u64) }
}

/// The column of type `dtype` whose ranks these are; `None` is missing.
pub(super) fn column<const DESCENDING: bool>(
    dtype: DType,
    ranks: impl Iterator<Item = Option<i64>>,
) -> ArrayRef {
    let float = |rank: i64| {
        let x = to_float(rank);
        if DESCENDING && rank != NAN { -x } else { x }
    };
    let integer = |rank: i64| if DESCENDING { !rank } else { rank };
    match dtype {
        DType::Bool => {
            Arc::new(ranks.map(|r| r.map(|r| integer(r) != 0)).collect::<BooleanArray>())
        }
        DType::Int32 => {
            Arc::new(ranks.map(|r| r.map(|r| integer(r) as i32)).collect::<Int32Array>())
        }
        DType::Float32 => {
            Arc::new(ranks.map(|r| r.map(|r| float(r) as f32)).collect::<Float32Array>())
        }
        DType::Float64 => Arc::new(ranks.map(|r| r.map(float)).collect::<Float64Array>()),
        DType::Timestamp => {
            Arc::new(ranks.map(|r| r.map(integer)).collect::<TimestampMicrosecondArray>())
        }
        _ => Arc::new(ranks.map(|r| r.map(integer)).collect::<Int64Array>()),
    }
}

/// A loop over values that is compiled for each type of them.
pub(super) trait Ranked {
    /// Runs with the rank of each row.
    fn run(self, rank: impl Fn(usize) -> i64);
}

/// Calls `body` with the ranks of `values`, which hold `len` numbers; text has none.
/// Descending ranks fall where values rise, but NaN is always lowest.
#[inline(always)]
pub(super) fn ranked<const DESCENDING: bool>(values: Values, len: usize, body: impl Ranked) {
    let float = |x: f64| of_float(if DESCENDING { -x } else { x });
    let integer = |x: i64| if DESCENDING { !x } else { x };
    match values {
        Values::Bool(v) => {
            let v = &v[..len];
            body.run(|row| integer(i64::from(v[row])));
        }
        Values::Int32(v) => {
            let v = &v[..len];
            body.run(|row| integer(i64::from(v[row])));
        }
        Values::Int64(v) => {
            let v = &v[..len];
            body.run(|row| integer(v[row]));
        }
        Values::Float32(v) => {
            let v = &v[..len];
            body.run(|row| float(f64::from(v[row])));
        }
        Values::Float64(v) => {
            let v = &v[..len];
            body.run(|row| float(v[row]));
        }
        Values::String(_) => {}
    }
}
