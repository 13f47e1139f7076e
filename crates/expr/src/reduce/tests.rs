//! Every reduction: the same bits however the rows are cut, and the right ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::factor::Factor;
use super::{Accumulator, REDUCTIONS, Total, reduction, totals};
use crate::{Groups, Indices, Values};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, StringArray, TimestampMicrosecondArray};
use base::{DType, Value};
use proptest::prelude::*;

/// A column of any type.
#[derive(Clone, Debug)]
enum Data {
    Bool(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    String(Vec<String>),
}

impl Data {
    fn dtype(&self) -> DType {
        match self {
            Data::Bool(_) => DType::Bool,
            Data::Int32(_) => DType::Int32,
            Data::Int64(_) => DType::Int64,
            Data::Float32(_) => DType::Float32,
            Data::Float64(_) => DType::Float64,
            Data::String(_) => DType::String,
        }
    }

    /// Calls `f` with the chosen rows.
    fn with(&self, rows: &[usize], f: impl FnOnce(Values)) {
        fn pick<T: Clone>(all: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().map(|row| all[*row].clone()).collect()
        }
        match self {
            Data::Bool(v) => f(Values::Bool(&pick(v, rows))),
            Data::Int32(v) => f(Values::Int32(&pick(v, rows))),
            Data::Int64(v) => f(Values::Int64(&pick(v, rows))),
            Data::Float32(v) => f(Values::Float32(&pick(v, rows))),
            Data::Float64(v) => f(Values::Float64(&pick(v, rows))),
            Data::String(v) => f(Values::String(&StringArray::from(pick(v, rows)))),
        }
    }
}

/// The bits of every value.
fn bits(array: &ArrayRef) -> Vec<Option<String>> {
    let text = |i: usize| match DType::from_arrow(array.data_type()).unwrap() {
        DType::Bool => array.as_boolean().value(i).to_string(),
        DType::Int32 => array.as_primitive::<Int32Type>().value(i).to_string(),
        DType::Int64 => array.as_primitive::<Int64Type>().value(i).to_string(),
        DType::Float32 => format!("{:x}", array.as_primitive::<Float32Type>().value(i).to_bits()),
        DType::Float64 => format!("{:x}", array.as_primitive::<Float64Type>().value(i).to_bits()),
        DType::String => array.as_string::<i32>().value(i).to_string(),
        DType::Timestamp => {
            let times = array.as_any().downcast_ref::<TimestampMicrosecondArray>().unwrap();
            times.value(i).to_string()
        }
        DType::Binary => panic!("no result is binary"),
    };
    (0..array.len()).map(|i| array.is_valid(i).then(|| text(i))).collect()
}

/// Rows: values, which are there, and their groups; the index of a row is its place, times
/// something and plus something.
#[derive(Clone, Debug)]
struct Rows {
    data: Data,
    valid: Vec<bool>,
    groups: Vec<u32>,
    first: i64,
}

const GROUPS: usize = 4;

impl Rows {
    fn index(&self, row: usize) -> i64 {
        self.first + row as i64
    }

