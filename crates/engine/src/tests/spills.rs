//! State that outgrows its memory: the same bits as without a bound, and nothing but the rest of
//! it in files.
use super::plans::{Build, floats, fold, points, table};
use super::{Outcome, both_with, in_time, options, rows};
use crate::{Options, Tally, Watch, run};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use base::{DType, FailureKind, Schema, Tiling};
use plan::physical::{Dealt, FoldKind, How, Join, Op, Partition, Physical, Route};
use std::sync::Arc;

/// Something that looks random.
fn random(i: i64) -> u64 {
    crate::hash::word(i as u64)
}

fn alone(plan: &Arc<Physical>, threads: usize, state: u64) -> Outcome {
    let plan = plan.clone();
    let options = Options { state, ..options(threads, 2) };
    in_time(move || run(plan, options, Arc::new(Watch::new())))
}

/// The rows of a plan, however little memory its state has.
fn spilled(plan: &Arc<Physical>, state: u64) -> RecordBatch {
    let free = alone(plan, 1, u64::MAX).unwrap();
    let first = rows(&free);
    assert_eq!(free.spilled, 0);
    let check = |tally: &Tally, spilled: u64, how: &str| {
        assert!(spilled > 0, "{how}");
        assert!(rows(tally) == first, "{how}");
    };
    for (threads, state) in [(1, state), (3, state), (1, state / 4), (2, 0)] {
        let tally = alone(plan, threads, state).unwrap();
        check(&tally, tally.spilled, &format!("{threads} threads, {state} bytes"));
    }
    for threads in [1, 2] {
        let [a, b] = both_with([plan, plan], Options { state, ..options(threads, 2) });
        let (a, b) = (a.unwrap(), b.unwrap());
        check(&a, a.spilled + b.spilled, &format!("2 processes with {threads} threads"));
    }
    first
}

/// Groups, in the order of their keys.
fn grouped(rows: u64, keys: fn(i64) -> i64, aggregates: &[(&str, usize)]) -> Arc<Physical> {
    let columns = [("k", DType::Int64), ("s", DType::String), ("x", DType::Float64)];
    let schema = table(rows, &columns);
    let fields: Vec<(&str, DType)> = [("k", DType::Int64), ("s", DType::String)]
        .into_iter()
        .chain(aggregates.iter().map(|(name, _)| match *name {
            "count" => (*name, DType::Int64),
            _ => (*name, DType::Float64),
        }))
        .collect();
    let out = table(1, &fields);
    let by = fold(&schema, aggregates, FoldKind::By(vec![0, 1]));
    Build::new()
        .made(&schema, Tiling::even(&schema.domain, &[5000]), move |r| {
            let n = points(r);
            let rows = n.as_primitive::<Int64Type>().values();
            let k = Int64Array::from_iter_values(rows.iter().map(|i| keys(*i)));
            let s: StringArray =
                rows.iter().map(|i| (keys(*i) % 3 > 0).then(|| format!("{}", keys(*i)))).collect();
            let x = floats(rows.iter().map(|i| random(*i) as f64 * 1e-3));
            Ok(vec![Arc::new(k) as ArrayRef, Arc::new(s), x])
        })
        .reduce(by, Route::Hash(2), &schema, &out)
        .sort(&[(0, false), (1, false)], None, &out)
        .show(&out)
}

#[test]
fn groups_of_sums_and_of_values() {
    let aggregates = [("sum", 2), ("count", 2), ("median", 2), ("min", 2)];
    let plan = grouped(40_000, |i| i * 7919 % 10_000, &aggregates);
    let found = spilled(&plan, 1 << 20);
    assert_eq!(found.num_rows(), 10_000);
    assert!(found.column(3).as_primitive::<Int64Type>().values().iter().all(|n| *n == 4));
}

#[test]
fn few_groups_and_one_that_has_most_rows() {
    let plan = grouped(40_000, |i| if i % 4 > 0 { 5 } else { i }, &[("sum", 2), ("max", 2)]);
    assert_eq!(spilled(&plan, 1 << 18).num_rows(), 10_001);
}

#[test]
fn a_group_that_cannot_be_split() {
    let plan = grouped(200_000, |i| i % 2, &[("median", 2)]);
    let failure = alone(&plan, 2, 1 << 18).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Memory);
    assert!(failure.message.contains("a group cannot be split"), "{failure}");
}

