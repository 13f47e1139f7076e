//! Arrow files, there and back: types, nulls, cuts, damage.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::ARROW;
use crate::sample::{self, open, read_all, write};
use crate::{Format, FormatErrorKind, OpenRequest, OptionValue, Options, Piece};
use arrow_ipc::writer::FileWriter;
use base::Value;
use std::collections::BTreeMap;
use std::fs;

#[test]
fn every_type_comes_back_with_its_nulls_and_attributes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.arrow");
    let batch = sample::batch(1000);
    let written = write(&ARROW, &path, &batch, 300, |n| (0..n).collect()).unwrap();
    assert_eq!((written.files, written.bytes), (1, fs::metadata(&path).unwrap().len()));
    let source = open(&ARROW, &path).unwrap();
    assert_eq!(source.schema().fields, sample::schema(1000).fields);
    assert_eq!(source.schema().attributes, sample::attributes());
    for points in [1, 7, 300, 301, 10_000] {
        sample::assert_same(&read_all(&*source, points), &batch);
    }
    let two = OpenRequest { paths: vec![path.clone(), path], ..OpenRequest::default() };
    assert_eq!(ARROW.open(&two).unwrap().schema().domain.points(), Some(2000));
}

#[test]
fn compressed_bodies_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let batch = sample::batch(500);
    for codec in ["lz4", "zstd"] {
        let path = dir.path().join(codec);
        let mut request = sample::request(&path, &batch, 200);
        request.options = compressed(codec);
        let sink = ARROW.sink(request).unwrap();
        sink.create().unwrap();
        let mut writer = sink.writer().unwrap();
        for tile in sample::tiles(&batch, 200) {
            writer.write(&tile).unwrap();
        }
        writer.finish().unwrap();
        sink.commit().unwrap();
        sample::assert_same(&read_all(&*open(&ARROW, &path).unwrap(), 150), &batch);
    }
}

#[test]
fn no_rows_and_no_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none.arrow");
    write(&ARROW, &path, &sample::batch(0), 10, |n| (0..n).collect()).unwrap();
    assert_eq!(open(&ARROW, &path).unwrap().schema().domain.points(), Some(0));
    let empty = dir.path().join("empty.arrow");
    fs::write(&empty, "").unwrap();
    assert_eq!(open(&ARROW, &empty).err().unwrap().kind, FormatErrorKind::Corrupt);
    let none = dir.path().join("no.arrow");
    assert_eq!(open(&ARROW, &none).err().unwrap().kind, FormatErrorKind::Missing);
}

fn compressed(codec: &str) -> Options {
    Options(vec![("compression".into(), OptionValue::One(Value::Str(codec.into())))])
}

#[test]
fn a_file_that_was_cut_short_is_gone_on_with() {
    for codec in ["none", "lz4", "zstd"] {
        sample::gone_on_with(&ARROW, &compressed(codec));
    }
}

#[test]
fn only_what_ends_behind_a_batch_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let batch = sample::batch(100);
    let sink = || ARROW.sink(sample::request(&dir.path().join("x"), &batch, 50)).unwrap();
    let first = sink();
    first.create().unwrap();
    let mut writer = first.writer().unwrap();
    let lengths: Vec<u64> = sample::tiles(&batch, 50)
        .iter()
        .map(|tile| {
            writer.write(tile).unwrap();
            writer.piece().unwrap().bytes
        })
        .collect();
    let good = fs::read(first.staged().unwrap()).unwrap();
    for length in 0..=lengths[1] {
        fs::write(first.staged().unwrap(), &good).unwrap();
        let piece = Piece { bytes: length, ..Piece::default() };
        let resumed = sink().resume(&BTreeMap::from([(0, piece)])).unwrap();
        // Behind the schema no batch has been written yet.
        assert!(!resumed || lengths.contains(&length) || length < lengths[0], "{length}");
        assert!(resumed || !lengths.contains(&length), "{length}");
    }
}

#[test]
fn the_file_is_what_the_library_writes() {
    let dir = tempfile::tempdir().unwrap();
    let (path, batch) = (dir.path().join("x.arrow"), sample::batch(1000));
    write(&ARROW, &path, &batch, 300, |n| (0..n).collect()).unwrap();
    let rows = crate::rows::arrow_schema(&sample::schema(1000), &sample::attributes());
    let mut writer = FileWriter::try_new(Vec::new(), &rows).unwrap();
    for tile in sample::tiles(&batch, 300) {
        let rows = crate::rows::row_batch(&tile, &rows).unwrap();
        writer.write(&super::blank::blanked(rows).unwrap()).unwrap();
    }
    assert!(writer.into_inner().unwrap() == fs::read(&path).unwrap());
}

#[test]
fn damage_is_an_error_or_does_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.arrow");
    write(&ARROW, &path, &sample::batch(200), 100, |n| (0..n).collect()).unwrap();
    sample::damage(&ARROW, &path);
}
