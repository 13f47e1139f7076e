//! Text tables, there and back: types, quotes, missing values, faults with their lines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::CSV;
use crate::sample::{self, open, read_all, tiles, write};
use crate::{Format, FormatErrorKind, OpenRequest, OptionValue, Options, TileSource};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch, StringArray};
use base::{DType, Value};
use std::fs;
use std::sync::Arc;

fn source(text: &str, options: Options) -> Result<Arc<dyn TileSource>, crate::FormatError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    fs::write(&path, text).unwrap();
    CSV.open(&OpenRequest { paths: vec![path], options, ..OpenRequest::default() })
}

fn types(source: &dyn TileSource) -> Vec<(String, DType, bool)> {
    let fields = source.schema().fields.iter();
    fields.map(|f| (f.name.to_string(), f.dtype, f.nullable)).collect()
}

#[test]
fn every_type_comes_back_with_its_nulls() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.csv");
    let batch = sample::batch(1000);
    write(&CSV, &path, &batch, 300, |n| (0..n).collect()).unwrap();
    let source = open(&CSV, &path).unwrap();
    for points in [7, 300, 10_000] {
        let found = read_all(&*source, points);
        for (i, expected) in batch.columns().iter().enumerate() {
            let found = arrow_cast::cast(found.column(i), expected.data_type()).unwrap();
            assert_eq!(format!("{found:?}"), format!("{expected:?}"));
        }
    }
    let floats = read_all(&*source, 99).column(1).as_primitive::<Float64Type>().clone();
    let expected = batch.column(1).as_primitive::<Float64Type>();
    let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
    assert!(floats.values().iter().zip(expected.values()).all(same));
}

#[test]
fn far_rows_are_found_through_the_index() {
    let lines: String = (0..10_000).map(|i| format!("{i},\"x\n{i}\"\n")).collect();
    let source = source(&format!("i,s\n{lines}"), Options::default()).unwrap();
    for points in [999, 5000] {
        let batch = read_all(&*source, points);
        let ints = batch.column(0).as_primitive::<Int64Type>();
        assert!(ints.values().iter().enumerate().all(|(i, v)| i as i64 == *v));
        assert_eq!(batch.column(1).as_string::<i32>().value(9999), "x\n9999");
    }
}

#[test]
fn missing_values_and_empty_texts_differ() {
    let text = "n,s,q\n1,\"\",\"\"\n,NA,\"2\"\n NA ,x,\n";
    let source = source(text, Options::default()).unwrap();
    let expected =
        [("n", DType::Int64, true), ("s", DType::String, true), ("q", DType::String, true)];
    assert_eq!(types(&*source), expected.map(|(n, t, b)| (n.to_string(), t, b)));
    let batch = read_all(&*source, 10);
    let texts: Vec<_> = batch.column(1).as_string::<i32>().iter().collect();
    assert_eq!(texts, [Some(""), None, Some("x")]);
    assert_eq!(batch.column(2).null_count(), 1);
}

#[test]
fn a_single_column_keeps_its_missing_rows() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("one.tsv");
    let words: StringArray = vec![Some("a"), None, Some(""), Some("NA"), Some("\t")].into();
    let schema = arrow_schema::Schema::new(vec![arrow_schema::Field::new(
        "s",
        words.data_type().clone(),
        true,
    )]);
    let batch = RecordBatch::try_new(schema.into(), vec![Arc::new(words)]).unwrap();
    let mut request = sample::request(&path, &sample::batch(5), 2);
    request.schema.fields = vec![request.schema.fields[5].clone()];
    let sink = CSV.sink(request).unwrap();
    sink.create().unwrap();
    let mut writer = sink.writer().unwrap();
    for tile in tiles(&batch, 2) {
        writer.write(&tile).unwrap();
    }
    writer.finish().unwrap();
    sink.commit().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "s\na\nNA\n\"\"\n\"NA\"\n\"\t\"\n");
    sample::assert_same(&read_all(&*open(&CSV, &path).unwrap(), 2), &batch);
}