    /// Adds these rows; consecutive ones as a run.
    fn update(&self, accumulator: &mut dyn Accumulator, rows: &[usize], column: bool) {
        let valid: Vec<bool> = rows.iter().map(|row| self.valid[*row]).collect();
        let groups: Vec<u32> = rows.iter().map(|row| self.groups[*row]).collect();
        let indices: Vec<i64> = rows.iter().map(|row| self.index(*row)).collect();
        let run = rows.windows(2).all(|w| w[1] == w[0] + 1);
        let one = groups.first().filter(|g| groups.iter().all(|other| other == *g));
        let groups = one.map_or(Groups::Each(&groups), |g| Groups::One(*g));
        let indices = match (run, indices.first()) {
            (true, Some(first)) => Indices::From(*first),
            _ => Indices::Each(&indices),
        };
        let validity = valid.contains(&false).then_some(&valid[..]);
        self.data.with(rows, |values| {
            let values = if column { &[values][..] } else { &[] };
            accumulator.update(rows.len(), values, validity, groups, indices);
        });
    }
}

fn data() -> impl Strategy<Value = Data> {
    const N: usize = 300;
    let float = prop_oneof![
        4 => -2.0..2.0f64,
        1 => prop::sample::select(vec![0.0, -0.0, 1.0, -1.0, 1e300, -1e300, 1e-310]),
    ];
    let wild = prop_oneof![
        9 => any::<f64>(),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, -f64::NAN]),
    ];
    prop_oneof![
        prop::collection::vec(any::<bool>(), 0..N).prop_map(Data::Bool),
        prop::collection::vec(-3..4i32, 0..N).prop_map(Data::Int32),
        prop::collection::vec(any::<i64>(), 0..N).prop_map(Data::Int64),
        prop::collection::vec(-2i64..3, 0..N).prop_map(Data::Int64),
        prop::collection::vec(-2.0..2.0f32, 0..N).prop_map(Data::Float32),
        prop::collection::vec(float, 0..N).prop_map(Data::Float64),
        prop::collection::vec(wild, 0..N).prop_map(Data::Float64),
        prop::collection::vec("[a-c]{0,3}", 0..N).prop_map(Data::String),
    ]
}

fn rows() -> impl Strategy<Value = Rows> {
    (data(), prop::bool::ANY, prop::bool::ANY, 0i64..5000, any::<u64>()).prop_map(
        |(data, missing, one, first, seed)| {
            let n = match &data {
                Data::Bool(v) => v.len(),
                Data::Int32(v) => v.len(),
                Data::Int64(v) => v.len(),
                Data::Float32(v) => v.len(),
                Data::Float64(v) => v.len(),
                Data::String(v) => v.len(),
            };
            let mut random = Random(seed | 1);
            let valid = (0..n).map(|_| !missing || !random.next().is_multiple_of(4)).collect();
            let groups = (0..n).map(|_| if one { 1 } else { (random.next() % 3) as u32 }).collect();
            Rows { data, valid, groups, first }
        },
    )
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 20
    }
}

fn constants(name: &str) -> Vec<Value> {
    if name == "quantile" { vec![Value::Float(0.3)] } else { Vec::new() }
}

