//! Random tables and tests: no row that passes is ever left out, and most that cannot are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use crate::sample::{open, read_all};
use crate::{Ask, Comparison, RowTest, Survivors};
use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::*;
use base::{DType, Value};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use std::path::Path;
use std::sync::Arc;

/// The same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

const OPS: [Comparison; 6] = [
    Comparison::Eq,
    Comparison::Ne,
    Comparison::Lt,
    Comparison::Le,
    Comparison::Gt,
    Comparison::Ge,
];

/// Rows whose values lie near those of their neighbours; some are missing, in runs.
fn table(random: &mut Random, rows: usize) -> RecordBatch {
    let mut walk: Vec<Option<i64>> = Vec::new();
    let (mut at, mut missing) = (random.below(40) as i64, false);
    for _ in 0..rows {
        at += random.below(5) as i64 - 2;
        missing = if random.below(12) == 0 { !missing } else { missing };
        walk.push((!missing || random.below(8) == 0).then_some(at));
    }
    let floats = |random: &mut Random, v: &Option<i64>| {
        v.map(|v| match random.below(20) {
            0 => f64::NAN,
            1 => 0.0,
            2 => -0.0,
            _ => v as f64 / 2.0,
        })
    };
    let f64s: Vec<Option<f64>> = walk.iter().map(|v| floats(random, v)).collect();
    // What begins alike is cut in the statistics, in the middle of letters too.
    let text = |v: &Option<i64>| v.map(|v| format!("é{:04}-{}", v + 1000, "x".repeat(3)));
    let texts: Vec<Option<String>> = walk.iter().map(text).collect();
    let words: DictionaryArray<Int32Type> = texts.iter().map(|t| t.as_deref()).collect();
    let uints = |v: &Option<i64>| v.map(|v| (v.unsigned_abs() << 30) as u32);
    let near = |v: &Option<i64>| v.map(|v| (1 << 53) + v);
    let time = |v: &Option<i64>, scale: i64| v.map(|v| v * scale);
    let decimals: Decimal128Array = walk.iter().map(|v| v.map(i128::from)).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("i64", Arc::new(walk.iter().copied().collect::<Int64Array>())),
        ("i32", Arc::new(walk.iter().map(|v| v.map(|v| v as i32)).collect::<Int32Array>())),
        ("i16", Arc::new(walk.iter().map(|v| v.map(|v| v as i16)).collect::<Int16Array>())),
        ("u32", Arc::new(walk.iter().map(uints).collect::<UInt32Array>())),
        ("near", Arc::new(walk.iter().map(near).collect::<Int64Array>())),
        ("f64", Arc::new(f64s.iter().copied().collect::<Float64Array>())),
        ("f32", Arc::new(f64s.iter().map(|v| v.map(|v| v as f32)).collect::<Float32Array>())),
        ("bool", Arc::new(walk.iter().map(|v| v.map(|v| v > 20)).collect::<BooleanArray>())),
        ("text", Arc::new(texts.iter().map(|t| t.as_deref()).collect::<StringArray>())),
        ("words", Arc::new(words)),
        ("ns", Arc::new(walk.iter().map(|v| time(v, 700)).collect::<TimestampNanosecondArray>())),
        ("us", Arc::new(walk.iter().map(|v| time(v, 700)).collect::<TimestampMicrosecondArray>())),
        ("ms", Arc::new(walk.iter().map(|v| time(v, 1)).collect::<TimestampMillisecondArray>())),
        ("day", Arc::new(walk.iter().map(|v| v.map(|v| v as i32)).collect::<Date32Array>())),
        ("money", Arc::new(decimals.with_precision_and_scale(9, 1).unwrap())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true)))
        .unwrap()
}

fn write(random: &mut Random, path: &Path, batch: &RecordBatch) {
    let statistics = [EnabledStatistics::None, EnabledStatistics::Chunk, EnabledStatistics::Page];
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(60))
        .set_data_page_row_count_limit(10)
        .set_write_batch_size(10)
        .set_dictionary_enabled(random.below(2) == 0)
        .set_bloom_filter_enabled(random.below(2) == 0)
        .set_statistics_enabled(statistics[random.below(3) as usize])
        .set_statistics_truncate_length(Some(4))
        .set_column_index_truncate_length(Some(4))
        .build();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

