//! Folds against slow, obvious ones.
use super::plans::{Build, floats, fold, numbers, points, table, texts};
use super::shown;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array};
use base::{DType, DimMask, Domain, Field, Schema, Tiling};
use expr::exact::{ExactSum, Precision};
use plan::physical::{FoldKind, Route};
use std::collections::BTreeMap;
use std::sync::Arc;

fn sum_and_count() -> Schema {
    table(1, &[("total", DType::Float64), ("terms", DType::Int64)])
}

/// A value of wild size, for point `i`.
fn wild(i: i64) -> f64 {
    let x = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (x as i64 as f64) * 2f64.powi((x % 120) as i32 - 60)
}

#[test]
fn everything_in_any_tiling() {
    let mut first = None;
    for step in [1000, 333, 7] {
        let schema = table(5000, &[("x", DType::Float64)]);
        let tiling = Tiling::even(&schema.domain, &[step]);
        let all = fold(&schema, &[("sum", 0), ("count", 0)], FoldKind::All);
        let plan = Build::new()
            .made(&schema, tiling, |r| {
                let ends = r.origin[0] as i64..r.origin[0] as i64 + r.shape[0] as i64;
                Ok(vec![floats(ends.map(wild))])
            })
            .reduce(all, Route::Gather, &schema, &sum_and_count())
            .show(&sum_and_count());
        let batch = shown(&plan);
        assert_eq!(batch.column(1).as_primitive::<Int64Type>().value(0), 5000);
        let total = batch.column(0).as_primitive::<Float64Type>().value(0).to_bits();
        assert_eq!(*first.get_or_insert(total), total);
    }
}

#[test]
fn nothing_is_one_row_too() {
    let schema = numbers(0);
    let out = table(1, &[("terms", DType::Int64)]);
    let all = fold(&schema, &[("count", 0)], FoldKind::All);
    let plan = Build::new().numbers(0, 5).reduce(all, Route::Gather, &schema, &out).show(&out);
    let batch = shown(&plan);
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().values(), &[0]);
}

#[test]
fn a_hundred_thousand_tiles_of_one_row() {
    let schema = numbers(100_000);
    let out = table(1, &[("total", DType::Int64)]);
    let all = fold(&schema, &[("sum", 0)], FoldKind::All);
    let plan =
        Build::new().numbers(100_000, 1).reduce(all, Route::Gather, &schema, &out).show(&out);
    let tally = super::alone(&plan, 2).unwrap();
    let batch = super::rows(&tally);
    let total = batch.column(0).as_primitive::<Int64Type>().value(0);
    assert_eq!(total, 99_999 * 100_000 / 2);
    eprintln!("{:.2} us a tile", tally.seconds * 10.0);
}

#[test]
fn by_two_keys() {
    let n = 20_000;
    let schema = table(n, &[("s", DType::String), ("k", DType::Int64), ("n", DType::Int64)]);
    let out = table(0, &[("s", DType::String), ("k", DType::Int64), ("total", DType::Int64)]);
    let text = |i: i64| format!("group {}", i % 7);
    let key = |i: i64| (i % 11 != 0).then_some(i % 11);
    let by = fold(&schema, &[("sum", 2)], FoldKind::By(vec![0, 1]));
    let plan = Build::new()
        .made(&schema, Tiling::even(&schema.domain, &[777]), move |r| {
            let n = points(r);
            let n64 = n.as_primitive::<Int64Type>().values();
            let keys: ArrayRef = Arc::new(n64.iter().map(|i| key(*i)).collect::<Int64Array>());
            Ok(vec![texts(n64.iter().map(|i| text(*i))), keys, n])
        })
        .reduce(by, Route::Hash(2), &schema, &out)
        .sort(&[(0, false), (1, false)], None, &out)
        .show(&out);
    let batch = shown(&plan);
    let mut naive = BTreeMap::new();
    for i in 0..n as i64 {
        *naive.entry((text(i), key(i).unwrap_or(i64::MAX))).or_insert(0) += i;
    }
    let keys = batch.column(1).as_primitive::<Int64Type>();
    let found = (0..batch.num_rows()).map(|row| {
        let key = if keys.is_null(row) { i64::MAX } else { keys.value(row) };
        let total = batch.column(2).as_primitive::<Int64Type>().value(row);
        ((batch.column(0).as_string::<i32>().value(row).to_string(), key), total)
    });
    assert!(found.eq(naive));
}

