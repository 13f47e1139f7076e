//! `argmin(x)`
use super::types::{self, ANY};
use super::{Accumulator, Reduction, place};
use base::{DType, Entry, Value};

/// The entry of the table.
pub(super) struct ArgMin;

impl Entry for ArgMin {
    fn name(&self) -> &'static str {
        "argmin"
    }

    fn doc(&self) -> &'static str {
        "The index of the least value.

The int64 index in the domain, row-major from 0; of several equal values the lowest index. x has
any type. Missing values are skipped; of nothing it is missing. As in NumPy a NaN is taken for the
least; -0.0 is below 0.0."
    }
}

impl Reduction for ArgMin {
    fn signature(&self) -> &'static str {
        "argmin(x)"
    }

    fn result(&self, column: Option<DType>, constants: &[Value]) -> Result<DType, String> {
        types::column(self.signature(), ANY, column, constants)?;
        Ok(DType::Int64)
    }

    fn nullable(&self, column_nullable: bool) -> bool {
        column_nullable
    }

    fn needs_index(&self) -> bool {
        true
    }

    fn accumulator(&self, column: Option<DType>, _constants: &[Value]) -> Box<dyn Accumulator> {
        place::accumulator::<false>(&ArgMin, column)
    }
}
