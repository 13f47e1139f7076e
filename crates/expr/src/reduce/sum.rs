//! `sum(x)`
use super::per_group::{Fold, PerGroup};
use super::rows::Rows;
use super::types::{self, NUMBERS};
use super::{Accumulator, Reduction, Total};
use crate::exact::{Bytes, ExactSum};
use crate::isa::{self, Loop};
use crate::{Groups, Values};
use arrow_array::{ArrayRef, Float32Array, Float64Array, Int64Array};
use base::{DType, Entry, Failure, Value};
use std::sync::Arc;

/// The entry of the table.
pub(super) struct Sum;

impl Entry for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn doc(&self) -> &'static str {
        "The exact sum, rounded once.

bool, int32 and int64 give int64, and an error if the sum does not fit; float32 gives float32;
float64 gives float64. Missing values are skipped; the sum of nothing is 0.
Floats are added without any rounding (error-free transformations, Shewchuk 1997, backed by a
superaccumulator, Neal 2015), so the result is the true sum rounded to nearest, ties to even:
the same bits for any order, tiling and number of workers. Any NaN, or both infinities, give NaN;
a result of zero is 0.0, never -0.0."
    }
}

impl Reduction for Sum {
    fn signature(&self) -> &'static str {
        "sum(x)"
    }

    fn result(&self, column: Option<DType>, constants: &[Value]) -> Result<DType, String> {
        let column = types::column(self.signature(), NUMBERS, column, constants)?;
        Ok(if column.is_float() { column } else { DType::Int64 })
    }

    fn nullable(&self, _column_nullable: bool) -> bool {
        false
    }

    fn needs_index(&self) -> bool {
        false
    }

    fn total(&self, _column: Option<DType>) -> Option<Total> {
        Some(Total::Sum)
    }

    fn accumulator(&self, column: Option<DType>, _constants: &[Value]) -> Box<dyn Accumulator> {
        match column {
            Some(DType::Float32) => PerGroup::boxed(&Sum, Exact { single: true, add: terms }),
            Some(DType::Float64) => PerGroup::boxed(&Sum, Exact { single: false, add: terms }),
            _ => PerGroup::boxed(&Sum, Integers),
        }
    }
}

/// Adds floats to exact sums, those of one group in vector lanes.
pub(super) fn add_floats<S>(
    states: &mut [S],
    values: Option<Values>,
    rows: Rows,
    sum: impl Fn(&mut S) -> &mut ExactSum,
) {
    match (values, rows.groups) {
        (Some(Values::Float64(v)), Groups::One(g)) => {
            let sum = sum(&mut states[g as usize]);
            rows.slices(v, 0.0, |block| sum.add_all(block));
        }
        (Some(Values::Float32(v)), Groups::One(g)) => {
            let sum = sum(&mut states[g as usize]);
            rows.slices(v, 0.0, |block| sum.add_all(block));
        }
        (Some(Values::Float64(v)), ..) => {
            let v = &v[..rows.len];
            rows.each(|group, row| sum(&mut states[group]).add(v[row]));
        }
        (Some(Values::Float32(v)), ..) => {
            let v = &v[..rows.len];
            rows.each(|group, row| sum(&mut states[group]).add(f64::from(v[row])));
        }
        _ => {}
    }
}

/// Adds integers and bools to sums, those of one group in vectors.
pub(super) fn sum_integers<S>(
    states: &mut [S],
    values: Option<Values>,
    rows: Rows,
    sum: impl Fn(&mut S) -> &mut i128,
) {
    let Groups::One(group) = rows.groups else {
        return add_integers(states, values, rows, |state, x| *sum(state) += i128::from(x));
    };
    let sum = sum(&mut states[group as usize]);
    match values {
        Some(Values::Bool(v)) => rows.slices(v, false, |block| *sum += isa::run(Add(block))),
        Some(Values::Int32(v)) => rows.slices(v, 0, |block| *sum += isa::run(Add(block))),
        Some(Values::Int64(v)) => rows.slices(v, 0, |block| *sum += isa::run(Add(block))),
        _ => {}
    }
}

