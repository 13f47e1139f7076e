//! Joins against a slow, obvious one.
use super::plans::{Build, fold, points, table};
use super::shown;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use base::{DType, Field, Schema, Tiling};
use plan::physical::*;
use std::sync::Arc;

fn random(i: u64) -> u64 {
    crate::hash::word(i)
}

/// The keys of a row of a side: a float that may be missing, NaN or a zero of either sign, and a
/// text that may be missing. `hot`: nine of ten rows have the same.
fn keys(side: u64, row: i64, hot: bool) -> (Option<f64>, Option<String>) {
    let x = random(side << 32 | row as u64);
    if hot && !x.is_multiple_of(10) {
        return (Some(1.5), Some("hot".into()));
    }
    let float = match x / 16 % 8 {
        0 => None,
        1 => Some(f64::NAN),
        2 => Some(0.0),
        3 => Some(-0.0),
        y => Some(y as f64),
    };
    let text = (!(x / 1024).is_multiple_of(9)).then(|| format!("text {}", x / 1024 % 5));
    (float, text)
}

fn schema(rows: u64, name: &str) -> Schema {
    table(rows, &[("x", DType::Float64), ("s", DType::String), (name, DType::Int64)])
}

impl Build {
    /// Reads rows of a side, `n` of them.
    fn side(self, side: u64, n: u64, step: u64, hot: bool) -> Build {
        let schema = schema(n, if side == 0 { "l" } else { "r" });
        let tiling = Tiling::even(&schema.domain, &[step]);
        self.made(&schema, tiling, move |region| {
            let n = points(region);
            let rows = n.as_primitive::<Int64Type>().values();
            let x: Float64Array = rows.iter().map(|i| keys(side, *i, hot).0).collect();
            let s: StringArray = rows.iter().map(|i| keys(side, *i, hot).1).collect();
            Ok(vec![Arc::new(x), Arc::new(s), n])
        })
    }

    /// Joins nodes 0 and 1 by the first two columns.
    fn join(mut self, join: &Join, spread: bool, output: &Schema) -> Build {
        let right = schema(0, "r");
        if !spread {
            let all = self.node("all", Op::Exchange(Route::Processes), &[1], &right);
            self.node("join", Op::Join(join.clone()), &[0, all], output);
            return self;
        }
        let right = self.node("hash", Op::Exchange(Route::Hash(2)), &[1], &right);
        let ask = self.node("ask", Op::Ask(join.clone()), &[0], output);
        let asked = self.node("asked", Op::Exchange(Route::Address), &[ask], output);
        let find = self.node("find", Op::Find(join.clone()), &[asked, right], output);
        let found = self.node("found", Op::Exchange(Route::Address), &[find], output);
        self.node("match", Op::Match(join.clone()), &[found], output);
        self
    }
}

fn join(how: How, rows: u64) -> Join {
    let right = matches!(how, How::Inner | How::Left);
    Join {
        how,
        keys: vec![0, 1],
        types: vec![DType::Float64, DType::String],
        left: vec![2, 0],
        right: if right { vec![2, 1] } else { vec![] },
        right_types: vec![DType::Float64, DType::String, DType::Int64],
        sizes: vec![rows],
        keep_index: true,
    }
}

fn output(how: How) -> Schema {
    let mut columns = vec![("l", DType::Int64), ("x", DType::Float64)];
    if matches!(how, How::Inner | How::Left) {
        columns.extend([("r", DType::Int64), ("s", DType::String)]);
    }
    table(0, &columns)
}

/// The rows of both sides that a join has, one by one.
fn naive(how: How, left: u64, right: u64, hot: bool) -> Vec<(i64, Option<i64>)> {
    let equal = |l: i64, r: i64| {
        let ((a, s), (b, t)) = (keys(0, l, hot), keys(1, r, hot));
        let (Some(a), Some(b), Some(s), Some(t)) = (a, b, s, t) else { return false };
        (a == b || a.is_nan() && b.is_nan()) && s == t
    };
    let mut rows = Vec::new();
    for l in 0..left as i64 {
        let matches: Vec<i64> = (0..right as i64).filter(|r| equal(l, *r)).collect();
        match (how, matches.is_empty()) {
            (How::Semi, false) | (How::Anti | How::Left, true) => rows.push((l, None)),
            (How::Inner | How::Left, _) => rows.extend(matches.iter().map(|r| (l, Some(*r)))),
            (How::Semi, true) | (How::Anti, false) => {}
        }
    }
    rows
}

