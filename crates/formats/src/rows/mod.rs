//! What the formats of rows share: Arrow fields and types, options, columns of a region.

mod batch;
mod cast;
mod fields;
mod guard;
mod options;

pub(crate) use batch::{columns_of, owned_slice, point_bytes, row_batch, row_schema};
pub(crate) use cast::cast;
pub(crate) use fields::{arrow_schema, choose, file_attributes, metadata};
pub(crate) use guard::guarded;
pub(crate) use options::{bad_option, check_known, flag, integers, text, texts};
