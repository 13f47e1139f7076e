//! Writing: check the schema and choose a way → define the file → put values in place.
//!
//! | way | when | who writes |
//! |---|---|---|
//! | placed | nothing is compressed | all workers, each at the bytes of its tiles |
//! | chunked | `deflate`, `zstd` | all workers compress, one puts the chunks in place |
//! | by the library | texts, rows of unknown number, tiles that no chunks fit | one |

mod by_library;
mod chunk_log;
mod chunked;
mod define;
mod encode;
mod layout;
mod placed;
mod salvage;
mod sink;

pub(super) use layout::compresses;
pub(super) use sink::sink;
