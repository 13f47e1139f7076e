//! What operations meet, against definitions in wide integers; where it is of use, row by row.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::dag::run;
use crate::kernels::{Arg, Buffer, Register};
use crate::tests::{rows, typed};
use crate::{Checks, Given, Program, Step, Values};
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array};
use base::{Schema, Tile};
use proptest::prelude::*;
use std::sync::Arc;

/// The rows at which an operation of two integer columns meets something, as the kernel says.
fn met(exception: Exception, name: &str, arguments: &[Arg], len: usize) -> Vec<bool> {
    let mut out = Register::new(DType::Bool);
    run(&exact(exception, name), arguments, &mut out, len).unwrap();
    assert!(!out.nullable);
    let Values::Bool(values) = out.values.values() else { panic!("no bools") };
    values.to_vec()
}

fn longs(values: &[i64]) -> Register {
    Register { values: Buffer::Int64(values.to_vec()), nullable: false, validity: vec![] }
}

fn ints(values: &[i64]) -> Register {
    let values = values.iter().map(|x| *x as i32).collect();
    Register { values: Buffer::Int32(values), nullable: false, validity: vec![] }
}

/// Integers of all sizes, the edges among them.
fn integer() -> impl Strategy<Value = i64> {
    let edge = prop::sample::select(vec![0, 1, -1, 2, 31, 32, 63, 64, i64::MIN, i64::MAX]);
    let edge = prop_oneof![edge, Just(i64::from(i32::MIN)), Just(i64::from(i32::MAX))];
    prop_oneof![edge, (any::<i64>(), 0..64).prop_map(|(x, s)| x >> s), -9i64..9]
}

/// Whether a result in wide integers is beyond the type.
fn beyond(to: DType, value: i128) -> bool {
    match to {
        DType::Int32 => i32::try_from(value).is_err(),
        _ => i64::try_from(value).is_err(),
    }
}

