//! `quantile(x, q)`
use super::per_group::{Fold, PerGroup};
use super::rows::Rows;
use super::types::{self, INTEGERS_AND_FLOATS};
use super::{Accumulator, Reduction};
use crate::Values;
use crate::exact::Bytes;
use arrow_array::{ArrayRef, Float64Array};
use base::{DType, Entry, Failure, Value};
use std::sync::Arc;

/// The entry of the table.
pub(super) struct Quantile;

impl Entry for Quantile {
    fn name(&self) -> &'static str {
        "quantile"
    }

    fn doc(&self) -> &'static str {
        "The value below which a share q of the values lies.

q is a constant from 0 to 1; x is a number and the result float64 (int64 beyond 2^53 is rounded).
Between two values it is interpolated linearly at (n - 1) q, as by NumPy's `quantile`. Missing
values are skipped; the quantile of nothing is missing, and any NaN gives NaN.
Memory: all values are kept until the end, 8 bytes each."
    }
}

impl Reduction for Quantile {
    fn signature(&self) -> &'static str {
        "quantile(x, q)"
    }

    fn result(&self, column: Option<DType>, constants: &[Value]) -> Result<DType, String> {
        types::needs(self.signature(), INTEGERS_AND_FLOATS, column)?;
        match constants {
            [q] if q.as_f64().is_some_and(|q| (0.0..=1.0).contains(&q)) => Ok(DType::Float64),
            [q] => Err(format!("q in `quantile(x, q)` must be a number from 0 to 1, not {q}")),
            other => Err(format!("`quantile(x, q)` takes 2 arguments, not {}", 1 + other.len())),
        }
    }

    fn nullable(&self, column_nullable: bool) -> bool {
        column_nullable
    }

    fn needs_index(&self) -> bool {
        false
    }

    fn accumulator(&self, _column: Option<DType>, constants: &[Value]) -> Box<dyn Accumulator> {
        let q = constants.first().and_then(Value::as_f64).unwrap_or(0.5);
        accumulator(&Quantile, q)
    }
}

/// A fresh accumulator of this quantile.
pub(super) fn accumulator(entry: &'static dyn Reduction, q: f64) -> Box<dyn Accumulator> {
    PerGroup::boxed(entry, AllValues { q })
}

struct AllValues {
    q: f64,
}

impl Fold for AllValues {
    type State = Vec<f64>;

    fn update(&self, states: &mut [Vec<f64>], values: Option<Values>, rows: Rows) {
        match values {
            Some(Values::Int32(v)) => rows.each(|g, row| states[g].push(f64::from(v[row]))),
            Some(Values::Int64(v)) => rows.each(|g, row| states[g].push(v[row] as f64)),
            Some(Values::Float32(v)) => rows.each(|g, row| states[g].push(f64::from(v[row]))),
            Some(Values::Float64(v)) => rows.each(|g, row| states[g].push(v[row])),
            _ => {}
        }
    }

    fn write(&self, state: &Vec<f64>, out: &mut Vec<u8>) {
        state.iter().for_each(|x| out.extend(x.to_le_bytes()));
    }

    fn merge(&self, state: &mut Vec<f64>, bytes: &mut Bytes) -> Option<()> {
        state.reserve(bytes.0.len() / 8);
        while !bytes.is_empty() {
            state.push(bytes.f64()?);
        }
        Some(())
    }

    fn finish(&self, states: &mut [Vec<f64>]) -> Result<ArrayRef, Failure> {
        let results = states.iter_mut().map(|values| quantile(values, self.q));
        Ok(Arc::new(results.collect::<Float64Array>()))
    }

    fn heap(&self, state: &Vec<f64>) -> usize {
        state.capacity() * 8
    }
}

/// The quantile of the values, whose order changes; `None` if there are none.
fn quantile(values: &mut [f64], q: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    if values.iter().any(|x| x.is_nan()) {
        return Some(f64::NAN);
    }
    let position = last as f64 * q;
    let below = (position as usize).min(last);
    let share = position - below as f64;
    let (_, low, above) = values.select_nth_unstable_by(below, f64::total_cmp);
    let (low, high) = (*low, above.iter().copied().min_by(f64::total_cmp));
    match high {
        Some(high) if share > 0.0 && high != low => Some(between(low, high, share)),
        _ => Some(low),
    }
}

/// NumPy's interpolation: from the nearer end, so that it never passes the other.
fn between(low: f64, high: f64, share: f64) -> f64 {
    let distance = high - low;
    let x = if share < 0.5 { low + distance * share } else { high - distance * (1.0 - share) };
    if x.is_nan() { f64::NAN } else { x }
}
