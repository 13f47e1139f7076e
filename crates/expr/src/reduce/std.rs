//! `std(x)`, `std(x, ddof)`
use super::{Accumulator, Reduction, spread};
use crate::exact::Spread;
use base::{DType, Entry, Value};

/// The entry of the table.
pub(super) struct Std;

impl Entry for Std {
    fn name(&self) -> &'static str {
        "std"
    }

    fn doc(&self) -> &'static str {
        "The standard deviation, rounded once.

The square root of the variance (n Σx² - (Σx)²) / (n (n - ddof)), with ddof 0 unless given.
float32 gives float32, other numbers float64. Missing values are skipped; the deviation of nothing
is missing, that of ddof values or fewer is NaN, as with a NaN or infinity among the values.
Both sums are exact, and the root of the exact quotient is rounded once."
    }
}

impl Reduction for Std {
    fn signature(&self) -> &'static str {
        "std(x, ddof)"
    }

    fn result(&self, column: Option<DType>, constants: &[Value]) -> Result<DType, String> {
        spread::result(self.signature(), column, constants)
    }

    fn nullable(&self, column_nullable: bool) -> bool {
        column_nullable
    }

    fn needs_index(&self) -> bool {
        false
    }

    fn accumulator(&self, column: Option<DType>, constants: &[Value]) -> Box<dyn Accumulator> {
        spread::accumulator(&Std, Spread::Deviation, column, constants)
    }
}