proptest! {
    #[test]
    fn operations_of_integers(pairs in prop::collection::vec((integer(), integer()), 1..40)) {
        let (x, y): (Vec<i64>, Vec<i64>) = pairs.iter().copied().unzip();
        for to in [DType::Int32, DType::Int64] {
            let of = |v: &[i64]| if to == DType::Int32 { ints(v) } else { longs(v) };
            let short = |v: i64| if to == DType::Int32 { i64::from(v as i32) } else { v };
            let (a, b) = (of(&x), of(&y));
            let arguments = [a.arg(), b.arg()];
            let bits = if to == DType::Int32 { 32 } else { 64 };
            let expected = |f: &dyn Fn(i128, i128) -> bool| -> Vec<bool> {
                pairs.iter().map(|(x, y)| f(short(*x).into(), short(*y).into())).collect()
            };
            let is = |e: Exception, name: &str, f: &dyn Fn(i128, i128) -> bool| {
                assert_eq!(met(e, name, &arguments, x.len()), expected(f), "{e:?} {name} {to}");
            };
            is(Exception::DivisionByZero, "//", &|_, y| y == 0);
            is(Exception::NegativePower, "**", &|_, y| y < 0);
            is(Exception::ShiftOutOfRange(to), "<<", &|_, y| y < 0 || y >= bits);
            let overflow = Exception::Overflow(to);
            is(overflow, "+", &|x, y| beyond(to, x + y));
            is(overflow, "-", &|x, y| beyond(to, x - y));
            is(overflow, "*", &|x, y| beyond(to, x * y));
            is(overflow, "//", &|x, y| y == -1 && beyond(to, -x));
            is(overflow, "**", &|x, y| {
                let product = |all: Option<i128>, _| all?.checked_mul(x);
                let far = if x.abs() < 2 { y % 2 } else { y.min(200) };
                y >= 0 && (0..far).fold(Some(1), product).is_none_or(|p| beyond(to, p))
            });
            let first = &arguments[..1];
            let alone = |f: &dyn Fn(i128) -> bool| expected(&|x, _| f(x));
            prop_assert_eq!(met(overflow, "-", first, x.len()), alone(&|x| beyond(to, -x)));
            prop_assert_eq!(met(overflow, "abs", first, x.len()), alone(&|x| beyond(to, x.abs())));
        }
        let narrow = met(Exception::Overflow(DType::Int32), "int32", &[longs(&x).arg()], x.len());
        let beyond: Vec<bool> = x.iter().map(|x| beyond(DType::Int32, (*x).into())).collect();
        prop_assert_eq!(narrow, beyond);
    }

    #[test]
    fn floats_become_integers_unless_they_are_out_of_range(
        x in prop::collection::vec(prop_oneof![any::<f64>(), -3e9..3e9, -1e19..1e19], 1..40),
    ) {
        let edges = [-2147483649.0, -2147483648.9, 2147483647.5, 2147483648.0, f64::NAN,
                     f64::INFINITY, -9223372036854775808.0, 9223372036854775808.0];
        let x: Vec<f64> = x.into_iter().chain(edges).collect();
        let column = Register { values: Buffer::Float64(x.clone()), nullable: false, validity: vec![] };
        for to in [DType::Int32, DType::Int64] {
            let found = met(Exception::CastSaturated(to), "int", &[column.arg()], x.len());
            let right: Vec<bool> = (x.iter())
                .map(|x| x.is_nan() || x.abs() > 1e30 || beyond(to, x.trunc() as i128))
                .collect();
            prop_assert_eq!(found, right, "{}", to);
        }
    }

    #[test]
    fn the_quick_test_misses_nothing(
        x in prop::collection::vec(integer(), 1..60),
        y in prop::collection::vec(integer(), 60),
        power in 2i64..70,
        there in prop::collection::vec(any::<bool>(), 60),
    ) {
        let len = x.len();
        let y = &y[..len];
        let there = there[..len].to_vec();
        let column = |v: &[i64]| -> ArrayRef {
            Arc::new(v.iter().zip(&there).map(|(v, t)| t.then_some(*v)).collect::<Int64Array>())
        };
        let (schema, _) = rows(&[("x", DType::Int64, column(&x)), ("y", DType::Int64, column(y))]);
        let texts = ["x // y", "x % y", "x << y", "int32(x)", "x ** y"].map(String::from);
        for text in texts.into_iter().chain([format!("x ** {power}")]) {
            let typed = typed(&text, &schema).unwrap();
            let node = &typed.dag.nodes[typed.root];
            let Op::Call(call) = &node.op else { panic!("{text}") };
            let gaps = |v| Register { nullable: true, validity: there.clone(), ..longs(v) };
            let mut arguments = [gaps(&x), gaps(y)];
            if text.ends_with(&power.to_string()) {
                arguments[1] = longs(&[power]);
            }
            let arguments: Vec<Arg> =
                arguments[..node.arguments.len()].iter().map(Register::arg).collect();
            for exception in of(&typed.dag, typed.root) {
                let some = met(exception, call.name, &arguments, len).contains(&true);
                if let Some(quick) = Quick::of(exception, &typed.dag, node) {
                    let doubt = quick.fails(&arguments, len).unwrap();
                    prop_assert!(doubt || !some, "{} {:?}", text, exception);
                    // What has no value that is there is not even doubted.
                    prop_assert!(!doubt || there.contains(&true), "{}", text);
                }
            }
        }
    }
}

#[test]
fn what_is_constant_meets_nothing_if_it_is_right() {
    let (schema, _) = sample(10);
    let may = |text: &str| {
        let typed = typed(text, &schema).unwrap();
        of(&typed.dag, typed.root)
    };
    for text in
        ["n // 3", "n % -7", "n << 63", "n ** 1", "int64(i)", "int64(n)", "bool(x)", "n < d"]
    {
        assert_eq!(may(text), [], "{text}");
    }
    assert_eq!(may("n // 0"), [Exception::DivisionByZero]);
    assert_eq!(may("n // -1"), [Exception::Overflow(DType::Int64)]);
    assert_eq!(may("i << 32"), [Exception::ShiftOutOfRange(DType::Int32)]);
    assert_eq!(may("int32(x)"), [Exception::CastSaturated(DType::Int32)]);
    assert_eq!(may("x / y"), [Exception::NanMade]);
}

