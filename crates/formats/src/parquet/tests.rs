//! Parquet, there and back: types, nulls, cuts, damage.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::PARQUET;
use crate::sample::{self, open, read_all, tiles, write};
use crate::{
    Ask, Comparison, Format, FormatErrorKind, OpenRequest, OptionValue, Options, RowTest,
    TileSource,
};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{
    ArrayRef, BinaryArray, Decimal128Array, DurationMicrosecondArray, Int8Array, Int64Array,
    NullArray, RecordBatch, TimestampNanosecondArray, UInt64Array,
};
use base::{Region, Value};
use parquet::arrow::ArrowWriter;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn row_groups(groups: &[i64]) -> Options {
    let values = groups.iter().map(|g| Value::Int(*g)).collect();
    Options(vec![("row_groups".into(), OptionValue::Many(values))])
}

#[test]
fn every_type_comes_back_with_its_nulls_and_attributes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.parquet");
    let batch = sample::batch(1000);
    let written = write(&PARQUET, &path, &batch, 300, |n| (0..n).rev().collect()).unwrap();
    assert_eq!(written.files, 4);
    assert_eq!(fs::read(path.join("_SUCCESS")).unwrap(), b"");
    let source = open(&PARQUET, &path).unwrap();
    assert_eq!(source.schema().fields, sample::schema(1000).fields);
    assert_eq!(source.schema().attributes, sample::attributes());
    for points in [1, 7, 300, 301, 10_000] {
        sample::assert_same(&read_all(&*source, points), &batch);
    }
}

#[test]
fn the_order_of_tiles_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let batch = sample::batch(100);
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    write(&PARQUET, &a, &batch, 30, |n| (0..n).collect()).unwrap();
    write(&PARQUET, &b, &batch, 30, |n| (0..n).rev().collect()).unwrap();
    for i in 0..4 {
        let part = format!("part-{i:05}.parquet");
        assert_eq!(fs::read(a.join(&part)).unwrap(), fs::read(b.join(&part)).unwrap());
    }
}

#[test]
fn no_rows_make_one_empty_part() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none");
    write(&PARQUET, &path, &sample::batch(0), 10, |n| (0..n).collect()).unwrap();
    assert!(path.join("part-00000.parquet").is_file());
    let source = open(&PARQUET, &path).unwrap();
    assert_eq!(source.schema().domain.points(), Some(0));
    assert_eq!(source.tiling(10).unwrap().count(), 0);
}

#[test]
fn columns_and_row_groups_are_chosen() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    write(&PARQUET, &path, &sample::batch(40), 10, |n| (0..n).collect()).unwrap();
    let mut request = OpenRequest { paths: vec![path], ..OpenRequest::default() };
    request.columns = Some(vec!["s".into(), "i8".into()]);
    request.options = row_groups(&[3, 1]);
    let source = PARQUET.open(&request).unwrap();
    assert_eq!(source.schema().names().collect::<Vec<_>>(), ["s", "i8"]);
    let all = Region { origin: vec![5], shape: vec![10] };
    let columns = source.read(&all, &[1]).unwrap();
    let whole = sample::batch(40);
    let expected = whole.column_by_name("i8").unwrap().as_primitive::<Int64Type>();
    let found = columns[0].array.as_primitive::<Int64Type>();
    let rows: Vec<usize> = (15..20).chain(30..35).collect();
    assert!(rows.iter().enumerate().all(|(i, r)| found.value(i) == expected.value(*r)));

    request.options = row_groups(&[4]);
    let error = PARQUET.open(&request).err().unwrap();
    assert_eq!(error.kind, FormatErrorKind::BadOption("row_groups".into()));
    request.options = Options::default();
    request.columns = Some(vec!["zzz".into()]);
    let error = PARQUET.open(&request).err().unwrap();
    assert_eq!(error.kind, FormatErrorKind::UnknownColumn("zzz".into()));
}

