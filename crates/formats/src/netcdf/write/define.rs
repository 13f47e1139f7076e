//! Defining the file: dimensions, variables, attributes; and room for what is written in place.
use super::encode::{FILL_BYTE, FILL_DOUBLE, FILL_FLOAT, FILL_INT, FILL_INT64};
use super::layout::{Layout, Variable, Way};
use crate::netcdf::codec::Codec;
use crate::netcdf::create::{NewFile, Numbers};
use base::{Attribute, Attributes, DType};
use netcdf_sys::{NC_BYTE, NC_DOUBLE, NC_FLOAT, NC_INT, NC_INT64, NC_STRING, nc_type};
use std::ffi::c_int;
use std::path::Path;

/// Rows in a chunk along an unlimited dimension: the library's own choice is a few hundred.
const ROWS: usize = 64 << 10;

/// Makes the file with all its definitions and no values.
///
/// # Errors
/// What the library says.
pub(super) fn define(path: &Path, layout: &Layout) -> Result<(), String> {
    let file = NewFile::create(path)?;
    let mut dims = Vec::new();
    for (name, size) in &layout.dims {
        // A dimension of size 0 is unlimited.
        dims.push(file.dimension(name, size.unwrap_or(0) as usize)?);
    }
    put_attributes(&file, None, &layout.attributes)?;
    let mut ids = Vec::new();
    for variable in &layout.variables {
        ids.push(add(&file, layout, &dims, variable)?);
    }
    if !matches!(layout.way, Way::ByLibrary { .. }) {
        for (variable, id) in layout.variables.iter().zip(ids) {
            // One value written makes the library take room for all of a variable in one piece.
            if !layout.in_chunks(variable) {
                file.zero_first(id, variable.dims.len())?;
            }
        }
    }
    file.close()
}

fn add(
    file: &NewFile,
    layout: &Layout,
    dims: &[c_int],
    variable: &Variable,
) -> Result<c_int, String> {
    let along: Vec<c_int> = variable.dims.iter().map(|d| dims[*d]).collect();
    let id = file.variable(&variable.name, stored(variable.stored()), &along)?;
    put_attributes(file, Some(id), &variable.attributes)?;
    if variable.dtype == DType::Bool {
        // What xarray writes and understands.
        file.text(Some(id), "dtype", "bool")?;
    }
    shape(file, layout, variable, id)?;
    if variable.fill {
        // Last: to say that nothing is to be filled takes the attribute away.
        file.numbers(Some(id), "_FillValue", fill(variable.stored()))?;
    }
    Ok(id)
}

fn shape(file: &NewFile, layout: &Layout, variable: &Variable, id: c_int) -> Result<(), String> {
    let texts = variable.dtype == DType::String;
    let grows = variable.dims.iter().any(|d| layout.dims[*d].1.is_none());
    match &layout.way {
        Way::Chunked { shape, codec } if layout.in_chunks(variable) => {
            let shape: Vec<usize> = shape.iter().map(|n| *n as usize).collect();
            file.chunks(id, &shape)?;
            compress(file, id, *codec)?;
        }
        Way::ByLibrary { codec } => {
            if grows {
                file.chunks(id, &[ROWS])?;
            }
            if let Some(codec) = codec.filter(|_| !texts && !variable.dims.is_empty()) {
                compress(file, id, codec)?;
            }
            return Ok(());
        }
        Way::Placed | Way::Chunked { .. } => {}
    }
    // Tiles cover the domain, and a file is only published after all of them; so no value is
    // read that was not written.
    file.no_fill(id)
}

fn compress(file: &NewFile, id: c_int, codec: Codec) -> Result<(), String> {
    match codec {
        Codec::Deflate(level) => file.deflate(id, i32::from(level)),
        Codec::Zstd(level) => file.zstd(id, u32::from(level)),
    }
}

fn stored(dtype: DType) -> nc_type {
    match dtype {
        DType::Bool => NC_BYTE,
        DType::Int32 => NC_INT,
        DType::Int64 | DType::Timestamp => NC_INT64,
        DType::Float32 => NC_FLOAT,
        DType::Float64 => NC_DOUBLE,
        DType::String | DType::Binary => NC_STRING,
    }
}

fn fill(dtype: DType) -> Numbers<'static> {
    match dtype {
        DType::Bool => Numbers::Bytes(&[FILL_BYTE]),
        DType::Int32 => Numbers::Ints(&[FILL_INT]),
        DType::Int64 | DType::Timestamp => Numbers::Longs(&[FILL_INT64]),
        DType::Float32 => Numbers::Floats(&[FILL_FLOAT]),
        DType::Float64 | DType::String | DType::Binary => Numbers::Doubles(&[FILL_DOUBLE]),
    }
}

fn put_attributes(file: &NewFile, id: Option<c_int>, list: &Attributes) -> Result<(), String> {
    for (name, value) in &list.0 {
        match value {
            Attribute::Text(text) => file.text(id, name, text)?,
            Attribute::Floats(list) => file.numbers(id, name, Numbers::Doubles(list))?,
            Attribute::Singles(list) => file.numbers(id, name, Numbers::Floats(list))?,
            Attribute::Ints(list) => {
                // The classic integer where it fits: every program reads it.
                let small: Result<Vec<i32>, _> = list.iter().map(|i| i32::try_from(*i)).collect();
                match &small {
                    Ok(small) => file.numbers(id, name, Numbers::Ints(small))?,
                    Err(_) => file.numbers(id, name, Numbers::Longs(list))?,
                }
            }
        }
    }
    Ok(())
}