/// `n`, `d` of int64, with missing values, `i` of int32, floats `x`, `y`, and bools `b`.
fn sample(len: i64) -> (Schema, Tile) {
    let each = |f: &dyn Fn(i64) -> i64, gaps: i64| -> ArrayRef {
        Arc::new((0..len).map(|k| (k % gaps != 1).then(|| f(k))).collect::<Int64Array>())
    };
    let floats = |f: &dyn Fn(i64) -> f64| -> ArrayRef {
        Arc::new((0..len).map(f).collect::<Float64Array>())
    };
    rows(&[
        ("n", DType::Int64, each(&|k| k * 37 % 101 - 50, 13)),
        ("d", DType::Int64, each(&|k| k * 31 % 7 - 3, 11)),
        ("i", DType::Int32, Arc::new((0..len).map(|k| k as i32).collect::<Int32Array>())),
        ("x", DType::Float64, floats(&|k| (k % 5) as f64 - 2.0)),
        ("y", DType::Float64, floats(&|k| if k % 9 == 0 { f64::NAN } else { (k % 3) as f64 })),
        ("b", DType::Bool, {
            Arc::new((0..len).map(|k| (k % 4 != 0).then_some(k % 3 == 0)).collect::<BooleanArray>())
        }),
    ])
}

/// A step of a text: `filter …`, or `name = expression`.
fn step(text: &str, schema: &mut Schema) -> Step {
    if let Some(condition) = text.strip_prefix("filter ") {
        return Step::Filter(typed(condition, schema).unwrap());
    }
    let (name, text) = text.split_once(" = ").unwrap();
    let typed = typed(text, schema).unwrap();
    let field = typed.field(name);
    schema.fields.push(field.clone());
    Step::Map(vec![(field, typed)])
}

/// Cuts a tile of rows.
fn cut(tile: &Tile, start: usize, len: usize) -> Tile {
    let columns = tile.columns.iter();
    let columns = columns.map(|c| base::Column::from(c.array.slice(start, len))).collect();
    Tile { number: 0, origin: vec![start as u64], shape: vec![len], columns, index: None }
}

fn program(steps: &[&str], schema: &Schema, checks: &Checks) -> Program {
    let mut columns = schema.clone();
    let steps: Vec<Step> = steps.iter().map(|text| step(text, &mut columns)).collect();
    let given = vec![Given::Loaded; schema.fields.len()];
    Program::checked(schema, given, &steps, true, checks).unwrap()
}

/// How often each code is counted, over tiles of so many rows.
fn counts(steps: &[&str], len: i64, rows: usize) -> Vec<(Code, u64)> {
    let (schema, tile) = sample(len);
    let program = program(steps, &schema, &Checks::default());
    let columns = program.needed().iter().map(|i| tile.columns[*i].clone()).collect();
    let tile = Tile { columns, ..tile };
    let mut found = Vec::new();
    for blocks in [false, true] {
        let mut runner = program.runner();
        let mut list = Vec::new();
        for start in (0..len as usize).step_by(rows) {
            let part = cut(&tile, start, rows.min(len as usize - start));
            match blocks {
                true => program.blocks(&mut runner, &part, &mut |_| Ok(())).unwrap(),
                false => drop(program.tile(&mut runner, &part).unwrap()),
            }
            base::Warning::merge(&mut list, program.warnings(&mut runner));
        }
        assert!(program.warnings(&mut runner).is_empty());
        found.push(list.into_iter().map(|w| (w.code, w.count)).collect::<Vec<_>>());
    }
    assert_eq!(found[0], found[1]);
    found.remove(0)
}

