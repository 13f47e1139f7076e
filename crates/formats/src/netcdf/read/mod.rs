//! Reading: choose variables → lay out the domain → find the bytes → decode.
//!
//! Contiguous variables and chunks with shuffle, deflate and Zstandard are read with plain file reads and
//! decoded in the caller's thread. All else goes through the NetCDF library, under its lock.

mod agree;
mod choose;
mod chunks;
mod classic;
mod decode;
mod follow;
mod many;
mod met;
mod source;
mod storage;
mod times;

pub(super) use source::open;
pub(super) use times::Times;