/// Float keys with NaN, zeros of both signs and gaps; sums that need more than three terms.
#[test]
fn by_wild_keys_with_shared_states() {
    let n = 30_000;
    let schema = table(n, &[("k", DType::Float64), ("x", DType::Float64)]);
    let names = ["k", "sum", "mean", "count"];
    let types = [DType::Float64, DType::Float64, DType::Float64, DType::Int64];
    let columns: Vec<(&str, DType)> = names.into_iter().zip(types).collect();
    let out = table(0, &columns);
    let key = |i: i64| match i * 7919 % 5000 {
        0 => None,
        1 => Some(f64::NAN),
        2 => Some(-f64::NAN),
        3 => Some(-0.0),
        4 => Some(0.0),
        k => Some(k as f64 * 0.5),
    };
    let value = |i: i64| match i % 10 {
        0 => None,
        1 => Some(1e300 * (i % 3 - 1) as f64),
        2 => Some(f64::MIN_POSITIVE / 8.0),
        _ => Some(wild(i)),
    };
    let calls = [("sum", 1), ("mean", 1), ("count", 1)];
    let by = fold(&schema, &calls, FoldKind::By(vec![0]));
    let plan = Build::new()
        .made(&schema, Tiling::even(&schema.domain, &[1777]), move |r| {
            let n = points(r);
            let n = n.as_primitive::<Int64Type>().values();
            let keys: Float64Array = n.iter().map(|i| key(*i)).collect();
            let values: Float64Array = n.iter().map(|i| value(*i)).collect();
            Ok(vec![Arc::new(keys), Arc::new(values)])
        })
        .reduce(by, Route::Hash(1), &schema, &out)
        .sort(&[(0, false)], None, &out)
        .show(&out);
    let batch = shown(&plan);
    // Bits of the key, all NaNs as one, in the order of the numbers: none is below 0.
    let bits = |k: Option<f64>| match k {
        None => u64::MAX,
        Some(k) if k.is_nan() => u64::MAX - 1,
        Some(k) => (k + 0.0).to_bits(),
    };
    let mut naive: BTreeMap<u64, (ExactSum, u64, i64)> = BTreeMap::new();
    for i in 0..n as i64 {
        let (sum, values, rows) = naive.entry(bits(key(i))).or_default();
        *rows += 1;
        if let Some(x) = value(i) {
            sum.add(x);
            *values += 1;
        }
    }
    let float = |c: usize| batch.column(c).as_primitive::<Float64Type>();
    assert_eq!(batch.num_rows(), naive.len());
    for (row, (key, (sum, values, rows))) in naive.into_iter().enumerate() {
        let found = float(0).is_valid(row).then(|| float(0).value(row));
        assert_eq!(bits(found), key);
        assert_eq!(float(1).value(row).to_bits(), sum.to_f64().to_bits());
        let mean = (values > 0).then(|| sum.divided(values, Precision::Double).to_bits());
        assert_eq!(float(2).is_valid(row).then(|| float(2).value(row).to_bits()), mean);
        assert_eq!(batch.column(3).as_primitive::<Int64Type>().value(row), rows);
    }
}

/// A grid of 6 × 5 × 40, folded over each set of dimensions.
#[test]
fn over_dimensions() {
    let sizes = [6usize, 5, 40];
    let domain = Domain::new([("a", 6), ("b", 5), ("c", 40)]);
    let field = |name: &str, mask| Field::new(name, DType::Int64, mask);
    let fields = vec![field("x", DimMask::first(3)), field("y", DimMask::only(2))];
    let schema = Schema { domain: domain.clone(), fields, ..Schema::default() };
    let value = |p: [usize; 3]| (p[0] * 1000 + p[1] * 100 + p[2]) as i64;
    let keeps = [vec![], vec![0], vec![1], vec![2], vec![0, 1], vec![1, 2], vec![0, 2]];
    for (keep, finer) in keeps.into_iter().flat_map(|keep| [(keep.clone(), 1), (keep, 9)]) {
        let tiling = Tiling::even(&domain, &[4, 2, 33]);
        let kept = tiling.project(&keep);
        let parts = tiling.count() / kept.count();
        let kept = kept.finer(finer * kept.count(), 1);
        let over = FoldKind::Over { keep: keep.clone(), tiling: kept, parts };
        let reduce = fold(&schema, &[("sum", 0), ("max", 1)], over);
        let dims = keep.iter().map(|d| domain.dims[*d].clone()).collect();
        let mask = DimMask::first(keep.len());
        let fields = vec![field("sum", mask), field("max", mask)];
        let out = Schema { domain: Domain { dims }, fields, ..Schema::default() };
        let plan = Build::new()
            .made(&schema, tiling, move |r| {
                let mut x = Vec::new();
                for a in 0..r.shape[0] {
                    for b in 0..r.shape[1] {
                        for c in 0..r.shape[2] {
                            let at = [a, b, c];
                            x.push(value([0, 1, 2].map(|d| at[d] + r.origin[d] as usize)));
                        }
                    }
                }
                let first = r.origin[2] as i64;
                let y = Int64Array::from_iter_values(first..first + r.shape[2] as i64);
                Ok(vec![Arc::new(Int64Array::from(x)), Arc::new(y)])
            })
            .reduce(reduce, Route::Tile, &schema, &out)
            .sort(&[], None, &out.to_rows())
            .show(&out.to_rows());
        let batch = shown(&plan);
        let mut naive: BTreeMap<Vec<usize>, (i64, i64)> = BTreeMap::new();
        for a in 0..sizes[0] {
            for b in 0..sizes[1] {
                for c in 0..sizes[2] {
                    let cell = keep.iter().map(|d| [a, b, c][*d]).collect();
                    let entry = naive.entry(cell).or_insert((0, 0));
                    *entry = (entry.0 + value([a, b, c]), entry.1.max(c as i64));
                }
            }
        }
        // Rows come tile by tile: compare as multisets, and as many as there are cells.
        let column = |i: usize| batch.column(i).as_primitive::<Int64Type>().values().to_vec();
        let mut found: Vec<(i64, i64)> = column(0).into_iter().zip(column(1)).collect();
        let mut wanted: Vec<(i64, i64)> = naive.into_values().collect();
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{keep:?}");
    }
}
