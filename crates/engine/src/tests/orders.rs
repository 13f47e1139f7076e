//! Sort and top against slow, obvious ones.
use super::plans::{Build, numbers, table};
use super::shown;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array};
use base::{DType, Tiling};
use std::sync::Arc;

/// Rows of a key with many ties and the row's number, sorted by the key.
fn sorted(step: u64, descending: bool, limit: Option<u64>) -> Vec<i64> {
    let schema = table(3000, &[("key", DType::Int64), ("n", DType::Int64)]);
    let plan = Build::new()
        .made(&schema, Tiling::even(&schema.domain, &[step]), |r| {
            let n = super::plans::points(r);
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