/// Rows at which `test` of n, d, b holds.
fn slow(len: i64, test: impl Fn(Option<i64>, Option<i64>, Option<bool>) -> bool) -> u64 {
    let rows = (0..len).filter(|k| {
        let n = (k % 13 != 1).then_some(k * 37 % 101 - 50);
        let d = (k % 11 != 1).then_some(k * 31 % 7 - 3);
        test(n, d, (k % 4 != 0).then_some(k % 3 == 0))
    });
    rows.count() as u64
}

type Rows = fn(Option<i64>, Option<i64>, Option<bool>) -> bool;

/// Floored division; 0 by 0.
fn div(n: i64, d: i64) -> i64 {
    if d == 0 { 0 } else { n.div_euclid(d) - i64::from(d < 0 && n.rem_euclid(d) != 0) }
}

#[test]
fn divisions_by_zero_are_counted_where_they_are_of_use() {
    let zero = |n: Option<i64>, d, _| n.is_some() && d == Some(0);
    assert!(slow(10_000, zero) > 0);
    let cases: &[(&[&str], Rows)] = &[
        (&["q = n // d"], |n, d, _| n.is_some() && d == Some(0)),
        (&["q = n % d", "r = q + 1"], |n, d, _| n.is_some() && d == Some(0)),
        (&["q = where(d != 0, n // d, 0)"], |_, _, _| false),
        (&["q = 0 if d == 0 else n // d"], |_, _, _| false),
        (&["q = where(b, n // d, n)"], |n, d, b| n.is_some() && d == Some(0) && b == Some(true)),
        (&["q = where(b, n, n // d)"], |n, d, b| n.is_some() && d == Some(0) && b == Some(false)),
        (&["q = where(b, where(n > 0, n // d, 1), 2)"], |n, d, b| {
            n.is_some_and(|n| n > 0) && d == Some(0) && b == Some(true)
        }),
        (&["q = coalesce(n, 1 // d)"], |n, d, _| n.is_none() && d == Some(0)),
        (&["q = d != 0 and n // d > 3"], |_, _, _| false),
        (&["q = n // d > 3 and d != 0"], |_, _, _| false),
        (&["q = d == 0 or n // d > 3"], |_, _, _| false),
        (&["q = b and n // d > 3"], |n, d, b| n.is_some() && d == Some(0) && b != Some(false)),
        (&["q = n // d", "r = where(d != 0, q, 0)"], |n, d, _| n.is_some() && d == Some(0)),
        (&["filter n > 0", "q = n // d"], |n, d, _| n.is_some_and(|n| n > 0) && d == Some(0)),
        (&["q = n // d", "filter n > 0"], |n, d, _| n.is_some_and(|n| n > 0) && d == Some(0)),
        (&["q = n // d", "filter d != 0"], |_, _, _| false),
        (&["filter d != 0", "q = n // d"], |_, _, _| false),
        (&["filter n // d > 3"], |n, d, _| n.is_some() && d == Some(0)),
        (&["filter n // d > 3", "filter b"], |n, d, b| {
            n.is_some() && d == Some(0) && b == Some(true)
        }),
        (&["filter d != 0 and n // d > 3"], |_, _, _| false),
        (&["q = n // d", "filter where(d != 0, q > -5, False)"], |_, _, _| false),
        (&["q = n // d", "filter where(n > 9, q > -5, True)"], |n, d, _| {
            n.is_some() && d == Some(0)
        }),
        (&["filter n % 3 == 0 and n // d >= -1", "q = 7 % d"], |n, d, _| {
            n.is_some_and(|n| n % 3 == 0) && d == Some(0)
        }),
    ];
    for (steps, expected) in cases {
        let mut right = slow(10_000, expected);
        // The last case has two operations, of which the second sees what the first lets through.
        if steps.len() == 2 && steps[1].starts_with("q = 7") {
            right += slow(10_000, |n, d, _| {
                n.is_some_and(|n| n % 3 == 0 && d == Some(0) && div(n, 0) >= -1)
            });
        }
        for rows in [10_000, 4096, 1000, 7] {
            let total: u64 = counts(steps, 10_000, rows)
                .iter()
                .map(|(code, n)| {
                    assert_eq!(*code, Code::DivisionByZero);
                    n
                })
                .sum();
            assert_eq!(total, right, "{steps:?} in tiles of {rows}");
        }
    }
}

