//! Arrow files, there and back: types, nulls, cuts, damage.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::ARROW;
use crate::sample::{self, open, read_all, write};
use crate::{Format, FormatErrorKind, OpenRequest, OptionValue, Options};
use base::Value;
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
        let value = OptionValue::One(Value::Str(codec.into()));
        request.options = Options(vec![("compression".into(), value)]);
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

#[test]
fn damage_is_an_error_or_does_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.arrow");
    write(&ARROW, &path, &sample::batch(200), 100, |n| (0..n).collect()).unwrap();
    sample::damage(&ARROW, &path);
}
