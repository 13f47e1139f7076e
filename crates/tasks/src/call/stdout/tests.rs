#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use arrow_cast::display::array_value_to_string;

fn shown(parsed: &Parsed) -> Vec<String> {
    let column = |array: &ArrayRef| {
        let values = (0..array.len()).map(|row| match array.is_null(row) {
            true => "-".to_owned(),
            false => array_value_to_string(array, row).unwrap(),
        });
        values.collect::<Vec<_>>().join("|")
    };
    parsed.columns.iter().map(column).collect()
}

fn read(stdout: &Stdout, text: &str) -> Result<Vec<String>, String> {
    parse(stdout, text.as_bytes(), 1, false).map(|parsed| shown(&parsed))
}

fn columns(columns: &[(&str, DType)]) -> Vec<(Arc<str>, DType)> {
    columns.iter().map(|(name, dtype)| ((*name).into(), *dtype)).collect()
}

#[test]
fn text_lines_and_numbers_are_read() {
    assert_eq!(read(&Stdout::Text, "a\n b\r\n\n").unwrap(), ["a\n b"]);
    assert_eq!(read(&Stdout::Lines, "a\n\nb").unwrap(), ["a||b"]);
    assert_eq!(read(&Stdout::Lines, "").unwrap(), [""]);
    assert_eq!(read(&Stdout::Float64, " 2.5e3\n").unwrap(), ["2500.0"]);
    assert!(read(&Stdout::Float64, "2,5").unwrap_err().ends_with("not a number: `2,5`"));
    let why = parse(&Stdout::Text, b"ab\xff", 1, false).err().unwrap();
    assert_eq!(why, "its output is not UTF-8 text: see byte 3");
}

#[test]
fn objects_of_json_are_rows() {
    let all = columns(&[
        ("i", DType::Int32),
        ("x", DType::Float64),
        ("s", DType::String),
        ("b", DType::Bool),
        ("t", DType::Timestamp),
    ]);
    let json = Stdout::Json(all);
    let one = r#"{"i": 3.0, "x": "nan", "s": "a", "b": true, "t": "2020-01-02", "other": {}}"#;
    assert_eq!(read(&json, one).unwrap(), ["3", "NaN", "a", "true", "2020-01-02T00:00:00"]);
    let three = format!("[{one}, {{\"i\": null, \"x\": 1}}]\n{{}}");
    let batch = parse(&json, three.as_bytes(), 3, true).ok().unwrap();
    assert_eq!(shown(&batch)[..2], ["3|-|-", "NaN|1.0|-"]);
    for (text, part) in [
        ("{\"i\": 1.5}", "`1.5` for `i` in object 1, which is no int32"),
        ("{\"i\": 3000000000}", "which is no int32"),
        ("{\"s\": 1}", "which is no string"),
        ("{\"x\": \"one\"}", "which is no float64"),
        ("{\"x\": NaN}", "JSON has no NaN"),
        ("{\"x\": 1", "breaks off"),
        ("warning: x\n{}", "not JSON, at line 1: `warning: x`"),
        ("3", "not an object"),
        ("[]", "0 objects, and one is expected"),
        ("{}{}", "2 objects, and one is expected"),
        ("", "is empty"),
    ] {
        let why = read(&json, text).unwrap_err();
        assert!(why.contains(part), "{text}: {why}");
    }
}

#[test]
fn comma_separated_values_are_rows() {
    let csv = Stdout::Csv(columns(&[("s", DType::String), ("i", DType::Int64)]));
    let text = "\u{feff}i,other,s\r\n1,,\"a \"\"b\"\",\nc\"\r\n\r\n,x,\n3,,\"\"\n";
    assert_eq!(read(&csv, text).unwrap(), ["a \"b\",\nc|-|", "1|-|3"]);
    assert_eq!(read(&csv, "i,s\n").unwrap(), ["", ""]);
    for (text, part) in [
        ("i\n1\n", "no column `s`"),
        ("i,s\n1\n", "1 values in line 2 and 2 names"),
        ("i,s\n\n\"1\n\",a\nx,a\n", "`x` for `i` in line 5, which is no int64"),
        ("i,s\n1,\"a\n", "quote in line 2 that does not end"),
        ("i,s\n1,\"a\"b\n", "behind a closing quote in line 2"),
        ("", "is empty"),
    ] {
        let why = read(&csv, text).unwrap_err();
        assert!(why.contains(part), "{text:?}: {why}");
    }
}

#[test]
fn the_output_of_a_batch_has_a_row_for_each_of_its_rows() {
    let parsed = parse(&Stdout::Float64, b"1\n2\n", 2, true).ok().unwrap();
    assert_eq!((shown(&parsed), parsed.counts), (vec!["1.0|2.0".to_owned()], vec![1, 1]));
    let why = parse(&Stdout::Lines, b"1\n", 2, true).err().unwrap();
    assert!(why.contains("1 rows, and the start 2"), "{why}");
    let shared = parse(&Stdout::Text, b"done", 3, true).ok().unwrap();
    assert_eq!(shown(&shared), ["done|done|done"]);
}
