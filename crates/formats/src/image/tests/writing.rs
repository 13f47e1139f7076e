//! What is written reads back, however it is cut.
use super::{all, made, open, values, whole};
use crate::image::IMAGE;
use crate::{Format, FormatError, OptionValue, Options, Replace, Sink, WriteRequest};
use arrow_array::{Array, ArrayRef, Int32Array, Int64Array};
use base::{Attributes, Column, DType, DimMask, Domain, Field, Schema, Tile, Tiling, Value};
use std::path::Path;
use std::sync::Arc;

fn schema(sizes: &[u64], dtype: DType) -> Schema {
    let domain = Domain::new(["y", "x", "band"].into_iter().zip(sizes.iter().copied()));
    let y = Field::new("y", DType::Int64, DimMask::only(0));
    let fields = vec![y, Field::new("v", dtype, domain.full())];
    Schema { domain, fields, attributes: Attributes::default() }
}

fn sink(
    path: &Path,
    schema: Schema,
    options: &[(&str, Value)],
) -> Result<Arc<dyn Sink>, FormatError> {
    let option =
        |(name, value): &(&str, Value)| (name.to_string(), OptionValue::One(value.clone()));
    IMAGE.sink(WriteRequest {
        path: path.to_path_buf(),
        run_id: "r1".to_string(),
        schema,
        tiling: None,
        attributes: Attributes::default(),
        options: Options(options.iter().map(option).collect()),
        empty_tiles: false,
        replace: Replace::Always,
        maker: None,
    })
}

/// The tile of a number, cut out of all values.
fn tile(sizes: &[u64], tiling: &Tiling, number: u64, all: &[i32]) -> Tile {
    let region = tiling.region(number);
    let place = Tile {
        number,
        origin: region.origin.clone(),
        shape: region.shape.clone(),
        columns: Vec::new(),
        index: None,
    };
    let values = place.indices(sizes).values().iter().map(|i| all[*i as usize]).collect::<Vec<_>>();
    let y: ArrayRef = Arc::new(Int64Array::from_iter_values(0..region.shape[0] as i64));
    let v: ArrayRef = Arc::new(Int32Array::from(values));
    let mask = DimMask::first(sizes.len());
    let columns = vec![Column { mask: DimMask::only(0), array: y }, Column { mask, array: v }];
    Tile { columns, ..place }
}

fn write(
    path: &Path,
    sizes: &[u64],
    shape: &[u64],
    all: &[i32],
    options: &[(&str, Value)],
) -> Result<(), String> {
    let schema = schema(sizes, DType::Int32);
    let tiling = Tiling::even(&schema.domain, shape);
    let sink = sink(path, schema, options).map_err(|e| e.message)?;
    let before = std::fs::read(path).ok();
    sink.create().unwrap();
    let mut writer = sink.writer().unwrap();
    for number in 0..tiling.count() {
        let tile = tile(sizes, &tiling, number, all);
        // Half of them as workers give them on, half as they are.
        let tile = if number % 2 == 0 { sink.prepare(tile) } else { Ok(tile) };
        tile.and_then(|tile| writer.write(&tile)).map_err(|e| e.message)?;
        assert_eq!(std::fs::read(path).ok(), before);
    }
    writer.finish().unwrap();
    sink.commit().map(drop).map_err(|e| e.message)
}

#[test]
fn all_kinds_read_back_however_they_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bands) in [("grey", 1), ("grey_alpha", 2), ("rgb", 3), ("rgba", 4)] {
        let values = all(&made(&format!("{name}.png")));
        let sizes = &[11, 13, bands][..if bands == 1 { 2 } else { 3 }];
        for (ending, bits) in [("png", 8), ("png", 16), ("tif", 8), ("TIFF", 16)] {
            if bands == 2 && ending != "png" {
                continue;
            }
            let scale = if bits == 16 { 257 } else { 1 };
            let values: Vec<i32> = values.iter().map(|v| v * scale).collect();
            let mut files = Vec::new();
            for shape in [[11, 13, 4], [3, 13, 4], [4, 5, 4], [2, 4, 1], [1, 1, 1]] {
                let path = folder.path().join(format!("out.{ending}"));
                let options = [("bits", Value::Int(bits))];
                write(&path, sizes, &shape[..sizes.len()], &values, &options).unwrap();
                assert_eq!(all(&path), values, "{name} {ending} {bits} {shape:?}");
                files.push(std::fs::read(&path).unwrap());
            }
            assert!(files.iter().all(|file| *file == files[0]), "{name} {ending} {bits}");
        }
    }
}

#[test]
fn jpeg_keeps_what_its_quality_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jpg");
    let source = open(&made("rgb.jpg")).unwrap();
    let before = values(&*source, &whole(&*source)).unwrap();
    let mut lengths = Vec::new();
    for (quality, most) in [(100, 4), (90, 30), (5, 255)] {
        let options = [("quality", Value::Int(quality))];
        write(&path, &[11, 13, 3], &[4, 13, 3], &before, &options).unwrap();
        let off = all(&path).iter().zip(&before).map(|(a, b)| (a - b).abs()).max().unwrap();
        assert!(off <= most, "{quality}: off by {off}");
        lengths.push(std::fs::metadata(&path).unwrap().len());
    }
    assert!(lengths.is_sorted_by(|a, b| a > b), "{lengths:?}");
}

