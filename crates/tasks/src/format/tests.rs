#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use arrow_array::{
    BooleanArray, Float32Array, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use std::sync::Arc;

fn written(spec: &str, array: ArrayRef) -> Result<String, String> {
    let mut out = String::new();
    Format::parse(spec)?.write(&array, 0, &mut out).map(|()| out)
}

fn array(kind: &str, value: &str) -> ArrayRef {
    match kind {
        "int" => Arc::new(Int64Array::from(vec![value.parse::<i64>().unwrap()])),
        "float" => Arc::new(Float64Array::from(vec![value.parse::<f64>().unwrap()])),
        "bool" => Arc::new(BooleanArray::from(vec![value == "True"])),
        _ => Arc::new(StringArray::from(vec![value])),
    }
}

/// `formats.json` is made by `formats.py` beside it.
#[test]
fn all_is_written_as_python_writes_it() {
    let cases: Vec<[serde_json::Value; 4]> =
        serde_json::from_str(include_str!("formats.json")).unwrap();
    let mut wrong = Vec::new();
    for [kind, value, spec, python] in &cases {
        let text = |v: &serde_json::Value| v.as_str().unwrap().to_owned();
        let ours = written(&text(spec), array(&text(kind), &text(value)));
        if ours.as_deref().ok() != python.as_str() {
            wrong.push(format!("{kind} {value} as {spec}: {ours:?}, Python {python}"));
        }
    }
    assert!(cases.len() > 1000 && wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn without_a_specification_values_are_as_tidemill_shows_them() {
    assert_eq!(written("", array("float", "100")).unwrap(), "100.0");
    assert_eq!(written("", array("float", "1e21")).unwrap(), "1e21");
    assert_eq!(written("", array("bool", "True")).unwrap(), "true");
    assert_eq!(written("", Arc::new(Float32Array::from(vec![0.1]))).unwrap(), "0.1");
    assert_eq!(written(">6", Arc::new(Float32Array::from(vec![0.1]))).unwrap(), "   0.1");
    assert_eq!(written("", Arc::new(Float64Array::from(vec![-f64::NAN]))).unwrap(), "nan");
}

#[test]
fn times_are_iso_or_as_strftime_has_them() {
    let time =
        || Arc::new(TimestampMicrosecondArray::from(vec![1_600_000_000_500_000])) as ArrayRef;
    assert_eq!(written("", time()).unwrap(), "2020-09-13T12:26:40.500");
    assert_eq!(written("%Y%m%d", time()).unwrap(), "20200913");
    assert_eq!(written(".10", time()).unwrap(), "2020-09-13");
    assert!(written("%Y%Q", time()).unwrap_err().contains("behind `%`"));
    assert!(written("%Y", array("int", "3")).unwrap_err().contains("for times"));
}

#[test]
fn what_cannot_be_written_is_said() {
    let missing: ArrayRef = Arc::new(Int64Array::from(vec![None]));
    assert_eq!(written("d", missing).unwrap_err(), "a value is missing");
    for (spec, part) in [("q", "no type `q`"), ("4d4", "cannot be read"), ("99999", "too wide")] {
        let why = Format::parse(spec).unwrap_err();
        assert!(why.contains(part), "{why}");
    }
    assert!(Format::parse("d").unwrap().check(DType::Float64).is_err());
    assert!(Format::parse(".2f").unwrap().check(DType::Int32).is_ok());
    assert!(Format::parse("04d").unwrap().check(DType::String).is_err());
}
