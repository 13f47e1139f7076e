//! `Partition`: rows into parts by their keys. A part is a tile, whoever makes it.
//!
//! `Deal` tells the part of each row and sends it to the worker that has that part; `Parts` puts
//! parts together. Ranges with about as many rows each begin at keys of a sample, which `Sample`
//! takes: the rows whose indices have the smallest hashes, so many that it does not matter, and the
//! same however the rows are cut and spread.
//!
//! | file | what it has |
//! |---|---|
//! | `sample` | `Sample`, and the rows with the smallest hashes |
//! | `deal` | `Deal` |
//! | `parts` | `Parts` |
mod deal;
mod parts;
mod sample;

pub use deal::Deal;
pub use parts::Parts;
pub use sample::Sample;

/// The number of tiles that are samples, or say how many rows each part has.
const ASIDE: u64 = u64::MAX;
