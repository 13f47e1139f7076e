//! What is written reads back the same.
use super::*;
use crate::{Piece, Sink};
use arrow_array::{
    Array, BooleanArray, Float32Array, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use base::{Attribute, DType, DimMask, Domain, Field};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

fn field(name: &str, dtype: DType, mask: u32, nullable: bool) -> Field {
    Field { nullable, ..Field::new(name, dtype, DimMask(mask)) }
}

/// A grid of every type, with narrow columns, missing values and coordinates.
fn grid() -> (Schema, Vec<Column>) {
    let (ny, nz, nx) = (7usize, 3usize, 11usize);
    let domain = Domain::new([("y", 7u64), ("z", 3), ("x", 11)]);
    let mut fields = vec![
        field("y", DType::Float64, 1, false),
        field("x", DType::Int32, 4, false),
        field("a", DType::Float64, 7, false),
        field("b", DType::Float32, 7, true),
        field("c", DType::Int32, 7, true),
        field("d", DType::Int64, 5, true),
        field("e", DType::Bool, 6, true),
        field("t", DType::Timestamp, 2, true),
        field("s", DType::Float64, 0, false),
    ];
    fields[0].attributes.set("units", Attribute::Text("degrees_north".into()));
    fields[0].attributes.set("valid_range", Attribute::Floats(vec![-90.0, 90.0]));
    fields[2].attributes.set("level", Attribute::Ints(vec![3]));
    let some = |n: usize| (0..n).map(move |i| (i % 5 != 2).then_some(i));
    let n = ny * nz * nx;
    let column = |mask: u32, array: ArrayRef| Column { mask: DimMask(mask), array };
    let columns = vec![
        column(1, Arc::new(Float64Array::from_iter_values((0..ny).map(|i| i as f64 * 1.5)))),
        column(4, Arc::new(Int32Array::from_iter_values((0..nx).map(|i| i as i32 - 5)))),
        column(7, Arc::new(Float64Array::from_iter_values((0..n).map(|i| (i as f64).sin())))),
        column(7, Arc::new(some(n).map(|v| v.map(|i| i as f32 * 0.5)).collect::<Float32Array>())),
        column(7, Arc::new(some(n).map(|v| v.map(|i| i as i32)).collect::<Int32Array>())),
        column(5, Arc::new(some(ny * nx).map(|v| v.map(|i| i as i64 - 7)).collect::<Int64Array>())),
        column(6, Arc::new(some(nz * nx).map(|v| v.map(|i| i % 2 == 0)).collect::<BooleanArray>())),
        column(2, Arc::new(TimestampMicrosecondArray::from(vec![Some(1), None, Some(-3)]))),
        column(0, Arc::new(Float64Array::from(vec![f64::NAN]))),
    ];
    let attributes = Attributes(vec![("title".into(), Attribute::Text("a grid".into()))]);
    (Schema { domain, fields, attributes }, columns)
}

fn check(path: &Path, schema: &Schema, whole: &[Column]) {
    let request = OpenRequest {
        paths: vec![path.to_path_buf()],
        options: Options(vec![("decode_times".into(), OptionValue::One(Value::Bool(true)))]),
        ..OpenRequest::default()
    };
    let source = NETCDF.open(&request).unwrap();
    let expected = schema.clone();
    for (field, wanted) in expected.fields.iter().zip(whole) {
        let found = source.schema().field(&field.name).unwrap();
        assert_eq!(found.dtype, field.dtype, "{}", field.name);
        assert!(found.nullable || !field.nullable, "{}", field.name);
        assert_eq!(
            source.schema().domain.mask_name(found.mask),
            expected.domain.mask_name(field.mask)
        );
        let array = column(&*source, &field.name);
        assert_eq!(format!("{array:?}"), format!("{:?}", wanted.array), "{}", field.name);
    }
    let y = &source.schema().field("y").unwrap().attributes;
    assert_eq!(*y, schema.fields[0].attributes);
    assert_eq!(source.schema().field("a").unwrap().attributes, schema.fields[2].attributes);
}

#[test]
fn every_type_and_mask_there_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let (schema, whole) = grid();
    for (option, level) in
        [("deflate", 0), ("deflate", 1), ("deflate", 6), ("zstd", 0), ("zstd", 3)]
    {
        for (i, tile) in [[7, 3, 11], [2, 3, 11], [3, 2, 4], [1, 1, 1]].iter().enumerate() {
            let tiling = Tiling::even(&schema.domain, tile);
            let path = dir.path().join(format!("{option}{level}-{i}.nc"));
            let request = request(&path, &schema, Some(tiling), 0);
            write(compressed(request, option, level), &whole, i % 2 == 1).unwrap();
            check(&path, &schema, &whole);
        }
    }
    let bytes = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
    let plain = bytes("deflate0-0.nc");
    assert!(plain == bytes("deflate0-1.nc") && plain == bytes("deflate0-3.nc"));
    assert!(plain == bytes("zstd0-2.nc"));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 20);
}

