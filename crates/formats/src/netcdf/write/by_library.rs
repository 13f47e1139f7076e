//! Writing through the library: texts, rows of unknown number, chunks of its own choice.
use super::encode;
use super::layout::{Layout, Variable};
use crate::TileWriter;
use crate::netcdf::hdf5::quiet;
use crate::netcdf::slab;
use crate::netcdf::zstd_filter;
use arrow_array::{Array, ArrayRef, StringArray};
use base::{DType, Failure, Tile};
use netcdf::{Extent, FileMut, VariableMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The one writer of a file.
pub(super) struct LibraryWriter {
    target: PathBuf,
    layout: Arc<Layout>,
    file: Option<FileMut>,
    /// Rows written so far, where only the run can tell their number.
    rows: u64,
}

impl LibraryWriter {
    pub(super) fn open(
        staged: &Path,
        target: &Path,
        layout: Arc<Layout>,
    ) -> Result<LibraryWriter, Failure> {
        quiet();
        zstd_filter::register();
        let file = netcdf::append(staged).map_err(|e| failed(target, &e))?;
        Ok(LibraryWriter { target: target.to_path_buf(), layout, file: Some(file), rows: 0 })
    }
}

/// The sentence for an error of the library.
pub(super) fn failed(target: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::output(format!("cannot write {}: {error}", target.display()))
}

impl TileWriter for LibraryWriter {
    fn write(&mut self, tile: &Tile) -> Result<(), Failure> {
        quiet();
        let grows = self.layout.dims.iter().any(|(_, size)| size.is_none());
        let mut tile = tile.clone();
        if grows {
            tile.origin = vec![self.rows];
            self.rows += tile.points() as u64;
        }
        let Some(file) = &mut self.file else {
            return Err(Failure::internal("a tile came after the last"));
        };
        for (variable, column) in self.layout.variables.iter().zip(&tile.columns) {
            if !variable.belongs_to(&tile) {
                continue;
            }
            let array = encode::values(variable, &tile, column)?;
            if array.is_empty() {
                continue;
            }
            let Some(mut defined) = file.variable_mut(&variable.name) else {
                return Err(Failure::internal(format!("`{}` was not defined", variable.name)));
            };
            put(&mut defined, variable, &tile, &array).map_err(|e| match e {
                Put::Library(e) => failed(&self.target, &e),
                Put::Values(failure) => failure,
            })?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Failure> {
        match self.file.take() {
            None => Ok(()),
            Some(file) => file.close().map_err(|e| failed(&self.target, &e)),
        }
    }
}

enum Put {
    Library(netcdf::Error),
    Values(Failure),
}

fn put(
    defined: &mut VariableMut,
    variable: &Variable,
    tile: &Tile,
    array: &ArrayRef,
) -> Result<(), Put> {
    let (origin, shape) = (variable.origin(tile), variable.shape(tile));
    let extent = |(start, count): (&u64, &usize)| Extent::SliceCount {
        start: *start as usize,
        count: *count,
        stride: 1,
    };
    let extents: Vec<Extent> = origin.iter().zip(&shape).map(extent).collect();
    if let Some(texts) = array.as_any().downcast_ref::<StringArray>() {
        if let Some(text) = texts.iter().flatten().find(|text| text.contains('\0')) {
            let message = format!(
                "`{}` holds the text {text:?}, and in NetCDF a text ends at the first NUL",
                variable.name
            );
            return Err(Put::Values(Failure::data(message)));
        }
        return put_texts(defined, &origin, &shape, texts).map_err(Put::Library);
    }
    let bytes = encode::bytes(variable, array).map_err(Put::Values)?;
    match variable.stored() {
        DType::Bool => defined.put_values(bytes.typed_data::<i8>(), extents),
        DType::Int32 => defined.put_values(bytes.typed_data::<i32>(), extents),
        DType::Int64 | DType::Timestamp => defined.put_values(bytes.typed_data::<i64>(), extents),
        DType::Float32 => defined.put_values(bytes.typed_data::<f32>(), extents),
        DType::Float64 => defined.put_values(bytes.typed_data::<f64>(), extents),
        DType::String | DType::Binary => Ok(()),
    }
    .map_err(Put::Library)
}

fn put_texts(
    defined: &mut VariableMut,
    origin: &[u64],
    shape: &[usize],
    texts: &StringArray,
) -> Result<(), netcdf::Error> {
    let mut next = 0;
    slab::points(shape, |at| {
        let place = |(start, at): (&u64, &usize)| Extent::Index(*start as usize + at);
        let place: Vec<Extent> = origin.iter().zip(at).map(place).collect();
        next += 1;
        defined.put_string(texts.value(next - 1), place)
    })
}
