//! File formats, one folder each, behind one contract: open, read tiles, write tiles.

mod contract;
mod options;

pub use contract::{
    Arrangement, Format, FormatError, FormatErrorKind, OpenRequest, Sink, TileSource, TileWriter,
    WriteRequest, Written,
};
pub use options::{OptionKey, OptionValue, Options};