#[test]
fn chunks_are_those_of_the_tiles() {
    let dir = tempfile::tempdir().unwrap();
    let (schema, whole) = grid();
    let path = dir.path().join("x.nc");
    let tiling = Tiling::even(&schema.domain, &[2, 3, 11]);
    write(request(&path, &schema, Some(tiling.clone()), 4), &whole, false).unwrap();
    let source = open(&path, None, &[]);
    assert_eq!(source.tiling(70), Some(tiling));
    assert_eq!(source.tiling(140), Some(Tiling::even(&schema.domain, &[4, 3, 11])));
    assert_eq!(source.tiling(1 << 20), Some(Tiling::even(&schema.domain, &[7, 3, 11])));
    assert!(source.describe().contains("chunks of 2 × 3 × 11"), "{}", source.describe());
    // Any box gives the same values, whichever way it cuts the chunks.
    let all = floats(&*source, "a");
    let a = source.schema().position("a").unwrap();
    for (origin, shape) in [([1, 1, 3], [3, 2, 5]), ([6, 0, 10], [1, 3, 1]), ([0, 0, 0], [7, 0, 1])]
    {
        let region = Region { origin: origin.to_vec(), shape: shape.to_vec() };
        let part = source.read(&region, &[a]).unwrap().remove(0).array;
        let part = part.as_any().downcast_ref::<Float64Array>().unwrap().clone();
        let tile = Tile {
            number: 0,
            origin: region.origin,
            shape: region.shape,
            columns: vec![],
            index: None,
        };
        let wanted = tile.indices(&[7, 3, 11]);
        let wanted: Vec<f64> = wanted.values().iter().map(|i| all[*i as usize]).collect();
        assert_eq!(part.values().to_vec(), wanted);
    }
}

#[test]
fn the_library_reads_zstd_with_our_filter() {
    let dir = tempfile::tempdir().unwrap();
    let (schema, whole) = grid();
    let path = dir.path().join("x.nc");
    let tiling = Tiling::even(&schema.domain, &[2, 3, 11]);
    let plain = request(&path, &schema, Some(tiling), 0);
    write(compressed(plain.clone(), "zstd", 5), &whole, false).unwrap();
    let file = netcdf::open(&path).unwrap();
    let found: Vec<f64> = file.variable("a").unwrap().get_values(..).unwrap();
    drop(file);
    assert_eq!(found, floats(&*open(&path, None, &[]), "a"));
    let mut both = compressed(plain.clone(), "zstd", 5);
    both.options.0.extend(compressed(plain.clone(), "deflate", 1).options.0);
    assert!(NETCDF.sink(both).err().unwrap().message.contains("not both"));
    let error = NETCDF.sink(compressed(plain, "zstd", 23)).err().unwrap();
    assert!(error.message.contains("from 0 to 22"), "{}", error.message);
}

