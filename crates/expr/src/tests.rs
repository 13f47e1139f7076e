//! What tests of several modules share: columns by name, and expressions run over them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use crate::*;
use arrow_array::{Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array};
use arrow_array::{Int64Array, StringArray, TimestampMicrosecondArray};
use base::{Column, DType, Diagnostic, DimMask, Domain, Field, Schema, Span, Text, Tile, Value};
use std::sync::Arc;

/// A tree that must be right.
pub fn tree(text: &str) -> Expr {
    parse(&Text::plain(text, 0)).unwrap_or_else(|d| panic!("{text}: {d:?}"))
}

/// Rows of these columns.
pub fn rows(columns: &[(&str, DType, ArrayRef)]) -> (Schema, Tile) {
    let len = columns.first().map_or(1, |c| c.2.len());
    let field = |(name, dtype, array): &(&str, DType, ArrayRef)| Field {
        nullable: array.null_count() > 0,
        ..Field::new(*name, *dtype, DimMask::only(0))
    };
    let schema = Schema {
        domain: Domain::new([("row", len as u64)]),
        fields: columns.iter().map(field).collect(),
        ..Schema::default()
    };
    let columns = columns.iter().map(|c| Column::from(c.2.clone())).collect();
    let tile = Tile { number: 0, origin: vec![0], shape: vec![len], columns, index: None };
    (schema, tile)
}

/// The columns that most tests use: `b i l f d s t`, one of each type, with a missing value in
/// the third row of `n`.
pub fn sample() -> (Schema, Tile) {
    let i = [7, -7, 0, 3];
    rows(&[
        ("b", DType::Bool, Arc::new(BooleanArray::from(vec![true, false, true, false]))),
        ("i", DType::Int32, Arc::new(Int32Array::from(i.to_vec()))),
        ("l", DType::Int64, Arc::new(Int64Array::from(vec![2, 3, -3, 0]))),
        ("f", DType::Float32, Arc::new(Float32Array::from(vec![0.5, -1.5, f32::NAN, 3.0]))),
        ("d", DType::Float64, Arc::new(Float64Array::from(vec![2.5, -0.0, f64::INFINITY, 1e300]))),
        ("s", DType::String, Arc::new(StringArray::from(vec!["a", "b", "Ab", "é"]))),
        (
            "t",
            DType::Timestamp,
            Arc::new(TimestampMicrosecondArray::from(vec![0, -1, 86_400_000_000, 1])),
        ),
        (
            "n",
            DType::Float64,
            Arc::new(Float64Array::from(vec![Some(1.0), Some(f64::NAN), None, Some(4.0)])),
        ),
        ("m", DType::Bool, Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, None]))),
    ])
}

/// Checks against a schema.
pub fn typed(text: &str, schema: &Schema) -> Result<Typed, Vec<Diagnostic>> {
    let params = [("p".to_owned(), Value::Int(10)), ("digits".to_owned(), Value::Int(9))];
    check(&tree(text), &Scope { schema, row: &[], params: &params, functions: &[] })
}

/// Runs expressions, named `0`, `1`, …, over a tile.
pub fn run(texts: &[&str], schema: &Schema, tile: &Tile) -> Tile {
    let map = texts.iter().enumerate().map(|(i, text)| {
        let typed = typed(text, schema).unwrap_or_else(|d| panic!("{text}: {d:?}"));
        (typed.field(i.to_string()), typed)
    });
    let project = (0..texts.len()).map(|i| {
        (schema.fields.len() + i, Field::new(i.to_string(), DType::Bool, DimMask::SCALAR))
    });
    let steps = [Step::Map(map.collect()), Step::Project(project.collect())];
    let given = vec![Given::Loaded; schema.fields.len()];
    let program = Program::compile(schema, given, &steps, false).unwrap();
    let columns = program.needed().iter().map(|i| tile.columns[*i].clone()).collect();
    let tile = Tile { columns, ..tile.clone() };
    program.tile(&mut program.runner(), &tile).unwrap()
}

/// The values of an array as expressions write them.
pub fn shown(array: &dyn Array) -> Vec<String> {
    use arrow_array::cast::AsArray;
    use arrow_array::types::*;
    let one = |i: usize| -> Value {
        if array.is_null(i) {
            return Value::Null;
        }
        match DType::from_arrow(array.data_type()).unwrap() {
            DType::Bool => Value::Bool(array.as_boolean().value(i)),
            DType::Int32 => Value::Int(array.as_primitive::<Int32Type>().value(i).into()),
            DType::Int64 => Value::Int(array.as_primitive::<Int64Type>().value(i)),
            DType::Float32 => Value::Float(array.as_primitive::<Float32Type>().value(i).into()),
            DType::Float64 => Value::Float(array.as_primitive::<Float64Type>().value(i)),
            DType::Timestamp => {
                Value::Timestamp(array.as_primitive::<TimestampMicrosecondType>().value(i))
            }
            _ => Value::Str(array.as_string::<i32>().value(i).to_owned()),
        }
    };
    (0..array.len()).map(|i| check::weak::show(&one(i))).collect()
}

/// The value of an expression over the sample, by row.
pub fn values(text: &str) -> Vec<String> {
    let (schema, tile) = sample();
    let out = run(&[text], &schema, &tile);
    shown(&out.expand(&out.columns[0]).unwrap())
}

/// The value of an expression that needs no columns.
pub fn one(text: &str) -> String {
    let (schema, tile) = rows(&[]);
    let out = run(&[text], &schema, &tile);
    shown(&out.columns[0].array).remove(0)
}

/// The only mistake in an expression over the sample.
pub fn mistake(text: &str) -> Diagnostic {
    let (schema, _) = sample();
    let mut list = typed(text, &schema).expect_err(text);
    assert_eq!(list.len(), 1, "{text}: {list:?}");
    list.remove(0)
}

/// A place of so many bytes.
pub fn span(start: usize, end: usize) -> Span {
    Span::new(start, end)
}
