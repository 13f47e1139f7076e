//! For the tests of all row formats: a table of every type, written, read back, and damaged.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use crate::rows::row_batch;
use crate::{
    Format, FormatError, OpenRequest, Options, Piece, Sink, TileSource, WriteRequest, Written,
};
use arrow_array::*;
use base::{
    Attribute, Attributes, Column, DType, DimMask, Domain, Failure, Field, Region, Schema, Tile,
    Tiling,
};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// A column of every type; those from `b` on miss some values.
pub fn schema(rows: usize) -> Schema {
    let types = [
        ("i8", DType::Int64),
        ("f8", DType::Float64),
        ("b", DType::Bool),
        ("i4", DType::Int32),
        ("f4", DType::Float32),
        ("s", DType::String),
        ("t", DType::Timestamp),
    ];
    let mut fields: Vec<Field> =
        types.iter().map(|(n, t)| Field::new(*n, *t, DimMask::only(0))).collect();
    for field in &mut fields[2..] {
        field.nullable = rows > 0;
    }
    fields[1].attributes.set("units", Attribute::Text("m s-1".into()));
    let domain = Domain::new([("row", rows as u64)]);
    Schema { domain, fields, attributes: Attributes::default() }
}

/// What the file says of itself.
pub fn attributes() -> Attributes {
    Attributes(vec![("title".into(), Attribute::Text("A sample".into()))])
}

/// Rows of [`schema`].
pub fn batch(rows: usize) -> RecordBatch {
    let n = 0..rows as i64;
    let some = |i: i64| i % 5 != 3;
    let special = [f64::NAN, f64::INFINITY, -0.0, 1e300, 5e-324, 0.1, 1e16];
    let words = ["", "NA", "a,b", "say \"hi\"", "two\nlines", "ünï", " x ", "plain"];
    let text =
        |i: i64| words[i as usize % words.len()].to_string() + if i % 16 < 8 { "" } else { "z" };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(n.clone().map(|i| i * 1_000_000_007))),
        Arc::new(Float64Array::from_iter_values(
            n.clone()
                .map(|i| if i % 2 == 0 { special[i as usize / 2 % 7] } else { i as f64 / 3.0 }),
        )),
        Arc::new(n.clone().map(|i| some(i).then_some(i % 3 == 0)).collect::<BooleanArray>()),
        Arc::new(n.clone().map(|i| some(i).then_some(-i as i32)).collect::<Int32Array>()),
        Arc::new(n.clone().map(|i| some(i).then_some(i as f32 / 7.0)).collect::<Float32Array>()),
        Arc::new(n.clone().map(|i| some(i).then(|| text(i))).collect::<StringArray>()),
        Arc::new(
            n.map(|i| some(i).then_some(i * 86_400_000_000 * 40 - i * 7))
                .collect::<TimestampMicrosecondArray>(),
        ),
    ];
    RecordBatch::try_new(schema(rows).arrow(), columns).unwrap()
}

/// A request to write rows of `batch`, whose columns are the first ones of [`schema`].
pub fn request(path: &Path, batch: &RecordBatch, tile: u64) -> WriteRequest {
    let mut schema = schema(batch.num_rows());
    schema.fields.truncate(batch.num_columns());
    WriteRequest {
        path: path.to_path_buf(),
        run_id: "test".into(),
        tiling: Some(Tiling::even(&schema.domain, &[tile])),
        schema,
        attributes: attributes(),
        options: Options::default(),
        empty_tiles: false,
        replace: crate::Replace::Never,
        maker: None,
    }
}

/// The batch in tiles of so many rows.
pub fn tiles(batch: &RecordBatch, rows: usize) -> Vec<Tile> {
    let starts = (0..batch.num_rows()).step_by(rows).enumerate();
    let tile = |(number, start): (usize, usize)| {
        let len = rows.min(batch.num_rows() - start);
        Tile::from_batch(number as u64, start as u64, &batch.slice(start, len))
    };
    starts.map(tile).collect()
}