/// Pieces of 0..n, each consecutive or strided, in any order.
fn pieces(n: usize, random: &mut Random) -> Vec<Vec<usize>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    while start < n {
        let end = (start + 1 + random.next() as usize % 80).min(n);
        let piece: Vec<usize> = (start..end).collect();
        if random.next().is_multiple_of(3) {
            let (odd, even) = piece.into_iter().partition(|row| row % 2 == 1);
            pieces.push(odd);
            pieces.push(even);
        } else {
            pieces.push(piece);
        }
        start = end;
    }
    pieces.push(Vec::new());
    for i in (1..pieces.len()).rev() {
        pieces.swap(i, random.next() as usize % (i + 1));
    }
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_cut_changes_a_bit(rows in rows(), seed in any::<u64>()) {
        let mut random = Random(seed | 1);
        let dtype = rows.data.dtype();
        for entry in REDUCTIONS {
            let constants = constants(entry.name());
            let Ok(result) = entry.result(Some(dtype), &constants) else { continue };
            let fresh = || {
                let mut accumulator = entry.accumulator(Some(dtype), &constants);
                accumulator.resize(GROUPS);
                accumulator
            };
            let mut whole = fresh();
            let all: Vec<usize> = (0..rows.valid.len()).collect();
            rows.update(&mut *whole, &all, true);

            // Three workers take pieces in any order; the last one merges what the others have.
            let mut workers = [fresh(), fresh(), fresh()];
            for piece in pieces(all.len(), &mut random) {
                let worker = random.next() as usize % 3;
                rows.update(&mut *workers[worker], &piece, true);
            }
            let [first, second, mut last] = workers;
            last.merge(&second.state(), &[0, 1, 2, 3]).unwrap();
            last.merge(&first.state(), &[0, 1, 2, 3]).unwrap();

            match (whole.finish(), last.finish()) {
                (Ok(a), Ok(b)) => {
                    prop_assert_eq!(a.data_type(), &result.arrow(), "{}", entry.name());
                    prop_assert_eq!(bits(&a), bits(&b), "{}", entry.name());
                    for group in (0..GROUPS).filter(|_| !entry.nullable(false)) {
                        prop_assert!(a.is_valid(group) || !["sum", "count"].contains(&entry.name()));
                    }
                }
                (a, b) => prop_assert_eq!(a.err(), b.err(), "{}", entry.name()),
            }

            last.clear();
            last.resize(GROUPS);
            rows.update(&mut *last, &all, true);
            prop_assert_eq!(last.finish().ok().map(|a| bits(&a)), whole.finish().ok().map(|a| bits(&a)));
        }
    }

    #[test]
    fn totals_are_the_reductions_they_stand_for(rows in rows(), seed in any::<u64>()) {
        let mut random = Random(seed | 1);
        let dtype = rows.data.dtype();
        let all: Vec<usize> = (0..rows.valid.len()).collect();
        let names = [("count", Total::Count), ("sum", Total::Sum), ("mean", Total::Mean)];
        let names: Vec<_> = (names.into_iter())
            .filter(|(name, _)| reduction(name).unwrap().result(Some(dtype), &[]).is_ok())
            .collect();
        let fresh = || {
            let mut totals = totals(Some(dtype), names.iter().map(|(_, total)| *total).collect());
            totals.resize(GROUPS);
            totals
        };
        let mut workers = [fresh(), fresh()];
        for piece in pieces(all.len(), &mut random) {
            rows.update(&mut *workers[random.next() as usize % 2], &piece, true);
        }
        let [first, mut last] = workers;
        last.merge(&first.state(), &[0, 1, 2, 3]).unwrap();
        let alone = names.iter().map(|(name, total)| {
            prop_assert_eq!(reduction(name).unwrap().total(Some(dtype)), Some(*total));
            let mut accumulator = reduction(name).unwrap().accumulator(Some(dtype), &[]);
            accumulator.resize(GROUPS);
            rows.update(&mut *accumulator, &all, true);
            Ok(accumulator.finish())
        });
        let alone = alone.collect::<Result<Vec<_>, TestCaseError>>()?;
        match (alone.into_iter().collect::<Result<Vec<_>, _>>(), last.finish_each()) {
            (Ok(alone), Ok(shared)) => {
                for (a, b) in alone.iter().zip(&shared) {
                    prop_assert_eq!(bits(a), bits(b));
                }
            }
            (a, b) => prop_assert_eq!(a.err(), b.err()),
        }
    }

    #[test]
    fn products_follow_the_tree(rows in rows()) {
        let Data::Float64(values) = &rows.data else { return Ok(()) };
        let mut accumulator = reduction("prod").unwrap().accumulator(Some(DType::Float64), &[]);
        accumulator.resize(GROUPS);
        let all: Vec<usize> = (0..values.len()).collect();
        rows.update(&mut *accumulator, &all, true);
        let products = accumulator.finish().unwrap();
        for group in 0..GROUPS {
            let mut leaves = vec![Factor::ONE; 8192];
            for row in all.iter().filter(|r| rows.valid[**r] && rows.groups[**r] == group as u32) {
                leaves[rows.index(*row) as usize] = values[*row].into();
            }
            while leaves.len() > 1 {
                leaves = leaves.chunks(2).map(|pair| pair[0].times(pair[1])).collect();
            }
            let product = products.as_primitive::<Float64Type>().value(group);
            let right = leaves[0].high;
            prop_assert!(product.to_bits() == right.to_bits() || product.is_nan() && right.is_nan());
        }
    }

    #[test]
    fn bytes_that_are_no_state_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        for entry in REDUCTIONS {
            for dtype in DType::NAMED {
                let constants = constants(entry.name());
                if entry.result(Some(dtype), &constants).is_err() {
                    continue;
                }
                let mut accumulator = entry.accumulator(Some(dtype), &constants);
                accumulator.resize(1);
                let states = arrow_array::BinaryArray::from(vec![&bytes[..]]);
                let states: ArrayRef = std::sync::Arc::new(states);
                if accumulator.merge(&states, &[0]).is_ok() {
                    let _ = accumulator.finish();
                }
                prop_assert!(accumulator.merge(&states, &[1]).is_err());
            }
        }
    }
}