#[test]
fn what_bloom_filters_and_statistics_exclude_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("b");
    let batch = sample::batch(100);
    let with = |columns: &[&str]| {
        let mut request = sample::request(&path, &batch, 50);
        let names = columns.iter().map(|c| Value::Str((*c).into())).collect();
        request.options = Options(vec![("bloom".into(), OptionValue::Many(names))]);
        PARQUET.sink(request)
    };
    for wrong in ["zzz", "b"] {
        let error = with(&[wrong]).err().unwrap();
        assert_eq!(error.kind, FormatErrorKind::BadOption("bloom".into()));
    }
    let sink = with(&["i8", "s"]).unwrap();
    sink.create().unwrap();
    let mut writer = sink.writer().unwrap();
    for tile in tiles(&batch, 50) {
        writer.write(&tile).unwrap();
    }
    sink.commit().unwrap();
    let source = open(&PARQUET, &path).unwrap();
    let rows = |column: &str, op, constant: Value| {
        let column = source.schema().position(column).unwrap();
        let within = source.schema().fields[column].dtype;
        let ask = Ask::Compare { op, constant, within };
        let rows = source.survivors(&[RowTest { column, ask }]).unwrap().rows;
        rows.iter().map(|r| (r.start, r.end)).collect::<Vec<_>>()
    };
    let word = |w: &str| Value::Str(w.into());
    // Between the least and the greatest, but not there.
    assert_eq!(rows("s", Comparison::Eq, word("b")), []);
    assert_eq!(rows("i8", Comparison::Eq, Value::Int(5)), []);
    assert_eq!(rows("i8", Comparison::Eq, Value::Int(60 * 1_000_000_007)), [(50, 100)]);
    assert_eq!(rows("i4", Comparison::Gt, Value::Int(-10)), [(0, 50)]);
    assert_eq!(rows("i4", Comparison::Gt, Value::Int(0)), []);
    let missing = RowTest { column: 0, ask: Ask::Missing(true) };
    assert_eq!(source.survivors(&[missing]).unwrap().rows, []);
}

#[test]
fn files_that_differ_are_both_named() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    let batch = sample::batch(5);
    write(&PARQUET, &a, &batch, 9, |n| (0..n).collect()).unwrap();
    let half = batch.project(&[0, 1]).unwrap();
    write(&PARQUET, &b, &half, 9, |n| (0..n).collect()).unwrap();
    let request = OpenRequest { paths: vec![a, b], ..OpenRequest::default() };
    let error = PARQUET.open(&request).err().unwrap();
    assert_eq!(error.kind, FormatErrorKind::Corrupt);
    assert!(error.message.contains("/a/part-00000") && error.message.contains("/b/part-00000"));
}

#[test]
fn what_is_not_there_or_empty_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let kind = |path: PathBuf| open(&PARQUET, &path).err().unwrap().kind;
    assert_eq!(kind(dir.path().join("no")), FormatErrorKind::Missing);
    assert_eq!(kind(dir.path().into()), FormatErrorKind::Missing);
    let empty = dir.path().join("e.parquet");
    fs::write(&empty, "").unwrap();
    assert_eq!(kind(empty), FormatErrorKind::Corrupt);
}

#[test]
fn damage_is_an_error_or_does_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t");
    write(&PARQUET, &path, &sample::batch(200), 200, |n| (0..n).collect()).unwrap();
    sample::damage(&PARQUET, &path.join("part-00000.parquet"));
}

#[test]
fn abandoned_output_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let request = sample::request(&dir.path().join("x"), &sample::batch(10), 5);
    let sink = PARQUET.sink(request).unwrap();
    sink.create().unwrap();
    let mut writer = sink.writer().unwrap();
    writer.write(&tiles(&sample::batch(10), 5)[0]).unwrap();
    sink.abandon();
    sink.abandon();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    assert!(writer.write(&tiles(&sample::batch(10), 5)[1]).is_err());
}

