//! `any(x)`
use super::types::{self, NUMBERS};
use super::{Accumulator, Reduction, truth};
use base::{DType, Entry, Value};

/// The entry of the table.
pub(super) struct Any;

impl Entry for Any {
    fn name(&self) -> &'static str {
        "any"
    }

    fn doc(&self) -> &'static str {
        "Whether any value is true.

x is bool or a number, of which all but 0 are true, NaN too. Missing values are skipped; of nothing
it is false."
    }
}

impl Reduction for Any {
    fn signature(&self) -> &'static str {
        "any(x)"
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
        truth::accumulator::<false>(&Any)
    }
}
