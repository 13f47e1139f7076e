//! Functions against the tables of true values in `crates/expr/oracle/`, which `make.py` there
//! writes and describes, and against themselves with other instruction sets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
use super::apply::{Binary, Float, Unary, binary_with, unary_with};
use crate::isa::Isa;
use std::fmt::Debug;

/// A case: arguments, the true value rounded, and what rounding took away, in ulps.
struct Case {
    x: f64,
    y: f64,
    value: f64,
    rest: f64,
}

/// The cases of a table, of functions of one or two floats.
fn cases(name: &str) -> Vec<Case> {
    let path = format!("{}/oracle/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect(&path);
    let float = |digits: &str| f64::from_bits(u64::from_str_radix(digits, 16).unwrap());
    let case = |line: &str| {
        let (x, y, value, rest) = match line.split(' ').collect::<Vec<_>>()[..] {
            [x, value, rest] => (x, "0", value, rest),
            [x, y, value, rest] => (x, y, value, rest),
            _ => panic!("{path}: {line}"),
        };
        Case { x: float(x), y: float(y), value: float(value), rest: rest.parse().unwrap() }
    };
    text.lines().map(case).collect()
}

/// How far a result is from the true value, in ulps of that.
fn ulps(result: f64, value: f64, rest: f64) -> f64 {
    if result.is_nan() && value.is_nan() || result.to_bits() == value.to_bits() {
        return rest.abs();
    }
    if value == 0.0 || !value.is_finite() || !result.is_finite() || result * value < 0.0 {
        return f64::INFINITY;
    }
    let ulp = f64::from_bits(value.abs().to_bits() + 1) - value.abs();
    ((result - value) / ulp - rest).abs()
}

/// The same for a float32, of which more digits are known.
fn ulps32(result: f32, exact: f64) -> f64 {
    let value = exact as f32;
    if value == 0.0 || !value.is_finite() {
        let same = result.is_nan() && value.is_nan() || result.to_bits() == value.to_bits();
        return if same { 0.0 } else { f64::INFINITY };
    }
    let ulp = f64::from(f32::from_bits(value.abs().to_bits() + 1)) - f64::from(value.abs());
    (f64::from(result) - exact).abs() / ulp
}

/// Says the largest of some errors, each with its arguments; none may be above `limit`.
fn judge<T: Debug>(name: &str, limit: f64, errors: impl Iterator<Item = (f64, T)>) {
    let mut count = 0;
    let worst = errors.inspect(|_| count += 1).max_by(|a, b| a.0.total_cmp(&b.0));
    let (off, at) = worst.expect("a table has cases");
    println!("{name}: {count} cases, at most {off:.4} ulp, at {at:?}");
    assert!(off <= limit, "{name}: {off} ulp at {at:?}");
}

/// All instruction sets give the same bits.
fn same_bits<T: Float + Debug>(
    name: &str,
    x: &[T],
    y: &[T],
    run: impl Fn(Isa, &[T], &[T], &mut [T]),
) {
    let values = |isa| {
        let mut out = vec![T::default(); x.len()];
        run(isa, x, y, &mut out);
        out
    };
    let baseline = values(Isa::Baseline);
    for isa in Isa::here() {
        for (i, (a, b)) in baseline.iter().zip(&values(isa)).enumerate() {
            // Text tells -0 from 0, and all NaNs are the one that `apply` lets out.
            let same = a == b && *a != T::default() || format!("{a:?}") == format!("{b:?}");
            assert!(same, "{name}({:?}, {:?}) is {b:?} with {isa}, not {a:?}", x[i], y[i]);
        }
    }
}

/// Numbers of all kinds: half of them from -10 to 10, half of random bits, NaNs among them.
fn random(seed: u64) -> Vec<f64> {
    let next = |state: &mut u64, _| {
        *state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        Some(*state ^ (*state >> 32))
    };
    let number = |(i, bits): (usize, u64)| match i % 2 {
        0 => (bits >> 11) as f64 * 2.0_f64.powi(-53) * 20.0 - 10.0,
        _ => f64::from_bits(bits),
    };
    (0..100_000).scan(seed, next).enumerate().map(number).collect()
}

fn single(x: Vec<f64>) -> Vec<f32> {
    x.iter().map(|x| *x as f32).collect()
}

fn judge64(name: &str, run: impl Fn(Isa, &[f64], &[f64], &mut [f64])) {
    let cases = cases(name);
    let (x, y): (Vec<f64>, Vec<f64>) = cases.iter().map(|c| (c.x, c.y)).unzip();
    let mut out = vec![1.0; x.len()];
    run(Isa::chosen(), &x, &y, &mut out);
    let error = |(c, result): (&Case, &f64)| (ulps(*result, c.value, c.rest), (c.x, c.y, *result));
    judge(name, 1.0, cases.iter().zip(&out).map(error));
    same_bits(name, &[x, random(1)].concat(), &[y, random(2)].concat(), run);
}

fn judge32(
    name: &str,
    truth: impl Fn(f64, f64) -> f64,
    run: impl Fn(Isa, &[f32], &[f32], &mut [f32]),
) {
    let (table, name) = (name, format!("{name} in float32"));
    let (x, y): (Vec<f64>, Vec<f64>) = cases(table).iter().map(|c| (c.x, c.y)).unzip();
    let (x, y) = (single([x, random(3)].concat()), single([y, random(4)].concat()));
    let mut out = vec![1.0; x.len()];
    run(Isa::chosen(), &x, &y, &mut out);
    let error = |i: usize| {
        let exact = truth(f64::from(x[i]), f64::from(y[i]));
        (ulps32(out[i], exact), (x[i], y[i], out[i]))
    };
    judge(&name, 0.51, (0..x.len()).map(error));
    same_bits(&name, &x, &y, run);
}

/// A function of one float against its table: at most 1 ulp, and the same bits everywhere.
pub fn unary(name: &str, f: impl Unary<f64>) {
    judge64(name, |isa, x, _, out| unary_with(isa, f, x, out));
}

/// A function of two floats, as [`unary`].
pub fn binary(name: &str, f: impl Binary<f64>) {
    judge64(name, |isa, x, y, out| binary_with(isa, f, x, y, out));
}

/// A float32 function against that of float64, which its table has judged: almost exact.
pub fn unary32(name: &str, f: impl Unary<f32>, truth: impl Unary<f64>) {
    let truth = |x, _| if truth.is_rare(x) { truth.rare(x) } else { truth.common(x) };
    judge32(name, truth, |isa, x, _, out| unary_with(isa, f, x, out));
}

/// A function of two float32s, as [`unary32`].
pub fn binary32(name: &str, f: impl Binary<f32>, truth: impl Binary<f64>) {
    let truth = |x, y| if truth.is_rare(x, y) { truth.rare(x, y) } else { truth.common(x, y) };
    judge32(name, truth, |isa, x, y, out| binary_with(isa, f, x, y, out));
}