/// The result for one group of these values.
fn reduce(
    name: &str,
    constants: &[Value],
    data: Data,
    valid: Vec<bool>,
) -> Result<Option<String>, String> {
    let entry = reduction(name).unwrap();
    entry.result(Some(data.dtype()), constants)?;
    let mut accumulator = entry.accumulator(Some(data.dtype()), constants);
    accumulator.resize(1);
    let n = valid.len();
    let rows = Rows { data, valid, groups: vec![0; n], first: 10 };
    rows.update(&mut *accumulator, &(0..n).collect::<Vec<_>>(), true);
    let result = accumulator.finish().map_err(|failure| failure.message)?;
    Ok(match result.data_type() {
        t if *t == DType::Float64.arrow() && result.is_valid(0) => {
            Some(format!("{:?}", result.as_primitive::<Float64Type>().value(0)))
        }
        t if *t == DType::Float32.arrow() && result.is_valid(0) => {
            Some(format!("{:?}", result.as_primitive::<Float32Type>().value(0)))
        }
        _ => bits(&result).remove(0),
    })
}

fn floats(name: &str, constants: &[Value], values: &[f64]) -> String {
    let valid = vec![true; values.len()];
    let result = reduce(name, constants, Data::Float64(values.to_vec()), valid);
    result.unwrap().unwrap_or("missing".into())
}

#[test]
fn numpy_agrees() {
    let x = [3.0, -1.5, 4.0, 4.0, -1.5, 0.25];
    let expected = [
        ("sum", "8.25"),
        ("prod", "27.0"),
        ("mean", "1.375"),
        ("var", "5.703125"),
        ("std", "2.38812164681785"),
        ("min", "-1.5"),
        ("max", "4.0"),
        ("argmin", "11"),
        ("argmax", "12"),
        ("count", "6"),
        ("any", "true"),
        ("all", "true"),
        ("first", "3.0"),
        ("last", "0.25"),
        ("median", "1.625"),
    ];
    for (name, result) in expected {
        assert_eq!(floats(name, &[], &x), result, "{name}");
    }
    assert_eq!(floats("var", &[Value::Int(1)], &x), "6.84375");
    assert_eq!(floats("var", &[Value::Int(1)], &[1.0]), "NaN");
    assert_eq!(floats("quantile", &[Value::Float(0.3)], &x), "-0.625");
    assert_eq!(floats("quantile", &[Value::Int(0)], &x), "-1.5");
    assert_eq!(floats("quantile", &[Value::Int(1)], &x), "4.0");
}

#[test]
fn empty_groups_nan_and_zeros() {
    let nothing = [
        ("sum", "0.0"),
        ("prod", "1.0"),
        ("mean", "missing"),
        ("var", "missing"),
        ("min", "missing"),
        ("argmax", "missing"),
        ("count", "0"),
        ("any", "false"),
        ("all", "true"),
        ("first", "missing"),
        ("median", "missing"),
    ];
    for (name, result) in nothing {
        assert_eq!(floats(name, &[], &[]), result, "{name}");
        let missing = reduce(name, &[], Data::Float64(vec![7.0; 3]), vec![false; 3]).unwrap();
        assert_eq!(missing.unwrap_or("missing".into()), result, "{name}");
    }
    for name in ["sum", "prod", "mean", "var", "std", "min", "max", "median"] {
        assert_eq!(floats(name, &[], &[1.0, f64::NAN, 2.0]), "NaN", "{name}");
    }
    for name in ["argmin", "argmax"] {
        assert_eq!(floats(name, &[], &[1.0, f64::NAN, 2.0]), "11", "{name}");
    }
    assert_eq!(floats("min", &[], &[0.0, -0.0, 0.0]), "-0.0");
    assert_eq!(floats("max", &[], &[-0.0, 0.0, -0.0]), "0.0");
    assert_eq!(floats("max", &[], &[-0.0]), "-0.0");
    assert_eq!(floats("min", &[], &[f64::INFINITY]), "inf");
    assert_eq!(floats("max", &[], &[f64::NEG_INFINITY; 40]), "-inf");
}

