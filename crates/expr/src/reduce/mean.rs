//! `mean(x)`
use super::per_group::{Fold, PerGroup};
use super::rows::Rows;
use super::spread::{floats, present};
use super::sum::{add_floats, sum_integers};
use super::types::{self, NUMBERS};
use super::{Accumulator, Reduction, Total};
use crate::Values;
use crate::exact::{Bytes, ExactSum, Precision, integer_mean};
use arrow_array::ArrayRef;
use base::{DType, Entry, Failure, Value};

/// The entry of the table.
pub(super) struct Mean;

impl Entry for Mean {
    fn name(&self) -> &'static str {
        "mean"
    }

    fn doc(&self) -> &'static str {
        "The arithmetic mean, rounded once.

float32 gives float32, other numbers float64. Missing values are skipped; the mean of nothing is
missing. The exact sum is divided by the number of values as a rational number, and that is
rounded to nearest, ties to even: the mean of 1e308 and 1e308 is 1e308. NaN gives NaN."
    }
}

impl Reduction for Mean {
    fn signature(&self) -> &'static str {
        "mean(x)"
    }

    fn result(&self, column: Option<DType>, constants: &[Value]) -> Result<DType, String> {
        types::column(self.signature(), NUMBERS, column, constants).map(types::float_of)
    }

    fn nullable(&self, column_nullable: bool) -> bool {
        column_nullable
    }

    fn needs_index(&self) -> bool {
        false
    }

    fn total(&self, _column: Option<DType>) -> Option<Total> {
        Some(Total::Mean)
    }

    fn accumulator(&self, column: Option<DType>, _constants: &[Value]) -> Box<dyn Accumulator> {
        match column {
            Some(DType::Float32) => PerGroup::boxed(&Mean, Floats(Precision::Single)),
            Some(DType::Float64) => PerGroup::boxed(&Mean, Floats(Precision::Double)),
            _ => PerGroup::boxed(&Mean, Integers),
        }
    }
}

struct Floats(Precision);

impl Fold for Floats {
    type State = (ExactSum, u64);

    fn update(&self, states: &mut [(ExactSum, u64)], values: Option<Values>, rows: Rows) {
        present(states, rows, |state| &mut state.1);
        add_floats(states, values, rows, |state| &mut state.0);
    }

    fn write(&self, (sum, n): &(ExactSum, u64), out: &mut Vec<u8>) {
        out.extend(n.to_le_bytes());
        sum.write(out);
    }

    fn merge(&self, (sum, n): &mut (ExactSum, u64), bytes: &mut Bytes) -> Option<()> {
        *n = n.checked_add(bytes.u64()?)?;
        sum.merge_written(bytes)?;
        Some(())
    }

    fn finish(&self, states: &mut [(ExactSum, u64)]) -> Result<ArrayRef, Failure> {
        let mean = |(sum, n): &(ExactSum, u64)| (*n > 0).then(|| sum.divided(*n, self.0));
        Ok(floats(self.0, states.iter().map(mean)))
    }

    fn heap(&self, state: &(ExactSum, u64)) -> usize {
        state.0.heap()
    }
}

struct Integers;

impl Fold for Integers {
    type State = (i128, u64);

    fn update(&self, states: &mut [(i128, u64)], values: Option<Values>, rows: Rows) {
        present(states, rows, |state| &mut state.1);
        sum_integers(states, values, rows, |state| &mut state.0);
    }

    fn write(&self, (sum, n): &(i128, u64), out: &mut Vec<u8>) {
        out.extend(n.to_le_bytes());
        out.extend(sum.to_le_bytes());
    }

    fn merge(&self, (sum, n): &mut (i128, u64), bytes: &mut Bytes) -> Option<()> {
        *n = n.checked_add(bytes.u64()?)?;
        *sum = sum.checked_add(i128::from_le_bytes(bytes.array()?))?;
        Some(())
    }

    fn finish(&self, states: &mut [(i128, u64)]) -> Result<ArrayRef, Failure> {
        let mean = |(sum, n): &(i128, u64)| (*n > 0).then(|| integer_mean(*sum, *n));
        Ok(floats(Precision::Double, states.iter().map(mean)))
    }
}