#[test]
fn levels_say_how_small_a_png_becomes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.png");
    let values: Vec<i32> = (0..200 * 200).map(|i| i / 200 % 7 + i % 200 / 9).collect();
    let mut lengths = Vec::new();
    for level in [0, 1, 9] {
        let options = [("level", Value::Int(level))];
        write(&path, &[200, 200], &[64, 200], &values, &options).unwrap();
        assert_eq!(all(&path), values);
        lengths.push(std::fs::metadata(&path).unwrap().len());
    }
    assert!(lengths.is_sorted_by(|a, b| a > b), "{lengths:?}");
}

#[test]
fn values_that_do_not_fit_are_errors_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.png");
    let mut values = vec![7; 11 * 13];
    values[5 * 13 + 2] = 300;
    let grey = |values: &[i32], options: &[(&str, Value)]| {
        write(&path, &[11, 13], &[4, 5], values, options)
    };
    let message = grey(&values, &[]).unwrap_err();
    assert!(message.contains("the value 300 in row 5, column 2 is not from 0 to 255"), "{message}");
    assert!(message.contains("`bits: 16`") && message.contains("`clip: true`"), "{message}");
    grey(&values, &[("bits", Value::Int(16))]).unwrap();
    assert_eq!(all(&path), values);
    values[0] = -1;
    grey(&values, &[("clip", Value::Bool(true))]).unwrap();
    let clipped: Vec<i32> = values.iter().map(|v| (*v).clamp(0, 255)).collect();
    assert_eq!(all(&path), clipped);
    let message = grey(&values, &[("bits", Value::Int(16))]).unwrap_err();
    assert!(message.contains("the value -1 in row 0, column 0 is not from 0 to 65535"));
    assert_eq!(all(&path), clipped);
}

#[test]
fn missing_values_are_errors_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.png");
    let schema = schema(&[2, 2, 3], DType::Int32);
    let sink = sink(&path, schema, &[]).unwrap();
    let v = Int32Array::from_iter((0..12).map(|i| (i != 7).then_some(i)));
    let array: ArrayRef = Arc::new(v);
    assert_eq!(array.null_count(), 1);
    let y: ArrayRef = Arc::new(Int64Array::from(vec![0, 1]));
    let columns = vec![
        Column { mask: DimMask::only(0), array: y },
        Column { mask: DimMask::first(3), array },
    ];
    let tile = Tile { number: 0, origin: vec![0; 3], shape: vec![2, 2, 3], columns, index: None };
    let message = sink.prepare(tile).unwrap_err().message;
    assert!(message.contains("in row 1, column 0, band 1 is missing"), "{message}");
}

#[test]
fn an_image_that_lacks_rows_gets_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.png");
    let schema = schema(&[4, 3], DType::Int32);
    let tiling = Tiling::even(&schema.domain, &[2, 3]);
    let sink = sink(&path, schema, &[]).unwrap();
    sink.create().unwrap();
    let mut writer = sink.writer().unwrap();
    writer.write(&tile(&[4, 3], &tiling, 0, &[1; 12])).unwrap();
    writer.finish().unwrap();
    assert!(sink.commit().is_err());
    sink.abandon();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_is_no_image_is_refused() {
    let refused = |name: &str, sizes: &[u64], dtype: DType, options: &[(&str, Value)]| {
        let error = sink(Path::new(name), schema(sizes, dtype), options).err().unwrap();
        format!("{} {}", error.message, error.help.unwrap_or_default())
    };
    let (int, float) = (DType::Int32, DType::Float64);
    let cases = [
        (refused("a.gif", &[2, 2], int, &[]), "let it end with .png"),
        (refused("a.png", &[2], int, &[]), "two or three dimensions"),
        (refused("a.png", &[2, 2, 5], int, &[]), "2 × 2 pixels of 5 values"),
        (refused("a.png", &[0, 2], int, &[]), "one pixel at least"),
        (refused("a.jpg", &[70_000, 2], int, &[]), "70000 × 2"),
        (refused("a.jpg", &[2, 2, 4], int, &[]), "1 (grey) or 3 (RGB)"),
        (refused("a.tif", &[2, 2, 2], int, &[]), "cannot have 2 bands"),
        (refused("a.png", &[2, 2], float, &[]), "int32(round(v))"),
        (refused("a.png", &[2, 2], DType::Bool, &[]), "where(v, 255, 0)"),
        (refused("a.png", &[2, 2], int, &[("bits", Value::Int(12))]), "8 or 16, not 12"),
        (refused("a.jpg", &[2, 2], int, &[("bits", Value::Int(16))]), "8 for JPEG"),
        (refused("a.png", &[2, 2], int, &[("quality", Value::Int(5))]), "an option of JPEG"),
        (refused("a.tif", &[2, 2], int, &[("level", Value::Int(5))]), "an option of PNG"),
        (refused("a.png", &[2, 2], int, &[("level", Value::Int(10))]), "from 0 to 9"),
    ];
    for (message, expected) in cases {
        assert!(message.contains(expected), "{message}");
    }
    let mut turned = schema(&[2, 2], int);
    turned.domain = Domain::new([("x", 2u64), ("y", 2)]);
    turned.fields.remove(0);
    assert!(sink(Path::new("a.png"), turned, &[]).err().unwrap().message.contains("order x, y"));
    let mut two = schema(&[2, 2], int);
    two.fields.push(Field::new("w", int, DimMask::first(2)));
    assert!(sink(Path::new("a.png"), two, &[]).err().unwrap().message.contains("not 2: v, w"));
}
