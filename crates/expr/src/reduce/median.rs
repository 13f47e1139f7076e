//! `median(x)`
use super::types::{self, INTEGERS_AND_FLOATS};
use super::{Accumulator, Reduction, quantile};
use base::{DType, Entry, Value};

/// The entry of the table.
pub(super) struct Median;

impl Entry for Median {
    fn name(&self) -> &'static str {
        "median"
    }

    fn doc(&self) -> &'static str {
        "The middle value, or the middle of the two middle values: `quantile(x, 0.5)`.

x is a number and the result float64. Missing values are skipped; the median of nothing is
missing, and any NaN gives NaN. Memory: all values are kept until the end, 8 bytes each."
    }
}

impl Reduction for Median {
    fn signature(&self) -> &'static str {
        "median(x)"
    }

    fn result(&self, column: Option<DType>, constants: &[Value]) -> Result<DType, String> {
        types::column(self.signature(), INTEGERS_AND_FLOATS, column, constants)?;
        Ok(DType::Float64)
    }

    fn nullable(&self, column_nullable: bool) -> bool {
        column_nullable
    }

    fn needs_index(&self) -> bool {
        false
    }

    fn accumulator(&self, _column: Option<DType>, _constants: &[Value]) -> Box<dyn Accumulator> {
        quantile::accumulator(&Median, 0.5)
    }
}
