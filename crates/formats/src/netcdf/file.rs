//! An open NetCDF file of any form, and what it holds.
use super::classic::Classic;
use super::header::{Group, NamedAttributes, RawVariable};
use super::nc4::Nc4;
use super::nc4::index::ChunkPlace;
use crate::input::Input;
use std::fs::File;

/// Bytes of an object that are fetched when it is opened: those of most headers.
const HEAD: u64 = 256 << 10;

/// An open file, whose header has been read.
#[derive(Debug)]
pub(super) enum NcFile {
    Classic(Classic),
    Nc4(Nc4),
}

impl NcFile {
    /// Reads the header of a local file.
    ///
    /// # Errors
    /// As [`NcFile::of`].
    pub(super) fn open(file: &File) -> Result<NcFile, String> {
        let file = file.try_clone().and_then(Input::of);
        NcFile::of(&file.map_err(|e| e.to_string())?)
    }

    /// Reads the header.
    ///
    /// # Errors
    /// If it is damaged, or of no form of NetCDF.
    pub(super) fn of(input: &Input) -> Result<NcFile, String> {
        let head = 0..HEAD;
        let _head = input.hold(&[head])?;
        let mut magic = [0; 3];
        let read = input.read_exact(&mut magic, 0);
        match read.is_ok() && &magic == b"CDF" {
            true => Classic::open(input).map(NcFile::Classic),
            false => Nc4::open(input).map(NcFile::Nc4),
        }
    }

    /// Whether it is NetCDF-4, that is HDF5.
    pub(super) fn is_hdf5(&self) -> bool {
        matches!(self, NcFile::Nc4(_))
    }

    /// The groups of a path such as `forecast/surface`, the root first.
    pub(super) fn groups(&self, path: &str) -> Option<Vec<Group>> {
        match self {
            NcFile::Classic(_) if path.split('/').any(|p| !p.is_empty()) => None,
            NcFile::Classic(_) => Some(vec![Group { number: 0 }]),
            NcFile::Nc4(file) => file.groups(path),
        }
    }

    /// The names of the groups directly in a group.
    pub(super) fn inner_groups(&self, group: &Group) -> Result<Vec<String>, String> {
        Ok(match self {
            NcFile::Classic(_) => Vec::new(),
            NcFile::Nc4(file) => file.inner_groups(group),
        })
    }

    /// The variables of a group, in the file's order.
    pub(super) fn variables(&self, group: &Group) -> Result<Vec<RawVariable>, String> {
        match self {
            NcFile::Classic(file) => Ok(file.variables.clone()),
            NcFile::Nc4(file) => file.variables(group),
        }
    }

    /// The attributes of a group.
    pub(super) fn attributes(&self, group: &Group) -> Result<NamedAttributes, String> {
        match self {
            NcFile::Classic(file) => Ok(file.attributes.clone()),
            NcFile::Nc4(file) => file.attributes(group),
        }
    }

    /// The places of the chunks of a variable, by their numbers in row-major order.
    pub(super) fn chunks(&self, variable: &RawVariable) -> Result<Vec<ChunkPlace>, String> {
        match self {
            NcFile::Classic(_) => Ok(Vec::new()),
            NcFile::Nc4(file) => file.chunks(variable),
        }
    }

    /// The text that one value of a variable of texts stands for.
    pub(super) fn text(&self, variable: &RawVariable, value: &[u8]) -> Result<String, String> {
        match self {
            NcFile::Classic(_) => Ok(super::header::letters(value)),
            NcFile::Nc4(file) => file.text(variable, value),
        }
    }
}
