//! Writing: check the schema and choose a way → define the file → put values in place.
//!
//! | way | when | who writes |
//! |---|---|---|
//! | placed | nothing is compressed | all workers, each at the bytes of its tiles |
//! | chunked | `deflate`, `zstd` | all workers compress, each behind what is there; the index is written last |
//! | by the library | texts, rows of unknown number, tiles that no chunks fit | one |

mod by_library;
mod chunk_end;
mod chunk_index;
mod chunk_log;
mod chunked;
mod define;
mod encode;
mod layout;
mod placed;
mod references;
mod sink;

pub(crate) use chunk_log::is_staged_name;
pub(super) use encode::{FILL_BYTE, FILL_DOUBLE, FILL_FLOAT, FILL_INT, FILL_INT64};
pub(super) use layout::compresses;
pub(super) use sink::sink;
