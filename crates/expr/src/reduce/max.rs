//! `max(x)`
use super::types::{self, ANY};
use super::{Accumulator, Reduction, extreme};
use base::{DType, Entry, Value};

/// The entry of the table.
pub(super) struct Max;

impl Entry for Max {
    fn name(&self) -> &'static str {
        "max"
    }

    fn doc(&self) -> &'static str {
        "The greatest value.

x has any type, and the result has the same. Missing values are skipped; of nothing it is missing.
Any NaN gives NaN, as in NumPy; -0.0 is below 0.0; text is compared by code points, and false is
below true."
    }
}

impl Reduction for Max {
    fn signature(&self) -> &'static str {
        "max(x)"
    }

    fn result(&self, column: Option<DType>, constants: &[Value]) -> Result<DType, String> {
        types::column(self.signature(), ANY, column, constants)
    }

    fn nullable(&self, column_nullable: bool) -> bool {
        column_nullable
    }

    fn needs_index(&self) -> bool {
        false
    }

    fn accumulator(&self, column: Option<DType>, _constants: &[Value]) -> Box<dyn Accumulator> {
        extreme::accumulator::<true>(&Max, column)
    }
}
