//! `first(x)`
use super::types::{self, ANY};
use super::{Accumulator, Reduction, end};
use base::{DType, Entry, Value};

/// The entry of the table.
pub(super) struct First;

impl Entry for First {
    fn name(&self) -> &'static str {
        "first"
    }

    fn doc(&self) -> &'static str {
        "The first value that is not missing.

The value at the lowest index in the domain. x has any type, and the result has the same. Of nothing
it is missing."
    }
}

impl Reduction for First {
    fn signature(&self) -> &'static str {
        "first(x)"
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
        end::accumulator::<false>(&First, column)
    }
}
