//! Defining the file: dimensions, variables, attributes; and room for what is written in place.
use super::encode::{FILL_BYTE, FILL_DOUBLE, FILL_FLOAT, FILL_INT, FILL_INT64};
use super::layout::{Layout, Variable, Way};
use crate::netcdf::hdf5::quiet;
use base::{Attribute, Attributes, DType};
use netcdf::types::{FloatType, IntType, NcVariableType};
use netcdf::{AttributeValue, Extent, FileMut, VariableMut};
use std::path::Path;

/// Rows in a chunk along an unlimited dimension: the library's own choice is a few hundred.
const ROWS: usize = 64 << 10;

/// Makes the file with all its definitions and no values.
pub(super) fn define(path: &Path, layout: &Layout) -> Result<(), netcdf::Error> {
    quiet();
    let mut file = netcdf::create(path)?;
    for (name, size) in &layout.dims {
        match size {
            Some(size) if *size > 0 => file.add_dimension(name, *size as usize)?,
            _ => file.add_unlimited_dimension(name)?,
        };
    }
    for (name, value) in attributes(&layout.attributes) {
        file.add_attribute(name, value)?;
    }
    for variable in &layout.variables {
        add(&mut file, layout, variable)?;
    }
    if layout.way != (Way::ByLibrary { level: 0 }) {
        for variable in &layout.variables {
            make_room(&mut file, layout, variable)?;
        }
    }
    file.close()
}

fn add(file: &mut FileMut, layout: &Layout, variable: &Variable) -> Result<(), netcdf::Error> {
    let dims: Vec<&str> = variable.dims.iter().map(|d| layout.dims[*d].0.as_str()).collect();
    let mut defined =
        file.add_variable_with_type(&variable.name, &dims, &stored(variable.dtype))?;
    for (name, value) in attributes(&variable.attributes) {
        defined.put_attribute(name, value)?;
    }
    match variable.dtype {
        DType::Bool => {
            // What xarray writes and understands.
            defined.put_attribute("dtype", "bool")?;
        }
        DType::Timestamp => {
            defined.put_attribute("units", "microseconds since 1970-01-01 00:00:00")?;
            defined.put_attribute("calendar", "proleptic_gregorian")?;
        }
        _ => {}
    }
    shape(&mut defined, layout, variable)?;
    if variable.fill {
        // Last: to say that nothing is to be filled takes the attribute away.
        defined.put_attribute("_FillValue", fill(variable.dtype))?;
    }
    Ok(())
}

fn shape(
    defined: &mut VariableMut,
    layout: &Layout,
    variable: &Variable,
) -> Result<(), netcdf::Error> {
    let texts = variable.dtype == DType::String;
    let grows = variable.dims.iter().any(|d| layout.dims[*d].1.is_none());
    match &layout.way {
        Way::Chunked { shape, level } if layout.in_chunks(variable) => {
            let shape: Vec<usize> = shape.iter().map(|n| *n as usize).collect();
            defined.set_chunking(&shape)?;
            defined.set_compression(i32::from(*level), true)?;
        }
        Way::ByLibrary { level } => {
            if grows {
                defined.set_chunking(&[ROWS])?;
            }
            if *level > 0 && !texts && !variable.dims.is_empty() {
                defined.set_compression(i32::from(*level), true)?;
            }
            return Ok(());
        }
        Way::Placed | Way::Chunked { .. } => {}
    }
    // SAFETY: tiles cover the domain, and a file is only published after all of them; so no
    // value is read that was not written.
    unsafe { defined.set_nofill() }
}

/// Writes one value of a variable in one piece, upon which the library makes room for all of it.
fn make_room(
    file: &mut FileMut,
    layout: &Layout,
    variable: &Variable,
) -> Result<(), netcdf::Error> {
    if layout.in_chunks(variable) || matches!(layout.way, Way::ByLibrary { .. }) {
        return Ok(());
    }
    let Some(mut defined) = file.variable_mut(&variable.name) else {
        return Err(netcdf::Error::NotFound(variable.name.clone()));
    };
    let first = Extent::SliceCount { start: 0, count: 1, stride: 1 };
    let first = vec![first; variable.dims.len()];
    match variable.dtype {
        DType::Bool => defined.put_values(&[0i8], first),
        DType::Int32 => defined.put_values(&[0i32], first),
        DType::Int64 | DType::Timestamp => defined.put_values(&[0i64], first),
        DType::Float32 => defined.put_values(&[0f32], first),
        DType::Float64 => defined.put_values(&[0f64], first),
        DType::String | DType::Binary => Ok(()),
    }
}

fn stored(dtype: DType) -> NcVariableType {
    match dtype {
        DType::Bool => NcVariableType::Int(IntType::I8),
        DType::Int32 => NcVariableType::Int(IntType::I32),
        DType::Int64 | DType::Timestamp => NcVariableType::Int(IntType::I64),
        DType::Float32 => NcVariableType::Float(FloatType::F32),
        DType::Float64 => NcVariableType::Float(FloatType::F64),
        DType::String | DType::Binary => NcVariableType::String,
    }
}

fn fill(dtype: DType) -> AttributeValue {
    match dtype {
        DType::Bool => FILL_BYTE.into(),
        DType::Int32 => FILL_INT.into(),
        DType::Int64 | DType::Timestamp => FILL_INT64.into(),
        DType::Float32 => FILL_FLOAT.into(),
        DType::Float64 | DType::String | DType::Binary => FILL_DOUBLE.into(),
    }
}

fn attributes(list: &Attributes) -> impl Iterator<Item = (&str, AttributeValue)> {
    list.0.iter().map(|(name, value)| (name.as_str(), attribute(value)))
}

fn attribute(value: &Attribute) -> AttributeValue {
    match value {
        Attribute::Text(text) => text.as_str().into(),
        Attribute::Floats(list) => match list[..] {
            [one] => one.into(),
            _ => list.clone().into(),
        },
        Attribute::Ints(list) => {
            // The classic integer where it fits: every program reads it.
            let small: Result<Vec<i32>, _> = list.iter().map(|i| i32::try_from(*i)).collect();
            match (small.as_deref(), &list[..]) {
                (Ok([one]), _) => (*one).into(),
                (Ok(many), _) => many.to_vec().into(),
                (Err(_), [one]) => (*one).into(),
                (Err(_), many) => many.to_vec().into(),
            }
        }
    }
}