#[test]
fn shifts_and_conversions_are_counted() {
    let of = |text: &str| counts(&[&format!("q = {text}")], 5000, 1000);
    let shifts = slow(5000, |n, _, _| n.is_some_and(|n| !(0..64).contains(&n)));
    assert_eq!(of("1 << n"), [(Code::ShiftOutOfRange, shifts)]);
    assert_eq!(of("n >> abs(n) % 64"), []);
    assert_eq!(of("int64(y)"), [(Code::CastSaturated, 556)]);
    assert_eq!(of("int32(x * 1e9)"), []);
    assert_eq!(of("int32(x * 2e9)"), [(Code::CastSaturated, 2000)]);
    assert_eq!(of("int32(int64(i) * 1000000)"), [(Code::IntegerOverflow, 2852)]);
    let powers = slow(5000, |n, _, _| n.is_some_and(|n| n.unsigned_abs() > 22));
    assert_eq!(of("n ** 14"), [(Code::IntegerOverflow, powers)]);
    // These are looked for only if nothing is put up with.
    assert_eq!(of("i * 1000000 + n * n"), []);
    assert_eq!(of("sqrt(x) + 0.0 / x"), []);
}

/// The failure of a strict program, if it has one.
fn strict(text: &str, allow: &[Code]) -> Result<(), String> {
    let (schema, tile) = sample(5000);
    let place = |step: &str, span: base::Span| format!("{step}@{}..{}", span.start, span.end);
    let checks = Checks { strict: true, allow, place: &place, ..Checks::default() };
    let program = program(&[&format!("q = {text}")], &schema, &checks);
    let columns = program.needed().iter().map(|i| tile.columns[*i].clone()).collect();
    let run = program.tile(&mut program.runner(), &Tile { columns, number: 5, ..tile });
    run.map(drop).map_err(|failure| failure.to_string())
}

#[test]
fn a_strict_program_ends_at_the_first_row() {
    let ends = |text: &str, sentence: &str, place: &str| {
        let right = format!("{sentence} (in @{place})");
        assert_eq!(strict(text, &[]), Err(right), "{text}");
    };
    ends("1 + n // d", "an integer is divided by zero", "4..10: 44 // 0, tile 5, row 8");
    ends(
        "i * 1000000",
        "an integer is too large for int32",
        "0..11: 2148 * 1000000, tile 5, row 2148",
    );
    ends(
        "-i - 2147483647",
        "an integer is too large for int32",
        "0..15: -2 - 2147483647, tile 5, row 2",
    );
    ends("1 + sqrt(x)", "NaN comes of values that are not NaN", "4..11: sqrt(-2.0), tile 5, row 0");
    ends(
        "(x - x) / (y - y)",
        "NaN comes of values that are not NaN",
        "0..17: 0.0 / 0.0, tile 5, row 1",
    );
    ends("int64(y)", "a float is out of the range of int64", "0..8: int64(nan), tile 5, row 0");
    for text in ["where(d != 0, n // d, 0)", "y + 1", "sqrt(abs(x))", "i + 1", "int64(x)", "-n"] {
        assert_eq!(strict(text, &[]), Ok(()), "{text}");
    }
    assert_eq!(strict("1 + sqrt(x)", &[Code::NanMade]), Ok(()));
}

#[test]
fn negative_powers_end_any_run_where_they_are_of_use() {
    let (schema, tile) = sample(100);
    let run = |text: &str| {
        let program = program(&[&format!("q = {text}")], &schema, &Checks::default());
        let columns = program.needed().iter().map(|i| tile.columns[*i].clone()).collect();
        program.tile(&mut program.runner(), &Tile { columns, ..tile.clone() }).map(drop)
    };
    let failure = run("n ** d").unwrap_err();
    assert!(failure.message.starts_with(NEGATIVE), "{failure}");
    assert_eq!(failure.context, ["step \"\": -50 ** -3, tile 0, row 0"]);
    run("where(d >= 0, n ** d, 0)").unwrap();
}

