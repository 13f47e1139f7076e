//! Reading: choose variables → lay out the domain → find the bytes → decode.
//!
//! All is read with plain file reads, and decoded in the caller's thread, without the NetCDF library.

mod agree;
mod choose;
mod chunks;
mod decode;
mod follow;
mod many;
mod met;
mod source;
mod storage;
mod times;
mod unkept;

pub(super) use source::open;
pub(super) use times::Times;

/// The values of a box of a variable, as the file has them.
#[cfg(test)]
pub(super) fn values(
    file: &std::fs::File,
    header: &super::file::NcFile,
    variable: &super::header::RawVariable,
    origin: &[u64],
    shape: &[usize],
) -> Result<arrow_buffer::MutableBuffer, String> {
    let input = file.try_clone().and_then(crate::input::Input::of).map_err(|e| e.to_string())?;
    storage::Storage::find(header, variable)?
        .read(&input, &storage::Wanted { variable, origin, shape })
}
