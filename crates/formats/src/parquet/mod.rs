//! Parquet: read files and directories of parts, write a directory of parts.

mod dictionary;
mod inputs;
mod pages;
mod part;
mod prune;
mod sink;
mod source;
#[cfg(test)]
mod tests;

pub(crate) use sink::is_part_name;

use crate::rows::check_known;
use crate::{Format, FormatError, OpenRequest, OptionKey, Options, Sink, TileSource, WriteRequest};
use base::Entry;
use std::sync::Arc;

/// The entry of the table of formats.
pub static PARQUET: Parquet = Parquet;

/// Apache Parquet.
pub struct Parquet;

const ROW_GROUPS: OptionKey = OptionKey {
    name: "row_groups",
    doc: "The row groups to read, counted from 0 over all files; all of them without it.",
};

const COMPRESSION: OptionKey = OptionKey {
    name: "compression",
    doc: "How pages are compressed: zstd (the default), snappy, lz4 or none.",
};

const BLOOM: OptionKey = OptionKey {
    name: "bloom",
    doc: "Columns that get a bloom filter in each row group, by which readers that look for a \
          single value pass over the others.",
};

impl Entry for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn doc(&self) -> &'static str {
        "Tables in columns, compressed, read by every data tool.\n\
         An input is a file, several files, or a directory of parts `*.parquet`, whose rows follow \
         each other in the order of their names; folders in it are not read, which is told. Page \
         checksums are verified where a file has them. Types that no column can hold (lists, \
         structs, maps, bytes, times of day, durations) are left out, which is told too. int8, \
         int16, uint8 and uint16 are read as int32, which they become in arithmetic (NumPy would \
         wrap around), uint32 and uint64 as int64 (a value above is an error), float16 as float32, \
         decimals as float64, dates and times of any unit as timestamps in microseconds of UTC, \
         and written back as such; what is lost is told. An output is always a directory, whatever its \
         name ends with: `part-00000.parquet` and so on, numbered by tile and never by worker, and \
         an empty `_SUCCESS` that is written last. Units and other attributes stand in the Arrow \
         metadata of each column."
    }
}

impl Format for Parquet {
    fn extensions(&self) -> &'static [&'static str] {
        &["parquet", "pq"]
    }

    fn read_options(&self) -> &'static [OptionKey] {
        &[ROW_GROUPS]
    }

    fn reads_each(&self, options: &Options) -> bool {
        options.get(ROW_GROUPS.name).is_none()
    }

    fn write_options(&self) -> &'static [OptionKey] {
        &[BLOOM, COMPRESSION]
    }

    fn writes_parts(&self) -> bool {
        true
    }

    fn open(&self, request: &OpenRequest) -> Result<Arc<dyn TileSource>, FormatError> {
        check_known(&request.options, self.read_options())?;
        Ok(Arc::new(source::ParquetSource::open(request)?))
    }

    fn sink(&self, request: WriteRequest) -> Result<Arc<dyn Sink>, FormatError> {
        check_known(&request.options, self.write_options())?;
        Ok(Arc::new(sink::ParquetSink::new(request)?))
    }
}
