//! `dot(x, y)`
use super::per_group::{Fold, PerGroup};
use super::rows::Rows;
use super::sum::Exact;
use super::types::{self, NUMBERS};
use super::{Accumulator, Reduction};
use crate::exact::{Bytes, ExactSum};
use crate::{Groups, Values};
use arrow_array::{ArrayRef, Int64Array};
use base::{DType, Entry, Failure, Value};
use std::sync::Arc;

/// The entry of the table.
pub(super) struct Dot;

impl Entry for Dot {
    fn name(&self) -> &'static str {
        "dot"
    }

    fn doc(&self) -> &'static str {
        "The exact dot product of two columns, Σ x y, rounded once.

Both columns are taken as the type in which they meet. bool, int32 and int64 give int64, and an
error if the result does not fit; float32 gives float32; float64 gives float64. A row in which
either is missing is skipped; the product of nothing is 0. Products of floats are never rounded
(Dekker 1971), nor is their sum, so that neither cancellation nor a product too large or too small
for a float64 shows: only the result is rounded, to nearest, ties to even, the same bits for any
order, tiling and number of workers. Any NaN, 0 times an infinity, or both infinities, give NaN."
    }
}

impl Reduction for Dot {
    fn signature(&self) -> &'static str {
        "dot(x, y)"
    }

    fn columns(&self) -> usize {
        2
    }

    fn result(&self, column: Option<DType>, constants: &[Value]) -> Result<DType, String> {
        let column = types::needs(self.signature(), NUMBERS, column)?;
        if !constants.is_empty() {
            return Err(format!("`{}` takes two columns and no more", self.signature()));
        }
        Ok(if column.is_float() { column } else { DType::Int64 })
    }

    fn nullable(&self, _column_nullable: bool) -> bool {
        false
    }

    fn needs_index(&self) -> bool {
        false
    }

    fn accumulator(&self, column: Option<DType>, _constants: &[Value]) -> Box<dyn Accumulator> {
        match column {
            Some(DType::Float32) => PerGroup::boxed(&Dot, Exact { single: true, add: products }),
            Some(DType::Float64) => PerGroup::boxed(&Dot, Exact { single: false, add: products }),
            _ => PerGroup::boxed(&Dot, Integers),
        }
    }
}

fn products(states: &mut [ExactSum], values: Option<Values>, rows: Rows) {
    match (values, rows.others, rows.groups) {
        (Some(Values::Float64(x)), [Values::Float64(y)], Groups::One(group)) => {
            let sum = &mut states[group as usize];
            rows.pairs(x, y, 0.0, |x, y| sum.add_products(x, y));
        }
        (Some(Values::Float32(x)), [Values::Float32(y)], Groups::One(group)) => {
            let sum = &mut states[group as usize];
            rows.pairs(x, y, 0.0, |x, y| sum.add_products(x, y));
        }
        (Some(Values::Float64(x)), [Values::Float64(y)], Groups::Each(_)) => {
            rows.each(|group, row| states[group].add_product(x[row], y[row]));
        }
        (Some(Values::Float32(x)), [Values::Float32(y)], Groups::Each(_)) => {
            rows.each(|group, row| states[group].add(f64::from(x[row]) * f64::from(y[row])));
        }
        _ => {}
    }
}

/// 2^64 `high` + `low`: products have 127 bits, so that neither part overflows.
#[derive(Clone, Copy, Default)]
struct Halves {
    high: i128,
    low: i128,
}

impl Halves {
    #[inline(always)]
    fn add(&mut self, x: i64, y: i64) {
        let product = i128::from(x) * i128::from(y);
        self.high += product >> 64;
        self.low += product & i128::from(u64::MAX);
    }

    /// The sum, if int64 holds it.
    fn total(self) -> Option<i64> {
        let high = self.high + (self.low >> 64);
        let whole = (high << 64) | (self.low & i128::from(u64::MAX));
        i64::try_from(whole).ok().filter(|_| (-1..=0).contains(&high))
    }
}

struct Integers;

impl Fold for Integers {
    type State = Halves;

    fn update(&self, states: &mut [Halves], values: Option<Values>, rows: Rows) {
        match (values, rows.others) {
            (Some(Values::Bool(x)), [Values::Bool(y)]) => {
                rows.each(|g, row| states[g].add(i64::from(x[row]), i64::from(y[row])));
            }
            (Some(Values::Int32(x)), [Values::Int32(y)]) => {
                rows.each(|g, row| states[g].add(i64::from(x[row]), i64::from(y[row])));
            }
            (Some(Values::Int64(x)), [Values::Int64(y)]) => {
                rows.each(|g, row| states[g].add(x[row], y[row]));
            }
            _ => {}
        }
    }

    fn write(&self, state: &Halves, out: &mut Vec<u8>) {
        out.extend(state.high.to_le_bytes());
        out.extend(state.low.to_le_bytes());
    }

    fn merge(&self, state: &mut Halves, bytes: &mut Bytes) -> Option<()> {
        state.high = state.high.checked_add(i128::from_le_bytes(bytes.array()?))?;
        state.low = state.low.checked_add(i128::from_le_bytes(bytes.array()?))?;
        Some(())
    }

    fn finish(&self, states: &mut [Halves]) -> Result<ArrayRef, Failure> {
        let sums: Option<Vec<i64>> = states.iter().map(|sum| sum.total()).collect();
        let large = || Failure::data("dot of int64 exceeds int64; use dot(float64(x), y)");
        Ok(Arc::new(Int64Array::from(sums.ok_or_else(large)?)))
    }
}
