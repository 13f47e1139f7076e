//! What `var` and `std` share: exact sums of values and of squares.
use super::per_group::{Fold, PerGroup};
use super::rows::Rows;
use super::sum::{add_floats, add_integers};
use super::types::{self, NUMBERS};
use super::{Accumulator, Reduction};
use crate::exact::{Bytes, ExactSum, Precision, Spread, integer_spread};
use crate::{Groups, Values};
use arrow_array::{ArrayRef, Float32Array, Float64Array};
use base::{DType, Failure, Value};
use std::sync::Arc;

/// The type of the result; the constant is `ddof`, 0 or more.
pub(super) fn result(
    signature: &str,
    column: Option<DType>,
    constants: &[Value],
) -> Result<DType, String> {
    let column = types::needs(signature, NUMBERS, column)?;
    match constants {
        [] => Ok(types::float_of(column)),
        [value] if value.as_i64().is_some_and(|ddof| ddof >= 0) => Ok(types::float_of(column)),
        [value] => Err(format!("ddof in `{signature}` must be an integer from 0 on, not {value}")),
        more => Err(format!("`{signature}` takes at most 2 arguments, not {}", 1 + more.len())),
    }
}

/// A fresh accumulator.
pub(super) fn accumulator(
    entry: &'static dyn Reduction,
    spread: Spread,
    column: Option<DType>,
    constants: &[Value],
) -> Box<dyn Accumulator> {
    let ddof = constants.first().and_then(Value::as_i64).unwrap_or(0).max(0) as u64;
    let precision = match column {
        Some(DType::Float32) => Precision::Single,
        Some(DType::Float64) => Precision::Double,
        _ => return PerGroup::boxed(entry, Integers { spread, ddof }),
    };
    PerGroup::boxed(entry, Floats { spread, ddof, precision })
}

/// Counts the rows that are not missing.
#[inline(always)]
pub(super) fn present<S>(states: &mut [S], rows: Rows, n: impl Fn(&mut S) -> &mut u64) {
    match rows.groups {
        Groups::One(group) => *n(&mut states[group as usize]) += rows.present() as u64,
        Groups::Each(_) => rows.each(|group, _| *n(&mut states[group]) += 1),
    }
}

/// A column of this precision.
pub(super) fn floats(precision: Precision, values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    match precision {
        Precision::Single => {
            Arc::new(values.map(|x| x.map(|x| x as f32)).collect::<Float32Array>())
        }
        Precision::Double => Arc::new(values.collect::<Float64Array>()),
    }
}

struct Floats {
    spread: Spread,
    ddof: u64,
    precision: Precision,
}

/// Number of values, their sum, the sum of their squares.
#[derive(Default)]
struct FloatSums {
    n: u64,
    sum: ExactSum,
    squares: ExactSum,
}

impl Fold for Floats {
    type State = FloatSums;

    fn update(&self, states: &mut [FloatSums], values: Option<Values>, rows: Rows) {
        present(states, rows, |state| &mut state.n);
        add_floats(states, values, rows, |state| &mut state.sum);
        match (values, rows.groups) {
            (Some(Values::Float64(v)), Groups::One(group)) => {
                let squares = &mut states[group as usize].squares;
                rows.slices(v, 0.0, |block| squares.add_squares(block));
            }
            (Some(Values::Float64(v)), Groups::Each(_)) => {
                let v = &v[..rows.len];
                rows.each(|group, row| states[group].squares.add_square(v[row]));
            }
            (Some(Values::Float32(v)), Groups::One(group)) => {
                let squares = &mut states[group as usize].squares;
                rows.slices(v, 0.0, |block| squares.add_squares(block));
            }
            (Some(Values::Float32(v)), Groups::Each(_)) => {
                let v = &v[..rows.len];
                rows.each(|group, row| {
                    // The square of a float32 is a float64 exactly.
                    let x = f64::from(v[row]);
                    states[group].squares.add(x * x);
                });
            }
            _ => {}
        }
    }

    fn write(&self, state: &FloatSums, out: &mut Vec<u8>) {
        out.extend(state.n.to_le_bytes());
        state.sum.write(out);
        state.squares.write(out);
    }

    fn merge(&self, state: &mut FloatSums, bytes: &mut Bytes) -> Option<()> {
        state.n = state.n.checked_add(bytes.u64()?)?;
        state.sum.merge_written(bytes)?;
        state.squares.merge_written(bytes)?;
        Some(())
    }

    fn finish(&self, states: &mut [FloatSums]) -> Result<ArrayRef, Failure> {
        let Floats { spread, ddof, precision } = *self;
        let result = |FloatSums { n, sum, squares }: &FloatSums| {
            (*n > 0).then(|| sum.spread(squares, *n, ddof, spread, precision))
        };
        Ok(floats(precision, states.iter().map(result)))
    }

    fn heap(&self, state: &FloatSums) -> usize {
        state.sum.heap() + state.squares.heap()
    }
}

struct Integers {
    spread: Spread,
    ddof: u64,
}

/// Number of values, their sum, and the sum of their squares modulo 2^128 with its carries.
#[derive(Default)]
struct IntegerSums {
    n: u64,
    sum: i128,
    squares: u128,
    carries: u64,
}

impl IntegerSums {
    fn add_squares(&mut self, more: u128) {
        let (squares, carry) = self.squares.overflowing_add(more);
        self.squares = squares;
        self.carries += u64::from(carry);
    }
}

impl Fold for Integers {
    type State = IntegerSums;

    fn update(&self, states: &mut [IntegerSums], values: Option<Values>, rows: Rows) {
        add_integers(states, values, rows, |state, x| {
            state.n += 1;
            state.sum += i128::from(x);
            state.add_squares(u128::from(x.unsigned_abs()) * u128::from(x.unsigned_abs()));
        });
    }

    fn write(&self, state: &IntegerSums, out: &mut Vec<u8>) {
        out.extend(state.n.to_le_bytes());
        out.extend(state.sum.to_le_bytes());
        out.extend(state.squares.to_le_bytes());
        out.extend(state.carries.to_le_bytes());
    }

    fn merge(&self, state: &mut IntegerSums, bytes: &mut Bytes) -> Option<()> {
        state.n = state.n.checked_add(bytes.u64()?)?;
        state.sum = state.sum.checked_add(i128::from_le_bytes(bytes.array()?))?;
        state.add_squares(u128::from_le_bytes(bytes.array()?));
        state.carries = state.carries.checked_add(bytes.u64()?)?;
        Some(())
    }

    fn finish(&self, states: &mut [IntegerSums]) -> Result<ArrayRef, Failure> {
        let result = |s: &IntegerSums| {
            (s.n > 0)
                .then(|| integer_spread(s.sum, s.squares, s.carries, s.n, self.ddof, self.spread))
        };
        Ok(floats(Precision::Double, states.iter().map(result)))
    }
}
