//! NetCDF: read variables of files, write one file from all workers of all processes.
//!
//! Files are read without the NetCDF library, which damaged files kill or hang: [`file`] reads
//! headers, [`read`] fetches bytes and chunks where they lie. The library defines what is written;
//! [`write`] puts values where it has made room for them, or chunks that the workers have compressed.

mod classic;
mod codec;
mod create;
mod deflate;
mod file;
mod filters;
mod hdf5;
mod header;
mod library;
mod lzf;
mod nc4;
mod read;
mod shuffle;
mod slab;
mod stored;
#[cfg(test)]
mod tests;
mod write;
mod zstd_filter;

pub(crate) use write::is_staged_name;

use crate::rows::check_known;
use crate::{Format, FormatError, OpenRequest, OptionKey, Options, Sink, TileSource, WriteRequest};
use base::Entry;
use std::sync::Arc;

const BROADCAST: OptionKey = OptionKey {
    name: "broadcast",
    doc: "true: every variable that is no coordinate is written along all dimensions, its values \
          repeated; without it, along those that it varies along.",
};

/// The entry of the table of formats.
pub static NETCDF: NetCdf = NetCdf;

/// NetCDF: reads all its forms, writes NetCDF-4.
pub struct NetCdf;

const GROUP: OptionKey = OptionKey {
    name: "group",
    doc: "The path of the group to read, such as `forecast/surface`; the root without it.",
};

const ALONG: OptionKey = OptionKey {
    name: "along",
    doc: "The dimension along which several files follow each other; without it, the only one in \
          which their sizes or coordinates differ. What does not vary along it is read from the \
          first file.",
};

const DECODE_TIMES: OptionKey = OptionKey {
    name: "decode_times",
    doc: "true: numbers with units such as `days since 2000-01-01` become timestamps (CF 1.11, \
          §4.4, of the standard and the proleptic Gregorian calendar), as xarray decodes them, and \
          their bounds with them. Dates of the standard calendar before 1582-10-15 are refused: \
          they are Julian ones.",
};

const DEFLATE: OptionKey = OptionKey {
    name: "deflate",
    doc: "How hard to compress, 1 (fast) to 9 (small), bytes shuffled first; without it, or with \
          0, values lie uncompressed, which all workers of all processes write at once.",
};

const ZSTD: OptionKey = OptionKey {
    name: "zstd",
    doc: "How hard to compress with Zstandard, 1 to 22 (3 is usual), bytes shuffled first: several \
          times faster than `deflate`. Other programs need HDF5's filter 32015 to read it, which \
          the Python package netCDF4 and the plugins of netCDF-C 4.9 have; for exchange take \
          `deflate`.",
};

impl Entry for NetCdf {
    fn name(&self) -> &'static str {
        "netcdf"
    }

    fn doc(&self) -> &'static str {
        "Arrays on a grid with units and coordinates.\n\
         An input is a file of any NetCDF form; its variables are columns over the union of \
         their dimensions, with their coordinates. Several files follow each other along a \
         dimension, in the order of its coordinate, and may not overlap; variables are found by \
         their names. Packed values (`scale_factor`, `add_offset`) are decoded. Missing values \
         are fill values, what was never written (NetCDF's own fill value, unless the file says \
         that nothing is filled), and what is outside of `valid_range`, `valid_min` or \
         `valid_max`, as netCDF4-python reads them. Times stay numbers with their `units` unless \
         `decode_times: true` is said. Letters (`char`) are joined to texts along their last \
         dimension, unless it is one of other variables too. \
         Variables that only bound the cells of others are read when asked for by name. \
         An output is NetCDF-4; a variable that may have missing values gets a `_FillValue`, \
         a truth value is a byte. Timestamps are counted in the units that the input or \
         `attributes:` give them, else in seconds since 1970. Rows whose number \
         is not known before the run lie along an unlimited dimension `row`."
    }
}

impl Format for NetCdf {
    fn extensions(&self) -> &'static [&'static str] {
        &["nc", "nc4", "cdf"]
    }

    fn read_options(&self) -> &'static [OptionKey] {
        &[GROUP, ALONG, DECODE_TIMES]
    }

    fn write_options(&self) -> &'static [OptionKey] {
        &[BROADCAST, DEFLATE, ZSTD]
    }

    fn writes_chunks(&self, options: &Options) -> bool {
        write::compresses(options)
    }

    fn open(&self, request: &OpenRequest) -> Result<Arc<dyn TileSource>, FormatError> {
        check_known(&request.options, self.read_options())?;
        read::open(request)
    }

    fn sink(&self, request: WriteRequest) -> Result<Arc<dyn Sink>, FormatError> {
        check_known(&request.options, self.write_options())?;
        write::sink(request)
    }
}
