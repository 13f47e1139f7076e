//! Tests of the NetCDF format: what is written reads back the same, and what others write reads
//! as they mean it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod damaged;
mod judged;
mod library;
mod many;
mod reading;
mod semantics;
mod writing;

use super::NETCDF;
use crate::{
    Arrangement, Format, OpenRequest, OptionValue, Options, TileSource, TileWriter, WriteRequest,
};
use arrow_array::{ArrayRef, Float64Array};
use base::{Attributes, Column, Failure, Region, Schema, Tile, Tiling, Value};
use std::path::Path;
use std::sync::Arc;

/// Opens a file with options that are texts.
fn open(path: &Path, columns: Option<&[&str]>, options: &[(&str, &str)]) -> Arc<dyn TileSource> {
    let option =
        |(n, v): &(&str, &str)| (n.to_string(), OptionValue::One(Value::Str(v.to_string())));
    let request = OpenRequest {
        paths: vec![path.to_path_buf()],
        columns: columns.map(|c| c.iter().map(|n| n.to_string()).collect()),
        options: Options(options.iter().map(option).collect()),
        ..OpenRequest::default()
    };
    NETCDF.open(&request).unwrap()
}

/// All values of a column.
fn column(source: &dyn TileSource, name: &str) -> ArrayRef {
    let sizes = source.schema().domain.sizes();
    let region =
        Region { origin: vec![0; sizes.len()], shape: sizes.iter().map(|s| *s as usize).collect() };
    let i = source.schema().position(name).unwrap();
    source.read(&region, &[i]).unwrap().remove(0).array
}

fn floats(source: &dyn TileSource, name: &str) -> Vec<f64> {
    column(source, name).as_any().downcast_ref::<Float64Array>().unwrap().values().to_vec()
}

fn request(path: &Path, schema: &Schema, tiling: Option<Tiling>, level: i64) -> WriteRequest {
    WriteRequest {
        path: path.to_path_buf(),
        run_id: "r1".to_string(),
        schema: schema.clone(),
        tiling,
        attributes: Attributes::default(),
        options: Options(vec![("deflate".to_string(), OptionValue::One(Value::Int(level)))]),
        empty_tiles: false,
        replace: crate::Replace::Never,
        maker: None,
    }
}

/// The same, compressed in another way, or not at all.
fn compressed(request: WriteRequest, option: &str, level: i64) -> WriteRequest {
    let options = Options(vec![(option.to_string(), OptionValue::One(Value::Int(level)))]);
    WriteRequest { options, ..request }
}

/// Cuts whole columns into the tile of a number.
fn cut(schema: &Schema, whole: &[Column], tiling: &Tiling, number: u64) -> Tile {
    let region = tiling.region(number);
    let sizes = schema.domain.sizes();
    let part = |c: &Column| {
        let dims: Vec<usize> = c.mask.iter().collect();
        let keep = |list: &[u64]| dims.iter().map(|d| list[*d]).collect::<Vec<u64>>();
        let shape: Vec<usize> = dims.iter().map(|d| region.shape[*d]).collect();
        let tile = Tile {
            number: 0,
            origin: keep(&region.origin),
            shape,
            columns: Vec::new(),
            index: None,
        };
        let indices = tile.indices(&keep(&sizes));
        let array = arrow_select::take::take(&c.array, &indices, None).unwrap();
        Column { mask: c.mask, array }
    };
    Tile {
        number,
        columns: whole.iter().map(part).collect(),
        origin: region.origin,
        shape: region.shape,
        index: None,
    }
}

/// Writes whole columns cut into tiles, with several writers where the format allows it.
fn write(request: WriteRequest, whole: &[Column], backwards: bool) -> Result<(), Failure> {
    let (schema, tiling) = (request.schema.clone(), request.tiling.clone().unwrap());
    let sink = NETCDF.sink(request).unwrap();
    sink.create()?;
    let mut numbers: Vec<u64> = (0..tiling.count()).collect();
    if backwards && sink.arrangement() != Arrangement::InOrder {
        numbers.reverse();
    }
    let writers = if sink.arrangement() == Arrangement::Anywhere { 3 } else { 1 };
    let (sink, schema, tiling, numbers) = (&*sink, &schema, &tiling, &numbers);
    std::thread::scope(|scope| {
        let one = |w: usize| {
            move || {
                let mut writer: Box<dyn TileWriter> = sink.writer()?;
                for number in numbers.iter().skip(w).step_by(writers) {
                    writer.write(&sink.prepare(cut(schema, whole, tiling, *number))?)?;
                }
                writer.finish()
            }
        };
        let all: Vec<_> = (0..writers).map(|w| scope.spawn(one(w))).collect();
        all.into_iter().try_for_each(|t| t.join().unwrap())
    })?;
    sink.commit().map(|_| ())
}
