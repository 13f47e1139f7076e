//! From the values of a column to the bytes of a variable.
use super::layout::Variable;
use arrow_array::types::{
    Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow_buffer::Buffer;
use base::{Attribute, Column, DType, DimMask, Failure, Tile};

/// What marks missing values: the library's own fill values, as `ncdump` shows them.
pub(in crate::netcdf) const FILL_BYTE: i8 = -127;
pub(in crate::netcdf) const FILL_INT: i32 = -2_147_483_647;
pub(in crate::netcdf) const FILL_INT64: i64 = -9_223_372_036_854_775_806;
pub(in crate::netcdf) const FILL_FLOAT: f32 = 9.969_21e36;
pub(in crate::netcdf) const FILL_DOUBLE: f64 = 9.969_209_968_386_869e36;

/// The column's values at every point of the dimensions of the variable.
pub(super) fn values(
    variable: &Variable,
    tile: &Tile,
    column: &Column,
) -> Result<ArrayRef, Failure> {
    let array = if column.mask == variable.mask {
        column.array.clone()
    } else {
        widen(variable, tile, column)?
    };
    let name = &variable.name;
    if array.data_type() != &variable.dtype.arrow() {
        let found = array.data_type();
        return Err(Failure::internal(format!("`{name}` is of type {found} in a tile")));
    }
    if array.len() != variable.shape(tile).iter().product::<usize>() {
        let len = array.len();
        return Err(Failure::internal(format!("`{name}` has {len} values in a tile")));
    }
    if array.null_count() == 0 || variable.fill {
        return Ok(array);
    }
    Err(match (variable.coordinate, variable.dtype) {
        (true, _) => Failure::data(format!("the coordinate `{name}` has a missing value")),
        (_, DType::String) => {
            Failure::data(format!("`{name}` has a missing value, which NetCDF texts cannot have"))
        }
        _ => Failure::internal(format!("`{name}` has a missing value and was said to have none")),
    })
}

/// Repeats a column that varies along fewer dimensions than the variable.
fn widen(variable: &Variable, tile: &Tile, column: &Column) -> Result<ArrayRef, Failure> {
    if !column.mask.within(variable.mask) {
        let name = &variable.name;
        return Err(Failure::internal(format!("`{name}` varies along other dimensions")));
    }
    let mut mask = DimMask::SCALAR;
    for (i, dim) in variable.dims.iter().enumerate() {
        if column.mask.has(*dim) {
            mask = mask.union(DimMask::only(i));
        }
    }
    let part = Tile {
        number: tile.number,
        origin: variable.origin(tile),
        shape: variable.shape(tile),
        columns: Vec::new(),
        index: None,
    };
    let column = Column { mask, array: column.array.clone() };
    part.expand(&column).map_err(|e| Failure::internal(format!("`{}`: {e}", variable.name)))
}

/// The bytes of values of any type but texts, missing ones as the fill value.
pub(super) fn bytes(variable: &Variable, array: &ArrayRef) -> Result<Buffer, Failure> {
    let encoded = match variable.dtype {
        DType::Bool => array.as_any().downcast_ref::<BooleanArray>().map(|a| Ok(truths(a))),
        DType::Int32 => numbers::<Int32Type>(variable, array, FILL_INT),
        DType::Int64 => numbers::<Int64Type>(variable, array, FILL_INT64),
        DType::Timestamp => counted(variable, array),
        DType::Float32 => numbers::<Float32Type>(variable, array, FILL_FLOAT),
        DType::Float64 => numbers::<Float64Type>(variable, array, FILL_DOUBLE),
        DType::String | DType::Binary => None,
    };
    let other = || Err(Failure::internal(format!("`{}` is not numbers", variable.name)));
    encoded.unwrap_or_else(other)
}

/// Times as numbers of the variable's units.
fn counted(variable: &Variable, array: &ArrayRef) -> Option<Result<Buffer, Failure>> {
    let times = variable.times?;
    let (unit, epoch) = (times.unit, times.epoch);
    if (unit, epoch) == (1, 0) {
        return numbers::<TimestampMicrosecondType>(variable, array, FILL_INT64);
    }
    let array = array.as_any().downcast_ref::<PrimitiveArray<TimestampMicrosecondType>>()?;
    let far = |time: i64| {
        let (name, units) = (&variable.name, variable.attributes.get("units"));
        let units = units.and_then(Attribute::text).unwrap_or_default();
        let moment = timestamp(time);
        Failure::data(format!(
            "the time {moment} of `{name}` cannot be told exactly in `{units}`; say \
             `attributes: {{ {name}: {{ units: microseconds since 1970-01-01 }} }}`"
        ))
    };
    let exact = |time: i64| {
        let since = i128::from(time) - i128::from(epoch);
        let number = since as f64 / unit as f64;
        let again = (number * unit as f64).round_ties_even() as i128;
        if again == since { Ok(number) } else { Err(far(time)) }
    };
    if unit > 1 {
        let number = |time: Option<i64>| time.map_or(Ok(FILL_DOUBLE), exact);
        let found: Result<Vec<f64>, Failure> = array.iter().map(number).collect();
        return Some(found.map(Buffer::from_vec));
    }
    let number = |time: Option<i64>| match time {
        None => Ok(FILL_INT64),
        Some(time) => time.checked_sub(epoch).ok_or_else(|| far(time)),
    };
    let found: Result<Vec<i64>, Failure> = array.iter().map(number).collect();
    Some(found.map(Buffer::from_vec))
}

/// A time as it is read.
fn timestamp(time: i64) -> String {
    match chrono::DateTime::from_timestamp_micros(time) {
        Some(time) => time.naive_utc().to_string(),
        None => format!("{time} µs"),
    }
}

fn truths(array: &BooleanArray) -> Buffer {
    let byte = |v: Option<bool>| v.map_or(FILL_BYTE, i8::from);
    Buffer::from_vec(array.iter().map(byte).collect::<Vec<i8>>())
}

fn numbers<A: ArrowPrimitiveType>(
    variable: &Variable,
    array: &ArrayRef,
    fill: A::Native,
) -> Option<Result<Buffer, Failure>> {
    let array = array.as_any().downcast_ref::<PrimitiveArray<A>>()?;
    if !variable.fill {
        return Some(Ok(array.values().inner().clone()));
    }
    let collides = match array.nulls().filter(|n| n.null_count() > 0) {
        None => array.values().contains(&fill),
        Some(nulls) => nulls.valid_indices().any(|i| array.values()[i] == fill),
    };
    if collides {
        let name = &variable.name;
        let message = format!("`{name}` holds {fill:?}, the value that marks missing ones");
        return Some(Err(Failure::data(message)));
    }
    if array.null_count() == 0 {
        return Some(Ok(array.values().inner().clone()));
    }
    let filled: Vec<A::Native> = array.iter().map(|v| v.unwrap_or(fill)).collect();
    Some(Ok(Buffer::from_vec(filled)))
}