fn wide(rows: u64, key: fn(i64) -> i64) -> (Schema, Build) {
    let columns = [("k", DType::Int64), ("s", DType::String), ("n", DType::Int64)];
    let schema = table(rows, &columns);
    let build = Build::new().made(&schema, Tiling::even(&schema.domain, &[3000]), move |r| {
        let n = points(r);
        let rows = n.as_primitive::<Int64Type>().values();
        let k: Int64Array =
            rows.iter().map(|i| (key(*i).rem_euclid(11) > 0).then(|| key(*i))).collect();
        let s: StringArray =
            rows.iter().map(|i| Some(format!("common {}", random(key(*i)) % 50))).collect();
        Ok(vec![Arc::new(k) as ArrayRef, Arc::new(s), n])
    });
    (schema, build)
}

#[test]
fn rows_in_order_and_ties_in_place() {
    let keys: [fn(i64) -> i64; 3] = [|i| (random(i) % 1000) as i64, |_| 7, |i| -i];
    for key in keys {
        let rows = 30_000;
        let (schema, build) = wide(rows, key);
        let plan = build.sort(&[(0, true), (1, false)], None, &schema).show(&schema);
        let found = spilled(&plan, 1 << 19);
        let mut naive: Vec<i64> = (0..rows as i64).collect();
        naive.sort_by_key(|i| {
            let k = key(*i);
            let missing = k.rem_euclid(11) == 0;
            (missing, if missing { 0 } else { -k }, format!("common {}", random(k) % 50))
        });
        assert!(found.column(2).as_primitive::<Int64Type>().values() == &naive[..]);
    }
}

#[test]
fn the_first_rows_must_fit() {
    let (schema, build) = wide(100_000, |i| i);
    let plan = build.sort(&[(2, true)], Some(90_000), &schema).show(&schema);
    let failure = alone(&plan, 1, 1 << 20).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Memory);
    assert!(failure.message.contains("first"), "{failure}");
    let few = alone(&plan, 1, u64::MAX).unwrap();
    assert_eq!(rows(&few).num_rows(), 90_000);
}

/// What holds the values of everything has no buckets to put them in.
#[test]
fn a_median_of_everything_must_fit() {
    let schema = table(200_000, &[("x", DType::Float64)]);
    let out = table(1, &[("m", DType::Float64)]);
    let all = fold(&schema, &[("median", 0)], FoldKind::All);
    let plan = Build::new()
        .made(&schema, Tiling::even(&schema.domain, &[5000]), |r| {
            let n = points(r);
            Ok(vec![floats(n.as_primitive::<Int64Type>().values().iter().map(|i| *i as f64))])
        })
        .reduce(all, Route::Gather, &schema, &out)
        .show(&out);
    let failure = alone(&plan, 2, 1 << 18).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Memory);
    let enough = alone(&plan, 2, 1 << 24).unwrap();
    assert_eq!(rows(&enough).column(0).as_primitive::<Float64Type>().value(0), 99_999.5);
}

#[test]
fn a_folder_that_is_not_there() {
    let plan = grouped(40_000, |i| i, &[("sum", 2)]);
    let options = Options { state: 1 << 19, spill: "/nowhere".into(), ..options(2, 2) };
    let failure = in_time(move || run(plan, options, Arc::new(Watch::new()))).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Output);
    assert!(failure.message.starts_with("/nowhere: "), "{failure}");
}

