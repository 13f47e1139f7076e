//! `var(x)`, `var(x, ddof)`
use super::{Accumulator, Reduction, spread};
use crate::exact::Spread;
use base::{DType, Entry, Value};

/// The entry of the table.
pub(super) struct Var;

impl Entry for Var {
    fn name(&self) -> &'static str {
        "var"
    }

    fn doc(&self) -> &'static str {
        "The variance, rounded once.

(n Σx² - (Σx)²) / (n (n - ddof)), with ddof 0 unless given; ddof 1 gives the unbiased estimate.
float32 gives float32, other numbers float64. Missing values are skipped; the variance of nothing
is missing, that of ddof values or fewer is NaN, as with a NaN or infinity among the values.
Both sums are exact (the products of Dekker 1971 without rounding error), the quotient is a
rational number, and only that is rounded: no cancellation, whatever the mean."
    }
}

impl Reduction for Var {
    fn signature(&self) -> &'static str {
        "var(x, ddof)"
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
        spread::accumulator(&Var, Spread::Variance, column, constants)
    }
}
