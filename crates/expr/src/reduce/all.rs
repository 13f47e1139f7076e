//! `all(x)`
use super::types::{self, NUMBERS};
use super::{Accumulator, Reduction, truth};
use base::{DType, Entry, Value};

/// The entry of the table.
pub(super) struct All;

impl Entry for All {
    fn name(&self) -> &'static str {
        "all"
    }

    fn doc(&self) -> &'static str {
        "Whether all values are true.

x is bool or a number, of which all but 0 are true, NaN too. Missing values are skipped; of nothing
it is true."
    }
}

impl Reduction for All {
    fn signature(&self) -> &'static str {
        "all(x)"
    }

    fn result(&self, column: Option<DType>, constants: &[Value]) -> Result<DType, String> {
        types::column(self.signature(), NUMBERS, column, constants)?;
        Ok(DType::Bool)
    }

    fn nullable(&self, _column_nullable: bool) -> bool {
        false
    }

    fn needs_index(&self) -> bool {
        false
    }

    fn accumulator(&self, _column: Option<DType>, _constants: &[Value]) -> Box<dyn Accumulator> {
        truth::accumulator::<true>(&All)
    }
}
