//! Arrow IPC files: read their batches, write one file.

mod blank;
mod bounds;
mod content;
mod decoded;
mod file;
mod growing;
mod sink;
mod source;
#[cfg(test)]
mod tests;

use crate::rows::check_known;
use crate::{Format, FormatError, OpenRequest, OptionKey, Sink, TileSource, WriteRequest};
use base::Entry;
use std::sync::Arc;

/// The entry of the table of formats.
pub static ARROW: ArrowIpc = ArrowIpc;

/// The file format of Apache Arrow.
pub struct ArrowIpc;

const COMPRESSION: OptionKey = OptionKey {
    name: "compression",
    doc: "How columns are compressed: none (the default), lz4 or zstd.",
};

impl Entry for ArrowIpc {
    fn name(&self) -> &'static str {
        "arrow"
    }

    fn doc(&self) -> &'static str {
        "Tables as Arrow holds them in memory (Arrow IPC file, Feather version 2).\n\
         An input is one or several files, whose rows follow each other; types are read, and told \
         of, as in Parquet. A compressed batch is decompressed once, and must fit into the memory \
         of a thread. An output is one file \
         with a batch per tile. Units and other attributes stand in the metadata of each column."
    }
}

impl Format for ArrowIpc {
    fn extensions(&self) -> &'static [&'static str] {
        &["arrow", "feather", "ipc"]
    }

    fn read_options(&self) -> &'static [OptionKey] {
        &[]
    }

    fn write_options(&self) -> &'static [OptionKey] {
        &[COMPRESSION]
    }

    fn open(&self, request: &OpenRequest) -> Result<Arc<dyn TileSource>, FormatError> {
        check_known(&request.options, self.read_options())?;
        Ok(Arc::new(source::ArrowSource::open(request)?))
    }

    fn sink(&self, request: WriteRequest) -> Result<Arc<dyn Sink>, FormatError> {
        check_known(&request.options, self.write_options())?;
        Ok(Arc::new(sink::ArrowSink::new(request)?))
    }
}
