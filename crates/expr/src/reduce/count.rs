//! `count()`, `count(x)`
use super::per_group::{Fold, PerGroup};
use super::rows::Rows;
use super::spread::present;
use super::types::{self, ANY};
use super::{Accumulator, Reduction, Total};
use crate::Values;
use crate::exact::Bytes;
use arrow_array::{ArrayRef, Int64Array};
use base::{DType, Entry, Failure, Value};
use std::sync::Arc;

/// The entry of the table.
pub(super) struct Count;

impl Entry for Count {
    fn name(&self) -> &'static str {
        "count"
    }

    fn doc(&self) -> &'static str {
        "How many rows there are, or how many values of x are not missing.

`count()` counts rows, `count(x)` values of any type; NaN is a value. The result is int64."
    }
}

impl Reduction for Count {
    fn signature(&self) -> &'static str {
        "count(x)"
    }

    fn result(&self, column: Option<DType>, constants: &[Value]) -> Result<DType, String> {
        if column.is_some() || !constants.is_empty() {
            types::column(self.signature(), ANY, column, constants)?;
        }
        Ok(DType::Int64)
    }

    fn nullable(&self, _column_nullable: bool) -> bool {
        false
    }

    fn needs_index(&self) -> bool {
        false
    }

    fn total(&self, column: Option<DType>) -> Option<Total> {
        Some(if column.is_some() { Total::Count } else { Total::Rows })
    }

    fn accumulator(&self, _column: Option<DType>, _constants: &[Value]) -> Box<dyn Accumulator> {
        PerGroup::boxed(&Count, Counts)
    }
}

struct Counts;

impl Fold for Counts {
    type State = u64;

    fn update(&self, states: &mut [u64], values: Option<Values>, rows: Rows) {
        let validity = if values.is_some() { rows.validity } else { None };
        present(states, Rows { validity, ..rows }, |n| n);
    }

    fn write(&self, state: &u64, out: &mut Vec<u8>) {
        out.extend(state.to_le_bytes());
    }

    fn merge(&self, state: &mut u64, bytes: &mut Bytes) -> Option<()> {
        *state = state.checked_add(bytes.u64()?)?;
        Some(())
    }

    fn finish(&self, states: &mut [u64]) -> Result<ArrayRef, Failure> {
        Ok(Arc::new(Int64Array::from_iter_values(states.iter().map(|n| *n as i64))))
    }
}