/// Writes the batch, tiles in the order that `order` gives for their number.
pub fn write(
    format: &dyn Format,
    path: &Path,
    batch: &RecordBatch,
    rows: usize,
    order: impl Fn(usize) -> Vec<usize>,
) -> Result<Written, Failure> {
    let sink = format.sink(request(path, batch, rows as u64)).unwrap();
    sink.create()?;
    let tiles = tiles(batch, rows);
    let mut writer = sink.writer()?;
    for i in order(tiles.len()) {
        writer.write(&sink.prepare(tiles[i].clone())?)?;
    }
    writer.finish()?;
    assert!(!path.exists());
    sink.commit()
}

/// Ends the writing of a file that tiles are appended to at several places, as a kill does, with
/// bytes behind them that nobody has noted, and goes on: the file is as if nothing had happened.
pub fn gone_on_with(format: &dyn Format, options: &Options) {
    let (dir, batch) = (tempfile::tempdir().unwrap(), batch(1000));
    let sink = |name: &str| {
        let request = request(&dir.path().join(name), &batch, 130);
        format.sink(WriteRequest { options: options.clone(), ..request }).unwrap()
    };
    let mut tiles = tiles(&batch, 130);
    // A filter may have left nothing of one.
    tiles.insert(2, Tile::from_batch(2, 260, &batch.slice(260, 0)));
    let write = |sink: &dyn Sink, tiles: &[Tile]| {
        let mut writer = sink.writer().unwrap();
        writer.sum();
        let write = |tile: &Tile| {
            writer.write(&sink.prepare(tile.clone()).unwrap()).unwrap();
            writer.piece().unwrap()
        };
        let pieces: Vec<Piece> = tiles.iter().map(write).collect();
        (writer, pieces)
    };
    let whole = sink("whole");
    whole.create().unwrap();
    write(&*whole, &tiles).0.finish().unwrap();
    whole.commit().unwrap();
    for kept in [1, 3, 4, tiles.len()] {
        let name = format!("from {kept}");
        let first = sink(&name);
        first.create().unwrap();
        assert!(first.resumable());
        let (mut writer, pieces) = write(&*first, &tiles[..(kept + 2).min(tiles.len())]);
        match kept < tiles.len() {
            true => std::mem::forget(writer),
            false => writer.finish().unwrap(),
        }
        let file = fs::OpenOptions::new().append(true).open(first.staged().unwrap());
        file.unwrap().write_all(b"torn").unwrap();
        first.durable(&[0]).unwrap();
        let noted: BTreeMap<u64, Piece> = (0..).zip(pieces).take(kept).collect();
        assert!(!sink(&name).resume(&BTreeMap::new()).unwrap());
        let long = Piece { bytes: 1 << 40, ..Piece::default() };
        assert!(!sink(&name).resume(&BTreeMap::from([(0, long)])).unwrap());
        let second = sink(&name);
        assert_eq!(second.spoiled(&noted), [0; 0]);
        // A byte that something else has changed spoils its tile, and what is behind it.
        let good = fs::read(second.staged().unwrap()).unwrap();
        let mut start = 0;
        for (tile, piece) in &noted {
            let end = piece.bytes as usize;
            if start < end {
                let mut bad = good.clone();
                bad[end - 1] ^= 1;
                fs::write(second.staged().unwrap(), bad).unwrap();
                let spoiled: Vec<u64> = (*tile..noted.len() as u64).collect();
                assert_eq!(second.spoiled(&noted), spoiled);
            }
            start = end;
        }
        fs::write(second.staged().unwrap(), &good).unwrap();
        assert!(second.resume(&noted).unwrap());
        assert_eq!(
            second.staged().unwrap().metadata().unwrap().len(),
            noted[&(kept as u64 - 1)].bytes
        );
        write(&*second, &tiles[kept..]).0.finish().unwrap();
        second.commit().unwrap();
        let bytes = |name: &str| fs::read(dir.path().join(name)).unwrap();
        assert!(bytes(&name) == bytes("whole"), "{kept}");
    }
}

