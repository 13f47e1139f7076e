//! File formats, one folder each, behind one contract: open, read tiles, write tiles.

mod contract;
mod csv;
mod durable;
mod ended;
mod image;
mod input;
mod ipc;
mod memo;
pub mod netcdf;
mod options;
pub mod own;
mod parquet;
mod recognise;
mod rename;
mod rows;
#[cfg(test)]
mod sample;
mod stage;
mod summed;
mod survivors;
mod table;
mod uploaded;

pub use contract::{
    Ahead, Arrangement, FilePlace, Format, FormatError, FormatErrorKind, NotRead, OpenRequest,
    Piece, Sink, TileSource, TileWriter, Unkept, Unread, WriteRequest, Written,
};
pub use csv::Guess;
pub use memo::Memo;
pub use options::{OptionKey, OptionValue, Options};
pub use recognise::{Known, Replace, refusal, remove_staged};
pub use rows::panic_is_guarded;
pub use stage::put;
pub use survivors::{Ask, Comparison, RowTest, Survivors};
pub use table::{FORMATS, format_for_path, format_named};
pub use uploaded::{Uploaded, staging};