#[test]
fn constants_are_told_when_they_are_folded() {
    let (schema, _) = sample(10);
    let met = |text: &str| {
        let met = typed(text, &schema).unwrap().exceptions().to_vec();
        met.iter().map(|(met, span)| (met.code().unwrap(), span.start)).collect::<Vec<_>>()
    };
    assert_eq!(met("n + 5 // 0"), [(Code::DivisionByZero, 4)]);
    assert_eq!(met("where(False, 5 // 0, 1)"), []);
    assert_eq!(met("where(True, 5 % 0, 1)"), [(Code::DivisionByZero, 12)]);
    assert_eq!(met("where(b, 5 // 0, 1)"), []);
    assert_eq!(met("5 // 0 if p == 0 else 1"), []);
    assert_eq!(met("p == 10 or 5 // 0 > 1"), []);
    assert_eq!(met("int32(1) << 40"), [(Code::ShiftOutOfRange, 0)]);
    assert_eq!(met("int32(3e9) + n"), [(Code::CastSaturated, 0)]);
    assert_eq!(met("n + sqrt(-1)"), [(Code::NanMade, 4)]);
    assert_eq!(met("nan + 1.0"), []);
}

/// How often divisions by zero are counted in a grid of 6 times and 5 places, of which `n` and `d`
/// vary along the places and `c` along the times, in tiles of this shape.
fn grid(steps: &[&str], shape: [u64; 2]) -> u64 {
    let domain = base::Domain::new([("time", 6u64), ("place", 5)]);
    let field = |name, mask| base::Field::new(name, DType::Int64, base::DimMask(mask));
    let fields = vec![field("n", 2), field("d", 2), field("c", 1), field("w", 3)];
    let schema = Schema { domain, fields, ..Schema::default() };
    let program = program(steps, &schema, &Checks::default());
    let tiling = base::Tiling::even(&schema.domain, &shape);
    let (mut runner, mut counted) = (program.runner(), 0);
    for number in 0..tiling.count() {
        let base::Region { origin, shape } = tiling.region(number);
        let along = |dim: usize, f: &dyn Fn(i64) -> i64| -> Vec<i64> {
            (0..shape[dim] as i64).map(|k| f(k + origin[dim] as i64)).collect()
        };
        let (n, d, c) = (along(1, &|k| k), along(1, &|k| k % 2), along(0, &|k| k));
        let w = c.iter().flat_map(|t| n.iter().map(move |p| (t + p) % 2)).collect();
        let all = [(2, n.clone()), (2, d), (1, c.clone()), (3, w)];
        let column = |i: &usize| base::Column {
            mask: base::DimMask(all[*i].0),
            array: Arc::new(Int64Array::from(all[*i].1.clone())),
        };
        let columns = program.needed().iter().map(column).collect();
        let tile = Tile { number, origin, shape, columns, index: None };
        program.tile(&mut runner, &tile).unwrap();
        counted += program.warnings(&mut runner).iter().map(|w| w.count).sum::<u64>();
    }
    counted
}

#[test]
fn what_varies_along_few_dimensions_is_counted_along_those() {
    // Three places divide by 0.
    let cases: &[(&[&str], u64)] = &[
        (&["q = n // d"], 3),
        (&["q = n // d", "r = q + w"], 3),
        (&["q = where(d != 0, n // d, w)"], 0),
        (&["q = where(c > 3, n // d, 0)"], 6),
        (&["q = w // d"], 18),
        (&["q = c // w"], 15),
        (&["filter c > 3", "q = n // d"], 6),
        (&["filter d != 0", "q = n // d"], 0),
        (&["filter n // d >= 0", "q = w // d"], 3 + 18),
    ];
    for (steps, right) in cases {
        for shape in [[6, 5], [2, 5], [6, 2], [1, 1]] {
            assert_eq!(grid(steps, shape), *right, "{steps:?} {shape:?}");
        }
    }
}
