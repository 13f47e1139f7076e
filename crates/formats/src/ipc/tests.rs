//! Arrow files, there and back: types, nulls, cuts, damage.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::ARROW;
use crate::sample::{self, open, read_all, write};
use crate::{Format, FormatErrorKind, OpenRequest, OptionValue, Options, Piece};
use arrow_array::{Array, ArrayRef, Float64Array, NullArray, RecordBatch, StringArray};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use base::{DType, Region, Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

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

/// A file as other programs write it.
fn written(path: &Path, columns: Vec<(&str, ArrayRef)>, codec: Option<CompressionType>) {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    );
    let batch = batch.unwrap();
    let options = IpcWriteOptions::default().try_with_compression(codec).unwrap();
    let file = fs::File::create(path).unwrap();
    let mut writer = FileWriter::try_new_with_options(file, &batch.schema(), options).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
}

#[test]
fn damage_is_an_error_or_does_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    for codec in ["none", "lz4", "zstd"] {
        let path = dir.path().join(format!("{codec}.arrow"));
        let mut request = sample::request(&path, &sample::batch(200), 100);
        request.options = compressed(codec);
        let sink = ARROW.sink(request).unwrap();
        sink.create().unwrap();
        let mut writer = sink.writer().unwrap();
        sample::tiles(&sample::batch(200), 100).iter().for_each(|t| writer.write(t).unwrap());
        writer.finish().unwrap();
        sink.commit().unwrap();
        sample::damage(&ARROW, &path);
        sample::cut_short(&ARROW, &path);
    }
}

#[test]
fn a_length_that_cannot_be_takes_no_memory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.arrow");
    let numbers: ArrayRef = Arc::new((0..5000).map(f64::from).collect::<Float64Array>());
    for codec in [CompressionType::LZ4_FRAME, CompressionType::ZSTD] {
        written(&path, vec![("x", numbers.clone())], Some(codec));
        let source = open(&ARROW, &path).unwrap();
        assert_eq!((read_all(&*source, 700).num_rows(), source.memory(&[0])), (5000, 40_000));
        let good = fs::read(&path).unwrap();
        let prefix = 40_000i64.to_le_bytes();
        let at = good.windows(8).position(|w| w == prefix).unwrap();
        for length in [1i64 << 62, 1 << 40, 100_000, -7] {
            let mut bytes = good.clone();
            bytes[at..at + 8].copy_from_slice(&length.to_le_bytes());
            fs::write(&path, &bytes).unwrap();
            let source = open(&ARROW, &path).unwrap();
            let all = Region { origin: vec![0], shape: vec![5000] };
            let failure = source.read(&all, &[0]).unwrap_err();
            assert!(failure.message.contains("x.arrow: a compressed buffer says"), "{failure}");
        }
    }
}

#[test]
fn a_footer_that_leaves_out_a_batch_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (path, batch) = (dir.path().join("x.arrow"), sample::batch(100));
    write(&ARROW, &path, &batch, 50, |n| (0..n).collect()).unwrap();
    let bytes = fs::read(&path).unwrap();
    let trailer = bytes.len() - 10;
    let length = i32::from_le_bytes(bytes[trailer..trailer + 4].try_into().unwrap());
    let footer = trailer - length as usize;
    // Each entry of the vector of batches in the footer, made one of the other.
    let input = crate::input::Input::mapped(&path).unwrap();
    let content = super::content::Content::parse(&input).unwrap();
    let offsets: Vec<[u8; 8]> = content.blocks.iter().map(|b| b.offset().to_le_bytes()).collect();
    let at = footer + bytes[footer..].windows(8).position(|w| w == offsets[0]).unwrap();
    let mut twice = bytes.clone();
    twice[at..at + 8].copy_from_slice(&offsets[1]);
    let mut fewer = bytes.clone();
    fewer[at - 4..at].copy_from_slice(&1u32.to_le_bytes());
    for (bytes, what) in [(twice, "twice"), (fewer, "leaves out a batch")] {
        fs::write(&path, &bytes).unwrap();
        let error = open(&ARROW, &path).err().unwrap();
        assert!(error.message.contains(what), "{error:?}");
    }
}

#[test]
fn a_column_without_a_type_is_missing_values() {
    let dir = tempfile::tempdir().unwrap();
    let (none, some) = (dir.path().join("none.arrow"), dir.path().join("some.arrow"));
    written(&none, vec![("n", Arc::new(NullArray::new(3)))], None);
    let source = open(&ARROW, &none).unwrap();
    assert_eq!(read_all(&*source, 2).column(0).null_count(), 3);
    assert_eq!(source.warnings().len(), 1);
    written(&some, vec![("n", Arc::new(StringArray::from(vec!["a"])))], None);
    let both = OpenRequest { paths: vec![none, some], ..OpenRequest::default() };
    let source = ARROW.open(&both).unwrap();
    assert_eq!(source.schema().fields[0].dtype, DType::String);
    assert_eq!(read_all(&*source, 2).column(0).null_count(), 3);
    assert!(source.warnings().is_empty());
}