/// Opens one input with no options.
pub fn open(format: &dyn Format, path: &Path) -> Result<Arc<dyn TileSource>, FormatError> {
    format.open(&OpenRequest { paths: vec![path.into()], ..OpenRequest::default() })
}

/// All rows of a source, tile by tile.
pub fn read_all(source: &dyn TileSource, points: u64) -> RecordBatch {
    try_read_all(source, points).unwrap()
}

fn try_read_all(source: &dyn TileSource, points: u64) -> Result<RecordBatch, Failure> {
    let schema = source.schema();
    let even = || Tiling::by_points(&schema.domain, points);
    let tiling = source.tiling(points).unwrap_or_else(even);
    let all: Vec<usize> = (0..schema.fields.len()).collect();
    let mut batches = Vec::new();
    for number in 0..tiling.count() {
        let Region { origin, shape } = tiling.region(number);
        let columns: Vec<Column> =
            source.read(&Region { origin: origin.clone(), shape: shape.clone() }, &all)?;
        let tile = Tile { number, origin, shape, columns, index: None };
        batches.push(row_batch(&tile, &schema.arrow())?);
    }
    Ok(arrow_select::concat::concat_batches(&schema.arrow(), &batches).unwrap())
}

/// Compares values to the bit.
pub fn assert_same(found: &RecordBatch, expected: &RecordBatch) {
    assert_eq!(found.num_rows(), expected.num_rows());
    for (f, e) in found.columns().iter().zip(expected.columns()) {
        assert!(f.to_data() == e.to_data() || format!("{f:?}") == format!("{e:?}"), "{f:?}\n{e:?}");
    }
}

/// How many damaged files are tried: `TIDEMILL_MUTANTS`, or a few hundred.
fn mutants() -> usize {
    std::env::var("TIDEMILL_MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(400)
}

/// One of several kinds of damage: flipped bits, zeros, a number that is huge, bytes lost or twice.
fn damaged(mut bytes: Vec<u8>, random: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let at = random(bytes.len());
    let end = (at + 1 + random(16)).min(bytes.len());
    match random(6) {
        0..=2 => (0..=random(3)).for_each(|_| {
            let at = random(bytes.len());
            bytes[at] ^= 1 << random(8);
        }),
        3 => bytes[at..end].fill(if random(2) == 0 { 0 } else { 0xFF }),
        4 => drop(bytes.drain(at..end)),
        _ => {
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
    }
    bytes
}

/// A file that is cut short while it is read is an error that says so.
pub fn cut_short(format: &dyn Format, path: &Path) {
    let source = open(format, path).unwrap();
    let file = source.files()[0].clone();
    fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(0).unwrap();
    let failure = try_read_all(&*source, 64).unwrap_err();
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(failure.message.contains(name), "{failure}");
    assert!(failure.message.contains("has become shorter"), "{failure}");
}

/// Cuts the file short and damages it: every time an error, or columns as the schema says.
pub fn damage(format: &dyn Format, path: &Path) {
    let good = fs::read(path).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(path.file_name().unwrap());
    let attempt = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        match open(format, &file) {
            Ok(source) => try_read_all(&*source, 64).is_ok(),
            Err(e) => {
                assert!(e.message.contains(file.file_name().unwrap().to_str().unwrap()), "{e:?}");
                false
            }
        }
    };
    assert!(attempt(&good));
    for i in 0..60 {
        attempt(&good[..good.len() * i / 60]);
    }
    let mut state = 1u64;
    let mut random = |end: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % end.max(1)
    };
    for _ in 0..mutants() {
        attempt(&damaged(good.clone(), &mut random));
    }
}