/// A file as other programs write it.
fn written(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let file = fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn said(source: &dyn TileSource) -> Vec<String> {
    let told = source.warnings().into_iter().chain(source.met());
    told.map(|w| format!("{} {}", w.code.text(), w.text().split_once(": ").unwrap().1)).collect()
}

#[test]
fn what_is_left_out_or_narrowed_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.parquet");
    let ns = TimestampNanosecondArray::from(vec![Some(1001), Some(2000), None]);
    let money = Decimal128Array::from(vec![1, 2, 3]).with_precision_and_scale(9, 2).unwrap();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("a", Arc::new(Int8Array::from(vec![1, 2, 3]))),
        ("d", Arc::new(DurationMicrosecondArray::from(vec![1, 2, 3]))),
        ("b", Arc::new(BinaryArray::from(vec![&b"x"[..], b"y", b"z"]))),
        ("ns", Arc::new(ns)),
        ("m", Arc::new(money)),
    ];
    written(&path, columns);
    let source = open(&PARQUET, &path).unwrap();
    assert_eq!(source.schema().names().collect::<Vec<_>>(), ["a", "ns", "m"]);
    read_all(&*source, 10);
    assert_eq!(
        said(&*source),
        [
            "W0101 columns are left out: `d` (Duration(µs)), `b` (Binary)",
            "W0102 column `m` (Decimal128(9, 2)) is read as float64, whose sums are not decimal",
            "W0102 1 value of `ns` lost digits below a microsecond",
        ]
    );
    let unread: Vec<String> = source.unread().into_iter().map(|u| u.name).collect();
    assert_eq!(unread, ["d", "b"]);
    let columns = Some(vec!["a".to_string()]);
    let some = OpenRequest { paths: vec![path], columns, ..OpenRequest::default() };
    assert!(said(&*PARQUET.open(&some).unwrap()).is_empty());
}

#[test]
fn integers_above_int64_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.parquet");
    written(&path, vec![("w", Arc::new(UInt64Array::from(vec![1, u64::MAX])))]);
    let source = open(&PARQUET, &path).unwrap();
    let region = Region { origin: vec![0], shape: vec![2] };
    let failure = source.read(&region, &[0]).unwrap_err();
    let what = "x.parquet: column `w`: 18446744073709551615 is above 9223372036854775807";
    assert!(failure.message.contains(what), "{failure}");
}

#[test]
fn a_part_without_values_has_the_type_of_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let ints: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    written(
        &dir.path().join("1.parquet"),
        vec![("a", ints.clone()), ("b", Arc::new(NullArray::new(1)))],
    );
    written(&dir.path().join("2.parquet"), vec![("a", ints.clone()), ("b", ints.clone())]);
    let source = open(&PARQUET, dir.path()).unwrap();
    let batch = read_all(&*source, 10);
    let values: Vec<_> = batch.column(1).as_primitive::<Int64Type>().iter().collect();
    assert_eq!((values, said(&*source).len()), (vec![None, Some(1)], 0));
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"x"[..]]));
    written(&dir.path().join("3.parquet"), vec![("a", ints), ("b", bytes)]);
    let error = open(&PARQUET, dir.path()).err().unwrap();
    let what = "differ: column `b` is Binary in the second, which cannot be read";
    assert!(error.message.ends_with(what), "{error:?}");
}

#[test]
fn page_checksums_are_verified() {
    let good = include_bytes!("checked.parquet");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.parquet");
    let sum = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let source = open(&PARQUET, &path).map_err(|e| e.message)?;
        let region = Region { origin: vec![0], shape: vec![40] };
        let read = source.read(&region, &[0, 1]).map_err(|e| e.message)?;
        Ok::<_, String>(format!("{:?}", read.iter().map(|c| &c.array).collect::<Vec<_>>()))
    };
    let expected = sum(good).unwrap();
    let mut refused = 0;
    // The pages of both columns.
    for at in 4..563 {
        let mut bytes = good.to_vec();
        bytes[at] ^= 1;
        match sum(&bytes) {
            Ok(found) => assert_eq!(found, expected, "{at}"),
            Err(message) => refused += usize::from(message.contains("checksum")),
        }
    }
    assert!(refused > 300, "{refused}");
}