#[test]
fn options_say_how_it_is_written() {
    let one = |v: Value| OptionValue::One(v);
    let options = Options(vec![
        ("delimiter".into(), one(Value::Str(";".into()))),
        ("header".into(), one(Value::Bool(false))),
        ("null".into(), OptionValue::Many(vec![Value::Str("-9".into())])),
    ]);
    let source = source("1;a,b\n-9;c\n", options).unwrap();
    let expected = [("c1", DType::Int64, true), ("c2", DType::String, false)];
    assert_eq!(types(&*source), expected.map(|(n, t, b)| (n.to_string(), t, b)));
    let wrong = Options(vec![("delimiter".into(), one(Value::Str("ab".into())))]);
    let error = self::source("a\n", wrong).err().unwrap();
    assert_eq!(error.kind, FormatErrorKind::BadOption("delimiter".into()));
    let unknown = Options(vec![("delimeter".into(), one(Value::Null))]);
    let error = self::source("a\n", unknown).err().unwrap();
    assert_eq!(error.help.unwrap(), "did you mean `delimiter`?");
}

#[test]
fn faults_are_named_with_their_line() {
    let fault = |text: &str| {
        let error = source(text, Options::default()).err().unwrap();
        assert_eq!(error.kind, FormatErrorKind::Corrupt);
        error.message.split_once("t.csv:").unwrap().1.to_string()
    };
    assert!(fault("").starts_with("1: the file is empty"));
    assert!(
        fault("a,b\n1,2\n\"x\ny\",3\n4\n")
            .starts_with("5: the line has 1 value, the header names 2")
    );
    assert!(fault("a\n1\n\"b\n").starts_with("3: a quote is opened"));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    fs::write(&path, b"a\nx\n\xFF\n").unwrap();
    assert!(open(&CSV, &path).err().unwrap().message.contains("t.csv:3: the text is not UTF-8"));
}

#[test]
fn a_header_alone_is_a_table_without_rows() {
    let source = source("\u{FEFF}a,b\r\n", Options::default()).unwrap();
    assert_eq!(source.schema().domain.points(), Some(0));
    assert_eq!(source.schema().names().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(source.tiling(5).unwrap().count(), 0);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none.csv");
    write(&CSV, &path, &sample::batch(0), 10, |n| (0..n).collect()).unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), "i8,f8,b,i4,f4,s,t\n");
}

#[test]
fn a_file_that_was_cut_short_is_gone_on_with() {
    sample::gone_on_with(&CSV, &Options::default());
    let header = ("header".into(), OptionValue::One(Value::Bool(false)));
    sample::gone_on_with(&CSV, &Options(vec![header]));
}

#[test]
fn damage_is_an_error_or_does_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    write(&CSV, &path, &sample::batch(200), 100, |n| (0..n).collect()).unwrap();
    sample::damage(&CSV, &path);
}

#[test]
fn a_file_that_is_cut_short_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    write(&CSV, &path, &sample::batch(200), 100, |n| (0..n).collect()).unwrap();
    sample::cut_short(&CSV, &path);
}

#[test]
fn a_blank_line_of_one_column_is_a_missing_value() {
    let one = source("a\n1\n\n3\r\n\r\n", Options::default()).unwrap();
    let batch = read_all(&*one, 10);
    let values: Vec<_> = batch.column(0).as_primitive::<Int64Type>().iter().collect();
    assert_eq!(values, [Some(1), None, Some(3), None]);
    let two = source("a,b\n1,2\n\n3,4\n\n", Options::default()).unwrap();
    assert_eq!(two.schema().domain.points(), Some(2));
}

#[test]
fn types_are_said() {
    let types = |pairs: &[(&str, &str)]| {
        let pair = |(name, dtype): &(&str, &str)| (name.to_string(), Value::Str(dtype.to_string()));
        let pairs = OptionValue::Pairs(pairs.iter().map(pair).collect());
        Options(vec![("types".into(), pairs)])
    };
    for (dtype, text) in [
        (DType::Bool, "true"),
        (DType::Int32, "7"),
        (DType::Int64, "007"),
        (DType::Float32, "0.1"),
        (DType::Float64, "1"),
        (DType::String, "1"),
        (DType::Timestamp, "2000-01-01"),
    ] {
        let text = format!("x,y\n{text},1\nNA,2\n");
        let source = source(&text, types(&[("x", dtype.name())])).unwrap();
        assert_eq!(source.schema().fields[0].dtype, dtype);
        let column = read_all(&*source, 10).column(0).clone();
        assert_eq!((column.data_type(), column.null_count()), (&dtype.arrow(), 1));
        assert!(source.warnings().is_empty());
    }
    let error = source("x,y\n1,2\n3000000000,1\n", types(&[("x", "int32")])).err().unwrap();
    assert!(error.message.ends_with("t.csv:3: `3000000000` in column `x` is not of type int32"));
    let error = source("zip\n1\n", types(&[("zp", "string")])).err().unwrap();
    assert_eq!(error.help.unwrap(), "did you mean `zip`?");
    let error = source("zip\n1\n", types(&[("zip", "text")])).err().unwrap();
    assert_eq!(error.kind, FormatErrorKind::BadOption("types".into()));
}

