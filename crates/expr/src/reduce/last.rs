//! `last(x)`
use super::types::{self, ANY};
use super::{Accumulator, Reduction, end};
use base::{DType, Entry, Value};

/// The entry of the table.
pub(super) struct Last;

impl Entry for Last {
    fn name(&self) -> &'static str {
        "last"
    }

    fn doc(&self) -> &'static str {
        "The last value that is not missing.

The value at the highest index in the domain. x has any type, and the result has the same. Of nothing
it is missing."
    }
}

impl Reduction for Last {
    fn signature(&self) -> &'static str {
        "last(x)"
    }

    fn result(&self, column: Option<DType>, constants: &[Value]) -> Result<DType, String> {
        types::column(self.signature(), ANY, column, constants)
    }

    fn nullable(&self, column_nullable: bool) -> bool {
        column_nullable
    }

    fn needs_index(&self) -> bool {
        true
    }

    fn accumulator(&self, column: Option<DType>, _constants: &[Value]) -> Box<dyn Accumulator> {
        end::accumulator::<true>(&Last, column)
    }
}
