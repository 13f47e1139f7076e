//! Sort and top against slow, obvious ones.
use super::plans::{Build, floats, numbers, points, table};
use super::{alone, shown};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray};
use base::{DType, Tiling};
use std::cmp::Ordering;
use std::sync::Arc;

/// Rows of a key with many ties and the row's number, sorted by the key.
fn sorted(step: u64, descending: bool, limit: Option<u64>) -> Vec<i64> {
    let schema = table(3000, &[("key", DType::Int64), ("n", DType::Int64)]);
    let plan = Build::new()
        .made(&schema, Tiling::even(&schema.domain, &[step]), |r| {
            let n = points(r);
            let keys = n.as_primitive::<Int64Type>().values().iter().map(|n| n * 7919 % 50);
            Ok(vec![Arc::new(Int64Array::from_iter_values(keys)) as ArrayRef, n])
        })
        .sort(&[(0, descending)], limit, &schema)
        .show(&schema);
    shown(&plan).column(1).as_primitive::<Int64Type>().values().to_vec()
}

#[test]
fn sort_keeps_ties_in_place() {
    let mut naive: Vec<i64> = (0..3000).collect();
    naive.sort_by_key(|n| n * 7919 % 50);
    assert_eq!(sorted(100, false, None), naive);
    assert_eq!(sorted(999, false, Some(10)), naive[..10]);
    let mut naive: Vec<i64> = (0..3000).collect();
    naive.sort_by_key(|n| -(n * 7919 % 50));
    assert_eq!(sorted(7, true, Some(200)), naive[..200]);
}

#[test]
fn no_rows_make_one_empty_tile() {
    let schema = numbers(0);
    let plan = Build::new().numbers(0, 5).sort(&[(0, false)], Some(3), &schema).show(&schema);
    assert_eq!(shown(&plan).num_rows(), 0);
}

/// Something that looks random.
fn random(i: i64) -> u64 {
    crate::hash::word(i as u64)
}

/// A float that may be missing, NaN, or a zero of either sign.
fn float(i: i64) -> Option<f64> {
    match random(i) % 12 {
        0 => None,
        1 => Some(f64::NAN),
        2 => Some(-0.0),
        3 => Some(0.0),
        4 => Some(f64::NEG_INFINITY),
        x => Some(x as f64 - 8.0),
    }
}

fn text(i: i64) -> Option<String> {
    let x = random(i + 1_000_000) % 300;
    (!x.is_multiple_of(10)).then(|| format!("a common beginning {}", x % 7))
}

/// Missing after NaN after numbers, whatever the direction.
fn floats_in_order(a: Option<f64>, b: Option<f64>, descending: bool) -> Ordering {
    let class = |x: Option<f64>| x.map_or(2, |x| i32::from(x.is_nan()));
    class(a).cmp(&class(b)).then_with(|| {
        let order = a.partial_cmp(&b).unwrap_or(Ordering::Equal);
        if descending { order.reverse() } else { order }
    })
}

fn texts_in_order(a: &Option<String>, b: &Option<String>, descending: bool) -> Ordering {
    a.is_none().cmp(&b.is_none()).then_with(|| if descending { b.cmp(a) } else { a.cmp(b) })
}

#[test]
fn wild_values_by_two_keys() {
    for (step, rows, one, two) in
        [(100, 3000, false, true), (7, 500, true, false), (5000, 3000, true, true)]
    {
        let schema =
            table(rows, &[("x", DType::Float64), ("s", DType::String), ("n", DType::Int64)]);
        let plan = Build::new()
            .made(&schema, Tiling::even(&schema.domain, &[step]), |r| {
                let n = points(r);
                let rows = n.as_primitive::<Int64Type>().values();
                let x: Float64Array = rows.iter().map(|i| float(*i)).collect();
                let s: StringArray = rows.iter().map(|i| text(*i)).collect();
                Ok(vec![Arc::new(x), Arc::new(s), n])
            })
            .sort(&[(0, one), (1, two)], None, &schema)
            .show(&schema);
        let found = shown(&plan).column(2).as_primitive::<Int64Type>().values().to_vec();
        let mut naive: Vec<i64> = (0..rows as i64).collect();
        naive.sort_by(|a, b| {
            floats_in_order(float(*a), float(*b), one)
                .then_with(|| texts_in_order(&text(*a), &text(*b), two))
        });
        assert_eq!(found, naive);
    }
}

/// Equal keys, few keys, rows that are in order already: the same tiles from all workers.
#[test]
fn tiles_are_the_same_for_any_workers() {
    let keys: [fn(i64) -> f64; 5] =
        [|_| 1.0, |i| (i % 2) as f64, |i| i as f64, |i| -i as f64, |i| (random(i) % 100) as f64];
    for key in keys {
        let schema = table(2345, &[("x", DType::Float64), ("n", DType::Int64)]);
        let plan = Build::new()
            .made(&schema, Tiling::even(&schema.domain, &[321]), move |r| {
                let n = points(r);
                let x = floats(n.as_primitive::<Int64Type>().values().iter().map(|i| key(*i)));
                Ok(vec![x, n])
            })
            .sort(&[(0, false)], None, &schema)
            .show(&schema);
        let mut naive: Vec<i64> = (0..2345).collect();
        naive.sort_by(|a, b| key(*a).total_cmp(&key(*b)));
        assert_eq!(shown(&plan).column(1).as_primitive::<Int64Type>().values(), &naive);
        for threads in [1, 2, 3, 5] {
            let tally = alone(&plan, threads).unwrap();
            let sizes: Vec<usize> = tally.results[0].2.iter().map(|b| b.num_rows()).collect();
            assert_eq!(sizes, [vec![100; 23], vec![45]].concat(), "{threads} threads");
        }
    }
}

#[test]
fn all_of_nothing_and_of_one_row() {
    for n in [0, 1, 100, 101] {
        let schema = numbers(n);
        let plan = Build::new().numbers(n, 5).sort(&[(0, true)], None, &schema).show(&schema);
        let naive: Vec<i64> = (0..n as i64).rev().collect();
        assert_eq!(shown(&plan).column(0).as_primitive::<Int64Type>().values(), &naive);
    }
}