/// Each value of a column as it is read.
fn values(array: &ArrayRef) -> Vec<Option<Value>> {
    let value = |i: usize| match DType::from_arrow(array.data_type()).unwrap() {
        DType::Bool => Value::Bool(array.as_boolean().value(i)),
        DType::Int32 => Value::Int(array.as_primitive::<Int32Type>().value(i).into()),
        DType::Int64 => Value::Int(array.as_primitive::<Int64Type>().value(i)),
        DType::Float32 => Value::Float(array.as_primitive::<Float32Type>().value(i).into()),
        DType::Float64 => Value::Float(array.as_primitive::<Float64Type>().value(i)),
        DType::String => Value::Str(array.as_string::<i32>().value(i).into()),
        _ => Value::Timestamp(array.as_primitive::<TimestampMicrosecondType>().value(i)),
    };
    (0..array.len()).map(|i| array.is_valid(i).then(|| value(i))).collect()
}

/// What the filter does, said once more.
fn passes(value: &Option<Value>, ask: &Ask) -> bool {
    let (op, constant, within) = match ask {
        Ask::Missing(missing) => return value.is_none() == *missing,
        Ask::Compare { op, constant, within } => (op, constant, *within),
    };
    let Some(value) = value else { return false };
    fn holds<T: PartialOrd>(op: &Comparison, a: T, b: T) -> bool {
        match op {
            Comparison::Eq => a == b,
            Comparison::Ne => a != b,
            Comparison::Lt => a < b,
            Comparison::Le => a <= b,
            Comparison::Gt => a > b,
            Comparison::Ge => a >= b,
        }
    }
    match (within, value, constant) {
        (DType::Float64, v, c) => holds(op, v.as_f64().unwrap(), c.as_f64().unwrap()),
        (DType::Float32, v, c) => holds(op, v.as_f64().unwrap() as f32, c.as_f64().unwrap() as f32),
        (_, Value::Bool(v), Value::Bool(c)) => holds(op, v, c),
        (_, Value::Int(v), Value::Int(c)) => holds(op, v, c),
        (_, Value::Str(v), Value::Str(c)) => holds(op, v, c),
        (_, Value::Timestamp(v), Value::Timestamp(c)) => holds(op, v, c),
        other => panic!("{other:?}"),
    }
}

fn test(random: &mut Random, column: usize, values: &[Option<Value>], dtype: DType) -> RowTest {
    let known: Vec<&Value> = values.iter().flatten().collect();
    if random.below(8) == 0 || known.is_empty() {
        return RowTest { column, ask: Ask::Missing(random.below(2) == 0) };
    }
    let like = known[random.below(known.len() as u64) as usize].clone();
    let step = random.below(7) as i64 - 3;
    let (mut constant, mut within) = match like {
        Value::Int(i) => (Value::Int(i + step), dtype),
        Value::Float(x) if x.is_nan() => (Value::Float(-0.0), dtype),
        Value::Float(x) => (Value::Float(x + step as f64), dtype),
        Value::Timestamp(t) => (Value::Timestamp(t + step * 500), dtype),
        other => (other, dtype),
    };
    if let (Value::Int(i), true) = (&constant, random.below(3) == 0) {
        (constant, within) = (
            Value::Float(*i as f64 + [0.0, 0.5][step.unsigned_abs() as usize % 2]),
            DType::Float64,
        );
    }
    let op = OPS[random.below(6) as usize];
    RowTest { column, ask: Ask::Compare { op, constant, within } }
}

#[test]
fn what_is_left_out_does_not_pass() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    let mut random = Random(7);
    let (mut left_out, mut could_be) = (0u64, 0u64);
    for _ in 0..25 {
        let batch = table(&mut random, 300);
        write(&mut random, &path, &batch);
        let source = open(&super::super::PARQUET, &path).unwrap();
        let read = read_all(&*source, 1000);
        let columns: Vec<Vec<Option<Value>>> = read.columns().iter().map(values).collect();
        for _ in 0..120 {
            let tests: Vec<RowTest> = (0..1 + random.below(2))
                .map(|_| {
                    let i = random.below(columns.len() as u64) as usize;
                    let dtype = source.schema().fields[i].dtype;
                    test(&mut random, i, &columns[i], dtype)
                })
                .collect();
            let Survivors { rows, .. } = source.survivors(&tests).unwrap();
            assert!(rows.windows(2).all(|w| w[0].end < w[1].start));
            for row in 0..300u64 {
                let live = rows.iter().any(|r| r.contains(&row));
                let pass = tests.iter().all(|t| passes(&columns[t.column][row as usize], &t.ask));
                assert!(live || !pass, "row {row} passes {tests:?}, but not in {rows:?}");
                left_out += u64::from(!live);
                could_be += u64::from(!pass);
            }
        }
    }
    // A third of the files has no statistics, and rows lie between others that pass.
    assert!(left_out * 5 > could_be, "only {left_out} of {could_be}");
}