#[test]
fn integers_are_exact_or_an_error() {
    let run = |name: &str, values: &[i64]| {
        reduce(name, &[], Data::Int64(values.to_vec()), vec![true; values.len()])
    };
    let max = i64::MAX;
    assert_eq!(run("sum", &[max, max, -max]), Ok(Some(max.to_string())));
    assert_eq!(
        run("sum", &[max, 1]),
        Err("sum of int64 exceeds int64; use sum(float64(x))".to_string())
    );
    assert_eq!(run("prod", &[i64::MIN, 1, 1]), Ok(Some(i64::MIN.to_string())));
    assert!(run("prod", &[i64::MIN, -1]).is_err());
    assert_eq!(run("prod", &[max, max, 0]), Ok(Some("0".into())));
    assert_eq!(run("mean", &[max, max]), Ok(Some("9.223372036854776e18".into())));
    assert_eq!(run("min", &[max, max]), Ok(Some(max.to_string())));
    assert_eq!(run("max", &[i64::MIN]), Ok(Some(i64::MIN.to_string())));
    assert_eq!(run("argmax", &[i64::MIN, i64::MIN]), Ok(Some("10".into())));
    assert_eq!(run("last", &[4, max]), Ok(Some(max.to_string())));
}

#[test]
fn text_and_rows() {
    let words = || Data::String(["pear", "", "zebra", "apple"].map(String::from).to_vec());
    let run = |name: &str| reduce(name, &[], words(), vec![true, false, true, true]).unwrap();
    for (name, result) in [
        ("min", "apple"),
        ("max", "zebra"),
        ("first", "pear"),
        ("last", "apple"),
        ("argmin", "13"),
        ("argmax", "12"),
        ("count", "3"),
    ] {
        assert_eq!(run(name).as_deref(), Some(result), "{name}");
    }
    let mut count = reduction("count").unwrap().accumulator(None, &[]);
    count.resize(1);
    count.update(7, &[], None, Groups::One(0), Indices::From(0));
    assert_eq!(bits(&count.finish().unwrap()), [Some("7".to_string())]);
}

#[test]
fn what_is_not_taken_is_said() {
    let result = |name: &str, column, constants: &[Value]| {
        reduction(name).unwrap().result(column, constants).unwrap_err()
    };
    assert_eq!(
        result("sum", Some(DType::String), &[]),
        "x in `sum(x)` must be a number (bool, int32, int64, float32, float64), not string"
    );
    assert_eq!(result("sum", None, &[]), "`sum(x)` needs a column x");
    assert_eq!(
        result("quantile", Some(DType::Int32), &[Value::Float(1.5)]),
        "q in `quantile(x, q)` must be a number from 0 to 1, not 1.5"
    );
    assert_eq!(
        result("var", Some(DType::Int32), &[Value::Int(-1)]),
        "ddof in `var(x, ddof)` must be an integer from 0 on, not -1"
    );
    assert_eq!(
        result("min", Some(DType::Int32), &[Value::Int(1)]),
        "`min(x)` takes one argument, not 2"
    );
}

#[test]
fn the_table_is_sorted_and_documented() {
    assert!(REDUCTIONS.windows(2).all(|w| w[0].name() < w[1].name()));
    for entry in REDUCTIONS {
        assert!(entry.summary().ends_with('.') || entry.name() == "median", "{}", entry.name());
        assert!(entry.doc().lines().count() > 2, "{}", entry.name());
        assert!(entry.signature().starts_with(entry.name()));
    }
    assert!(reduction("nothing").is_none());
}