fn check(found: &RecordBatch, naive: &[(i64, Option<i64>)], how: How, hot: bool) {
    let ints = |i: usize| found.column(i).as_primitive::<Int64Type>().iter().collect::<Vec<_>>();
    let left: Vec<_> = naive.iter().map(|(l, _)| Some(*l)).collect();
    assert_eq!(ints(0), left);
    let x = found.column(1).as_primitive::<Float64Type>();
    for (i, (l, _)) in naive.iter().enumerate() {
        let own = x.is_valid(i).then(|| x.value(i).to_bits());
        assert_eq!(own, keys(0, *l, hot).0.map(f64::to_bits));
    }
    if matches!(how, How::Inner | How::Left) {
        assert_eq!(ints(2), naive.iter().map(|(_, r)| *r).collect::<Vec<_>>());
        let s: Vec<_> = found.column(3).as_string::<i32>().iter().collect();
        let text = |r: &Option<i64>| r.and_then(|r| keys(1, r, hot).1);
        let own: Vec<_> = naive.iter().map(|(_, r)| text(r)).collect();
        assert_eq!(s, own.iter().map(|s| s.as_deref()).collect::<Vec<_>>());
    }
}

#[test]
fn rows_are_those_of_nested_loops() {
    let sides = [(200, 150, false), (120, 60, true), (0, 30, false), (40, 0, false), (1, 1, true)];
    for (left, right, hot) in sides {
        for how in How::ALL {
            let naive = naive(how, left, right, hot);
            for spread in [false, true] {
                for step in [7, 1000] {
                    let plan = Build::new()
                        .side(0, left, step, hot)
                        .side(1, right, step * 2, hot)
                        .join(&join(how, left), spread, &output(how))
                        .sort(&[], None, &output(how))
                        .show(&output(how));
                    check(&shown(&plan), &naive, how, hot);
                }
            }
        }
    }
}

/// Indices tell rows apart and keep their order: the first and last values, and a product, are the
/// same whatever the tiles are.
#[test]
fn rows_are_indexed() {
    let rows = naive(How::Inner, 100, 90, true);
    let output = output(How::Inner);
    let results = table(1, &[("first", DType::Int64), ("last", DType::Int64), ("n", DType::Int64)]);
    for (spread, step) in [(false, 9), (true, 9), (true, 1000)] {
        let reduce = fold(&output, &[("first", 2), ("last", 2), ("count", 0)], FoldKind::All);
        let plan = Build::new()
            .side(0, 100, step, true)
            .side(1, 90, 13, true)
            .join(&join(How::Inner, 100), spread, &output)
            .reduce(reduce, Route::Gather, &output, &results)
            .show(&results);
        let found = shown(&plan);
        let value = |i: usize| found.column(i).as_primitive::<Int64Type>().value(0);
        let right: Vec<i64> = rows.iter().filter_map(|row| row.1).collect();
        assert_eq!(value(0), right[0]);
        assert_eq!(value(1), right[right.len() - 1]);
        assert_eq!(value(2), rows.len() as i64);
    }
}