#[test]
fn a_file_that_is_cut_short_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t");
    write(&PARQUET, &path, &sample::batch(200), 200, |n| (0..n).collect()).unwrap();
    sample::cut_short(&PARQUET, &path);
}

#[test]
fn folders_inside_are_told() {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["year=2020", "year=2021", "_tmp"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
    }
    let error = open(&PARQUET, dir.path()).err().unwrap();
    assert!(error.message.ends_with("only folders, such as `year=2020`"), "{error:?}");
    let ints: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    written(&dir.path().join("1.parquet"), vec![("a", ints)]);
    let source = open(&PARQUET, dir.path()).unwrap();
    let told = ["W0103 folders in it are not read: `year=2020`, `year=2021`"];
    assert_eq!(said(&*source), told);
}

/// Parts that something else has removed, cut off or changed are noticed before they get their
/// name, and when a later run goes on with them.
#[test]
fn only_parts_as_they_were_written_get_their_name() {
    let (dir, batch) = (tempfile::tempdir().unwrap(), sample::batch(400));
    type Change = fn(&Path);
    let shorter: Change = |part| {
        let file = fs::OpenOptions::new().write(true).open(part).unwrap();
        file.set_len(file.metadata().unwrap().len() - 1).unwrap();
    };
    let changes: [(&str, bool, Change); 6] = [
        ("gone", true, |part| fs::remove_file(part).unwrap()),
        ("shorter", true, shorter),
        ("footer", true, |part| change(part, -6)),
        ("magic", true, |part| change(part, -1)),
        ("link", true, |part| {
            let elsewhere = part.parent().unwrap().with_extension("elsewhere");
            fs::rename(part, &elsewhere).unwrap();
            std::os::unix::fs::symlink(&elsewhere, part).unwrap();
        }),
        ("page", false, |part| change(part, 20)),
    ];
    for (name, refused, how) in changes {
        let sink = || PARQUET.sink(sample::request(&dir.path().join(name), &batch, 100)).unwrap();
        let (first, mut pieces) = (sink(), BTreeMap::new());
        first.create().unwrap();
        let mut writer = first.writer().unwrap();
        writer.sum();
        for tile in tiles(&batch, 100) {
            writer.write(&tile).unwrap();
            pieces.insert(tile.number, writer.piece().unwrap());
        }
        writer.finish().unwrap();
        assert_eq!((first.pieces(), first.spoiled(&pieces)), (pieces.clone(), vec![]));
        how(&first.staged().unwrap().join("part-00002.parquet"));
        if refused {
            let why = first.commit().unwrap_err().message;
            assert!(why.contains("part-00002.parquet"), "{name}: {why}");
            assert!(!first.path().exists());
        }
        // What the ledger knows of it has no last bytes.
        pieces.values_mut().for_each(|piece| piece.tail = 0);
        assert_eq!(sink().spoiled(&pieces), [2], "{name}");
        pieces.remove(&2);
        let second = sink();
        assert!(second.resume(&pieces).unwrap(), "{name}");
        let mut writer = second.writer().unwrap();
        writer.write(&tiles(&batch, 100)[2]).unwrap();
        writer.finish().unwrap();
        assert_eq!(second.commit().unwrap().files, 4);
    }
}

/// Changes a byte, counted from the end if `at` is negative.
fn change(part: &Path, at: i64) {
    let mut bytes = fs::read(part).unwrap();
    let at = if at < 0 { bytes.len() as i64 + at } else { at } as usize;
    bytes[at] ^= 1;
    fs::write(part, bytes).unwrap();
}