#[test]
fn tiles_that_no_chunk_fits_are_left_to_the_library() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nc");
    let domain = Domain::new([("x", 20u64)]);
    let schema = Schema {
        domain,
        fields: vec![field("x", DType::Float64, 1, false), field("v", DType::Int32, 1, true)],
        ..Schema::default()
    };
    let x = Float64Array::from_iter_values((0..20).map(f64::from));
    let v: Int32Array = (0..20).map(|i| (i != 3).then_some(i)).collect();
    let whole = [
        Column { mask: DimMask(1), array: Arc::new(x) },
        Column { mask: DimMask(1), array: Arc::new(v.clone()) },
    ];
    let tiling = Tiling::at(vec![0, 3, 10, 20]);
    for option in ["deflate", "zstd"] {
        let request = request(&path, &schema, Some(tiling.clone()), 0);
        let request = WriteRequest { replace: crate::Replace::Always, ..request };
        write(compressed(request, option, 2), &whole, true).unwrap();
        let found = column(&*open(&path, None, &[]), "v");
        assert_eq!(format!("{found:?}"), format!("{v:?}"));
    }
}

#[test]
fn rows_of_unknown_number_and_texts() {
    let dir = tempfile::tempdir().unwrap();
    for (option, level) in [("deflate", 0), ("deflate", 3), ("zstd", 3)] {
        let path = dir.path().join(format!("rows-{option}{level}.nc"));
        let schema = Schema {
            domain: Domain::rows(),
            fields: vec![
                field("v", DType::Float64, 1, true),
                field("name", DType::String, 1, false),
                field("k", DType::Int32, 0, false),
            ],
            ..Schema::default()
        };
        let request = request(&path, &schema, None, 0);
        let sink = NETCDF.sink(compressed(request, option, level)).unwrap();
        assert_eq!(sink.arrangement(), Arrangement::InOrder);
        sink.create().unwrap();
        let mut writer = sink.writer().unwrap();
        for (number, rows) in [0, 3, 0, 2].into_iter().enumerate() {
            let v: Float64Array = (0..rows).map(|i| (i != 1).then_some(i as f64)).collect();
            let names = (0..rows).map(|i| Some(format!("n{number}ä{i}")));
            let columns = vec![
                Column { mask: DimMask(1), array: Arc::new(v) },
                Column { mask: DimMask(1), array: Arc::new(names.collect::<StringArray>()) },
                Column { mask: DimMask(0), array: Arc::new(Int32Array::from(vec![9])) },
            ];
            let number = number as u64;
            let tile = Tile { number, origin: vec![0], shape: vec![rows], columns, index: None };
            writer.write(&tile).unwrap();
        }
        writer.finish().unwrap();
        assert_eq!(sink.commit().unwrap().files, 1);
        let source = open(&path, None, &[]);
        assert_eq!(source.schema().domain, Domain::new([("row", 5u64)]));
        let wanted = Float64Array::from(vec![Some(0.0), None, Some(2.0), Some(0.0), None]);
        assert_eq!(format!("{:?}", column(&*source, "v")), format!("{wanted:?}"));
        let wanted = StringArray::from(vec!["n1ä0", "n1ä1", "n1ä2", "n3ä0", "n3ä1"]);
        assert_eq!(format!("{:?}", column(&*source, "name")), format!("{wanted:?}"));
        assert_eq!(column(&*source, "k").len(), 1);
    }
}

#[test]
fn nothing_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("empty.nc");
    let schema = Schema {
        domain: Domain::new([("x", 0u64), ("y", 4)]),
        fields: vec![field("v", DType::Float64, 3, false)],
        ..Schema::default()
    };
    let sink = NETCDF.sink(request(&path, &schema, None, 0)).unwrap();
    sink.create().unwrap();
    sink.writer().unwrap().finish().unwrap();
    sink.commit().unwrap();
    let source = open(&path, None, &[]);
    assert_eq!(source.schema().domain, schema.domain);
    assert_eq!(column(&*source, "v").len(), 0);
}

