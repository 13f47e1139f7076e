//! Tests of images: what Pillow writes reads as Pillow reads it, and what is written reads back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod damaged;
mod reading;
mod writing;

use super::IMAGE;
use crate::{Format, FormatError, OpenRequest, TileSource};
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use base::Region;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that `tests/image/make.py` has made.
fn made(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/image").join(name)
}

fn open(path: &Path) -> Result<Arc<dyn TileSource>, FormatError> {
    IMAGE.open(&OpenRequest { paths: vec![path.to_path_buf()], ..OpenRequest::default() })
}

/// The values of a box, or the message of the failure.
fn values(source: &dyn TileSource, region: &Region) -> Result<Vec<i32>, String> {
    let v = source.schema().position("v").unwrap();
    let mut columns = source.read(region, &[v]).map_err(|e| e.to_string())?;
    let column = columns.remove(0);
    assert_eq!(column.mask, source.schema().domain.full());
    Ok(column.array.as_primitive::<Int32Type>().values().to_vec())
}

fn whole(source: &dyn TileSource) -> Region {
    let sizes = source.schema().domain.sizes();
    Region { origin: vec![0; sizes.len()], shape: sizes.iter().map(|n| *n as usize).collect() }
}

fn all(path: &Path) -> Vec<i32> {
    let source = open(path).unwrap();
    values(&*source, &whole(&*source)).unwrap()
}