#[test]
fn other_delimiters_are_hinted_at() {
    for (text, help) in [("a;b\n1,5;2\n", ";"), ("a\tb\n", "\\t"), ("a|b|c\n", "|")] {
        let error = source(text, Options::default()).err().unwrap();
        assert_eq!(error.help.unwrap(), format!("say `delimiter: \"{help}\"`"));
    }
    let comma = OptionValue::One(Value::Str(",".into()));
    let said = Options(vec![("delimiter".into(), comma)]);
    assert_eq!(source("a;b\n1\n", said).unwrap().schema().names().collect::<Vec<_>>(), ["a;b"]);
}

#[test]
fn files_are_put_together_by_the_names_of_their_columns() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let paths = vec![file("1.csv", "a,b\n1,x\n"), file("2.csv", "b,a\ny,2\n")];
    let source = CSV.open(&OpenRequest { paths, ..OpenRequest::default() }).unwrap();
    let batch = read_all(&*source, 10);
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().values()[..], [1, 2]);
    assert_eq!(batch.column(1).as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["x", "y"]);
    let paths = vec![file("1.csv", "a,b\n1,x\n"), file("3.csv", "b,c\ny,2\n")];
    let columns = Some(vec!["b".to_string()]);
    let some = OpenRequest { paths: paths.clone(), columns, ..OpenRequest::default() };
    assert_eq!(read_all(&*CSV.open(&some).unwrap(), 10).num_rows(), 2);
    let error = CSV.open(&OpenRequest { paths, ..OpenRequest::default() }).err().unwrap();
    assert!(error.message.ends_with("differ: only the second has a column `c`"));
}

#[test]
fn texts_stay_texts() {
    let words =
        ["0870", "1e5", "true", "2000-01-01", "nan", "NA", "", "-inf", "10000000000000000001"];
    let dir = tempfile::tempdir().unwrap();
    for (i, word) in words.iter().enumerate() {
        let path = dir.path().join(format!("{i}.csv"));
        let column: StringArray = vec![Some(*word), None, Some(word)].into();
        let mut request = sample::request(&path, &sample::batch(3), 3);
        request.schema.fields = vec![request.schema.fields[5].clone()];
        let schema = request.schema.arrow();
        let batch = RecordBatch::try_new(schema, vec![Arc::new(column)]).unwrap();
        let sink = CSV.sink(request).unwrap();
        sink.create().unwrap();
        let mut writer = sink.writer().unwrap();
        tiles(&batch, 3).iter().for_each(|tile| writer.write(tile).unwrap());
        writer.finish().unwrap();
        sink.commit().unwrap();
        sample::assert_same(&read_all(&*open(&CSV, &path).unwrap(), 2), &batch);
    }
}

#[test]
fn a_file_all_in_quotes_is_doubted() {
    let said = |text: &str| {
        let warnings = source(text, Options::default()).unwrap().warnings();
        warnings
            .into_iter()
            .map(|w| w.message.split_once(": ").unwrap().1.to_string())
            .collect::<Vec<_>>()
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(said("a,b\n\"1\",\"x\"\n"), ["all values stand in quotes, so that `a` is text"]);
    assert_eq!(said("a,b\n\"1\",2\n"), none);
    assert_eq!(said("a,b\n1,\n"), ["there are no values of `b`, read as float64"]);
    assert_eq!(
        said("t\n2020-01-01T00:00:00.1234567\n"),
        ["times of `t` are cut to whole microseconds"]
    );
}