/// A join of two tables by a key, both of the rows that `wide` makes; the right one is spread over
/// the workers, or goes to all processes.
fn joined(
    how: How,
    rows: u64,
    left: fn(i64) -> i64,
    right: fn(i64) -> i64,
    spread: bool,
) -> Arc<Physical> {
    let (schema, build) = wide(rows, left);
    let (_, other) = wide(rows, right);
    let mut build = build.beside(other);
    let taken = if matches!(how, How::Inner | How::Left) { vec![2, 1] } else { vec![] };
    let join = Join {
        how,
        keys: vec![0],
        types: vec![DType::Int64],
        left: vec![0, 2],
        right: taken.clone(),
        right_types: vec![DType::Int64, DType::String, DType::Int64],
        sizes: vec![rows],
        keep_index: true,
    };
    let mut columns = vec![("k", DType::Int64), ("n", DType::Int64)];
    if !taken.is_empty() {
        columns.extend([("m", DType::Int64), ("s", DType::String)]);
    }
    let out = table(1, &columns);
    if spread {
        let right = build.node("hash", Op::Exchange(Route::Hash(1)), &[1], &schema);
        let ask = build.node("ask", Op::Ask(join.clone()), &[0], &out);
        let asked = build.node("asked", Op::Exchange(Route::Address), &[ask], &out);
        let find = build.node("find", Op::Find(join.clone()), &[asked, right], &out);
        let found = build.node("found", Op::Exchange(Route::Address), &[find], &out);
        build.node("match", Op::Match(join), &[found], &out);
    } else {
        let right = build.node("all", Op::Exchange(Route::Processes), &[1], &schema);
        build.node("join", Op::Join(join), &[0, right], &out);
    }
    build.sort(&[], None, &out).show(&out)
}

#[test]
fn joins_whose_right_side_is_in_files() {
    for spread in [true, false] {
        let plan = joined(How::Left, 20_000, |i| i * 7919 % 15_000, |i| i * 31 % 16_001, spread);
        let found = spilled(&plan, 1 << 19);
        let n = found.column(1).as_primitive::<Int64Type>().values().to_vec();
        assert!(n.is_sorted() && n.len() > 20_000);
        let plan = joined(How::Anti, 20_000, |i| i, |i| i * 2, spread);
        assert!(spilled(&plan, 1 << 19).num_rows() > 10_000);
        // Most rows of the left have one key, and few of the right.
        let hot = |i: i64| if i % 10 == 0 { i } else { 12 };
        let plan = joined(How::Inner, 20_000, hot, |i| i, spread);
        assert_eq!(spilled(&plan, 1 << 19).num_rows(), 18_000 + 1_818);
    }
}

/// No bits of a hash split it, so it is read in parts.
#[test]
fn a_key_of_the_right_that_does_not_fit() {
    let hot = |i: i64| if i % 10 == 0 { i } else { 12 };
    for spread in [true, false] {
        let plan = joined(How::Semi, 30_000, |i| i % 100, hot, spread);
        let found = spilled(&plan, 1 << 19);
        // Keys are multiples of ten and 12; those of eleven are missing.
        assert_eq!(found.num_rows(), 300 * (9 + 1));
        let plan = joined(How::Left, 30_000, |i| i, hot, spread);
        let found = spilled(&plan, 1 << 19);
        assert_eq!(found.num_rows(), 30_000 - 1 + 27_000);
        let m = found.column(2).as_primitive::<Int64Type>();
        let hot: Vec<i64> = (0..found.num_rows())
            .filter(|row| found.column(1).as_primitive::<Int64Type>().value(*row) == 12)
            .map(|row| m.value(row))
            .collect();
        assert!(hot.len() == 27_000 && hot.is_sorted());
    }
}

#[test]
fn parts_in_files() {
    let bounds: ArrayRef = Arc::new(Int64Array::from(vec![10, 500]));
    for (by, into) in [(Dealt::Hash, 7), (Dealt::Range, 5), (Dealt::Bounds(bounds), 3)] {
        let rows = 30_000;
        let (schema, build) = wide(rows, |i| (random(i) % 1000) as i64);
        let plan = Partition { keys: vec![0], into, by: by.clone(), sizes: vec![rows] };
        let mut build = build;
        if by == Dealt::Range {
            build = build
                .then("sample", Op::Sample(plan.clone()), &schema)
                .exchange(Route::Address, &schema);
        }
        let plan = build
            .then("deal", Op::Deal(plan.clone()), &schema)
            .exchange(Route::Address, &schema)
            .then("parts", Op::Parts(plan), &schema)
            .sort(&[], None, &schema)
            .show(&schema);
        let found = spilled(&plan, 1 << 19);
        assert_eq!(found.num_rows(), rows as usize);
        let n = found.column(2).as_primitive::<Int64Type>().values().to_vec();
        let runs = n.chunk_by(|a, b| a < b).count();
        assert_eq!(runs as u64, into, "{by:?}");
    }
}