/// Both sides from one reader: the left's tiles cannot wait with their credits.
#[test]
fn a_table_with_itself() {
    for spread in [false, true] {
        let schema = table(300, &[("k", DType::Int64)]);
        let mut build = Build::new().made(&schema, Tiling::even(&schema.domain, &[7]), |region| {
            let n = points(region);
            let k = n.as_primitive::<Int64Type>().values().iter().map(|n| n % 100);
            Ok(vec![Arc::new(Int64Array::from_iter_values(k)) as ArrayRef])
        });
        let join = Join {
            how: How::Inner,
            keys: vec![0],
            types: vec![DType::Int64],
            left: vec![0],
            right: vec![0],
            right_types: vec![DType::Int64],
            sizes: vec![300],
            keep_index: false,
        };
        let output = table(0, &[("k", DType::Int64), ("j", DType::Int64)]);
        let route = if spread { Route::Hash(1) } else { Route::Processes };
        let right = build.node("right", Op::Exchange(route), &[0], &schema);
        if spread {
            let ask = build.node("ask", Op::Ask(join.clone()), &[0], &output);
            let asked = build.node("asked", Op::Exchange(Route::Address), &[ask], &output);
            let find = build.node("find", Op::Find(join.clone()), &[asked, right], &output);
            let found = build.node("found", Op::Exchange(Route::Address), &[find], &output);
            build.node("match", Op::Match(join), &[found], &output);
        } else {
            build.node("join", Op::Join(join), &[0, right], &output);
        }
        let found = shown(&build.sort(&[], None, &output).show(&output));
        assert_eq!(found.num_rows(), 900);
        assert_eq!(found.column(0).as_primitive::<Int64Type>().value(899), 99);
    }
}

/// A box and a smaller one, whatever their tiles and the order of the smaller one's dimensions.
#[test]
fn boxes_by_their_dimensions() {
    use base::{DimMask, Domain};
    let whole = |dims: &[(&str, u64)], names: &[&str]| {
        let domain = Domain::new(dims.iter().copied());
        let field = |n: &&str| Field::new(*n, DType::Int64, domain.full());
        let fields = names.iter().map(field).collect();
        Schema { domain, fields, ..Schema::default() }
    };
    // A point's value says where it is.
    let value = |strides: &'static [i64]| {
        move |region: &base::Region| {
            let mut all = vec![0i64];
            for ((at, n), stride) in region.origin.iter().zip(&region.shape).zip(strides) {
                let next = |v: i64| (0..*n as i64).map(move |i| v + (*at as i64 + i) * stride);
                all = all.into_iter().flat_map(next).collect();
            }
            Ok(vec![Arc::new(Int64Array::from(all)) as ArrayRef])
        }
    };
    let left = whole(&[("t", 4), ("y", 5), ("x", 6)], &["l"]);
    let mut output = left.clone();
    output.fields.push(Field::new("r", DType::Int64, DimMask(0b110)));
    type Right = (Schema, &'static [i64], Vec<Option<usize>>);
    let rights: [Right; 2] = [
        (whole(&[("y", 5), ("x", 6)], &["r"]), &[10, 1], vec![Some(1), Some(2)]),
        (whole(&[("x", 6), ("y", 5)], &["r"]), &[1, 10], vec![Some(2), Some(1)]),
    ];
    for (right, strides, dims) in rights {
        for (cut, cut2) in [([4, 5, 6], [5, 6]), ([1, 2, 6], [2, 4]), ([3, 3, 4], [1, 1])] {
            let tiling = Tiling::even(&right.domain, &cut2);
            let overlay = Overlay {
                dims: dims.clone(),
                tiling: tiling.clone(),
                left: vec![0],
                right: vec![(0, DimMask(0b11))],
                checked: Vec::new(),
                rows: false,
            };
            let mut build = Build::new()
                .made(&left, Tiling::even(&left.domain, &cut), value(&[100, 10, 1]))
                .made(&right, tiling, value(strides));
            let all = build.node("all", Op::Exchange(Route::Processes), &[1], &right);
            build.node("join", Op::Overlay(overlay), &[0, all], &output);
            let rows = output.to_rows();
            let plan = build.sort(&[(0, false)], None, &rows).show(&rows);
            let found = shown(&plan);
            let column = |i: usize| found.column(i).as_primitive::<Int64Type>().values().to_vec();
            assert_eq!(column(0).len(), 120);
            assert!(column(0).iter().zip(column(1)).all(|(l, r)| l % 100 == r), "{cut:?} {dims:?}");
        }
    }
}