#[test]
fn missing_where_nothing_may_be() {
    let dir = tempfile::tempdir().unwrap();
    let (schema, mut whole) = grid();
    let tiling = Some(Tiling::even(&schema.domain, &[7, 3, 11]));
    let mut y: Vec<Option<f64>> = (0..7).map(|i| Some(f64::from(i))).collect();
    y[4] = None;
    whole[0].array = Arc::new(Float64Array::from(y));
    let path = dir.path().join("x.nc");
    let failure = write(request(&path, &schema, tiling.clone(), 0), &whole, false).unwrap_err();
    assert!(failure.message.contains("coordinate `y`"), "{failure}");
    // What marks missing values must not be a value.
    let (_, mut whole) = grid();
    whole[4].array = Arc::new(Int32Array::from(vec![i32::MIN + 1; 7 * 3 * 11]));
    let failure = write(request(&path, &schema, tiling, 4), &whole, false).unwrap_err();
    assert!(failure.message.contains("marks missing"), "{failure}");
    assert!(!path.exists());
}

#[test]
fn names_and_places_that_cannot_be() {
    let dir = tempfile::tempdir().unwrap();
    let refuse = |name: &str, mask: u32| {
        let schema = Schema {
            domain: Domain::new([("x", 3u64), ("y", 2)]),
            fields: vec![field(name, DType::Float64, mask, false)],
            ..Schema::default()
        };
        NETCDF.sink(request(&dir.path().join("x.nc"), &schema, None, 0)).err()
    };
    for name in ["", "a/b", "a ", "a\tb"] {
        let error = refuse(name, 1).unwrap();
        assert!(error.help.is_some(), "{}", error.message);
    }
    assert!(refuse("x", 3).unwrap().message.contains("is also a dimension"));
    assert!(refuse("x", 1).is_none() && refuse("a_2", 3).is_none());

    let (schema, whole) = grid();
    let tiling = Some(Tiling::even(&schema.domain, &[7, 3, 11]));
    let path = dir.path().join("deep/er/x.nc");
    write(request(&path, &schema, tiling.clone(), 0), &whole, false).unwrap();
    let again = request(&path, &schema, tiling, 0);
    let failure = NETCDF.sink(again.clone()).unwrap().create().unwrap_err();
    assert!(failure.message.contains("exists already"), "{failure}");
    let over = NETCDF.sink(WriteRequest { replace: crate::Replace::Always, ..again }).unwrap();
    over.create().unwrap();
    over.abandon();
    over.abandon();
    check(&path, &schema, &whole);
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_compressed_file_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let (schema, whole) = grid();
    let tiling = Tiling::even(&schema.domain, &[3, 2, 4]);
    for (option, path) in [("deflate", "d.nc"), ("zstd", "z.nc")] {
        let path = dir.path().join(path);
        let request = compressed(request(&path, &schema, Some(tiling.clone()), 0), option, 3);
        let sink = || NETCDF.sink(request.clone()).unwrap();
        let write = |sink: &dyn Sink, numbers: &[u64]| {
            let mut writer = sink.writer().unwrap();
            for number in numbers {
                let tile = cut(&schema, &whole, &tiling, *number);
                writer.write(&tile).unwrap();
            }
            // As if the process were killed: the library writes nothing more.
            std::mem::forget(writer);
        };
        let noted = |tiles: &[u64]| -> BTreeMap<u64, Piece> {
            tiles.iter().map(|n| (*n, Piece::default())).collect()
        };
        let last = tiling.count() - 1;
        let first = sink();
        first.create().unwrap();
        assert!(first.resumable());
        write(&*first, &[last, 0, 5, 7]);
        // What was written and not noted elsewhere is left out.
        assert!(sink().resume(&noted(&[0, 5, last])).unwrap());
        let second = sink();
        write(&*second, &[1, 7]);
        second.durable(&[1, 7]).unwrap();
        assert!(!sink().resume(&noted(&[0, 2])).unwrap(), "2 was never written");
        assert!(sink().resume(&noted(&[0, 1, 5, 7, last])).unwrap());
        let third = sink();
        let rest: Vec<u64> = (2..last).filter(|n| ![5, 7].contains(n)).collect();
        let mut writer = third.writer().unwrap();
        for number in rest {
            let tile = cut(&schema, &whole, &tiling, number);
            writer.write(&third.prepare(tile).unwrap()).unwrap();
        }
        writer.finish().unwrap();
        drop(writer);
        let staged = third.named().unwrap();
        assert!(staged.is_file() && !path.exists());
        third.commit().unwrap();
        check(&path, &schema, &whole);
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

/// Chunks of a byte each, enough of them for an index of three levels; once as it is, and once as if
/// the library kept another one.
#[test]
fn the_index_of_many_chunks() {
    let dir = tempfile::tempdir().unwrap();
    let (ny, nx) = (70u64, 130u64);
    let schema = Schema {
        domain: Domain::new([("y", ny), ("x", nx)]),
        fields: vec![
            field("y", DType::Float64, 1, false),
            field("a", DType::Float64, 3, false),
            field("b", DType::Int32, 3, true),
        ],
        ..Schema::default()
    };
    let points = (ny * nx) as i32;
    let whole = [
        Column {
            mask: DimMask(1),
            array: Arc::new(Float64Array::from_iter_values((0..70).map(f64::from))),
        },
        Column {
            mask: DimMask(3),
            array: Arc::new(Float64Array::from_iter_values(
                (0..points).map(|i| f64::from(i).sqrt()),
            )),
        },
        Column {
            mask: DimMask(3),
            array: Arc::new((0..points).map(|i| (i % 3 > 0).then_some(i)).collect::<Int32Array>()),
        },
    ];
    for (tile, known) in [([1, 1], true), ([8, 2], true), ([9, 130], true), ([8, 2], false)] {
        let tiling = Tiling::even(&schema.domain, &tile);
        let path = dir.path().join(format!("{}-{}-{known}.nc", tile[0], tile[1]));
        let sink = NETCDF.sink(request(&path, &schema, Some(tiling.clone()), 1)).unwrap();
        sink.create().unwrap();
        let space = sink.staged().unwrap().join("space");
        let mut words = std::fs::read(&space).unwrap();
        let roots = || words[8..].as_chunks::<8>().0.iter().map(|w| u64::from_le_bytes(*w));
        assert_eq!(roots().filter(|root| *root != u64::MAX).count(), 2);
        if !known {
            words[8..].fill(255);
            std::fs::write(&space, words).unwrap();
        }
        let mut writers = [sink.writer().unwrap(), sink.writer().unwrap()];
        // Backwards, and in turn.
        for number in (0..tiling.count()).rev() {
            let tile = cut(&schema, &whole, &tiling, number);
            writers[number as usize % 2].write(&tile).unwrap();
        }
        let inode = |path: &Path| path.metadata().unwrap().ino();
        let staged = inode(&sink.named().unwrap());
        sink.commit().unwrap();
        // Whether it is the file that the workers wrote, or a copy.
        assert_eq!(inode(&path) == staged, known);
        let source = open(&path, None, &[]);
        assert_eq!(floats(&*source, "y").len(), 70);
        for (name, wanted) in [("a", &whole[1]), ("b", &whole[2])] {
            assert_eq!(format!("{:?}", column(&*source, name)), format!("{:?}", wanted.array));
        }
        assert!(source.describe().contains(&format!("chunks of {} × {}", tile[0], tile[1])));
        // The library alone, through its own index.
        let file = netcdf::open(&path).unwrap();
        let values: Vec<f64> = file.variable("a").unwrap().get_values(..).unwrap();
        assert_eq!(values, floats(&*source, "a"));
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 4);
}
