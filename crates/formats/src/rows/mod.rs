//! What the formats of rows share: Arrow fields and types, options, columns of a region.

mod agree;
mod batch;
mod cast;
mod edges;
mod fault;
mod fields;
mod guard;
mod kinds;
mod losses;
mod map;
mod options;

pub(crate) use agree::{FileColumns, in_file, losses, stored_otherwise, together, unread_of_all};
pub(crate) use batch::{columns_of, owned_slice, point_bytes, row_batch, row_schema};
pub(crate) use cast::cast;
pub(crate) use edges::{cuts, cuts_by_file, edges, file_places, pieces};
pub(crate) use fields::{arrow_schema, choose, file_attributes, metadata};
pub(crate) use guard::guarded;
pub use guard::panic_is_guarded;
pub(crate) use losses::Losses;
pub(crate) use map::{map, map_file, release, whole};
pub(crate) use options::{bad_option, check_known, flag, integers, text, texts, types};