/// The sum of a block.
struct Add<'a, T>(&'a [T]);

impl<T: Copy + Into<i64>> Loop for Add<'_, T> {
    type Output = i128;

    #[inline(always)]
    fn run(self) -> i128 {
        let mut total = 0;
        // Halves of so few values do not overflow.
        for block in self.0.chunks(1 << 30) {
            let (mut low, mut high) = (0i64, 0i64);
            for x in block {
                let x: i64 = (*x).into();
                low += x & 0xffff_ffff;
                high += x >> 32;
            }
            total += (i128::from(high) << 32) + i128::from(low);
        }
        total
    }
}

/// Calls `add(state, value)` for each integer or bool that is not missing.
#[inline(always)]
pub(super) fn add_integers<S>(
    states: &mut [S],
    values: Option<Values>,
    rows: Rows,
    add: impl Fn(&mut S, i64),
) {
    match values {
        Some(Values::Bool(v)) => {
            let v = &v[..rows.len];
            rows.each(|group, row| add(&mut states[group], i64::from(v[row])));
        }
        Some(Values::Int32(v)) => {
            let v = &v[..rows.len];
            rows.each(|group, row| add(&mut states[group], i64::from(v[row])));
        }
        Some(Values::Int64(v)) => {
            let v = &v[..rows.len];
            rows.each(|group, row| add(&mut states[group], v[row]));
        }
        _ => {}
    }
}

/// Exact sums, each rounded once, to float32 if `single`.
pub(super) struct Exact {
    pub single: bool,
    /// Adds a block of rows to the sums of their groups.
    pub add: fn(&mut [ExactSum], Option<Values>, Rows),
}

fn terms(states: &mut [ExactSum], values: Option<Values>, rows: Rows) {
    add_floats(states, values, rows, |state| state);
}

impl Fold for Exact {
    type State = ExactSum;

    fn update(&self, states: &mut [ExactSum], values: Option<Values>, rows: Rows) {
        (self.add)(states, values, rows);
    }

    fn write(&self, state: &ExactSum, out: &mut Vec<u8>) {
        state.write(out);
    }

    fn merge(&self, state: &mut ExactSum, bytes: &mut Bytes) -> Option<()> {
        state.merge_written(bytes)?;
        Some(())
    }

    fn finish(&self, states: &mut [ExactSum]) -> Result<ArrayRef, Failure> {
        let sums = states.iter();
        Ok(match self.single {
            true => Arc::new(Float32Array::from_iter_values(sums.map(|sum| sum.to_f32()))),
            false => Arc::new(Float64Array::from_iter_values(sums.map(|sum| sum.to_f64()))),
        })
    }

    fn heap(&self, state: &ExactSum) -> usize {
        state.heap()
    }
}

struct Integers;

impl Fold for Integers {
    type State = i128;

    fn update(&self, states: &mut [i128], values: Option<Values>, rows: Rows) {
        sum_integers(states, values, rows, |sum| sum);
    }

    fn write(&self, state: &i128, out: &mut Vec<u8>) {
        out.extend(state.to_le_bytes());
    }

    fn merge(&self, state: &mut i128, bytes: &mut Bytes) -> Option<()> {
        *state = state.checked_add(i128::from_le_bytes(bytes.array()?))?;
        Some(())
    }

    fn finish(&self, states: &mut [i128]) -> Result<ArrayRef, Failure> {
        let sums: Result<Vec<i64>, _> = states.iter().map(|sum| i64::try_from(*sum)).collect();
        Ok(Arc::new(Int64Array::from(sums.map_err(|_| too_large())?)))
    }
}

/// What is said of a sum that int64 cannot hold.
pub(super) fn too_large() -> Failure {
    Failure::data("sum of int64 exceeds int64; use sum(float64(x))")
}
