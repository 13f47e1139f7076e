//! Functions against the tables of true values in `crates/expr/oracle/`, which `make.py` there
//! writes and describes, and against themselves with other instruction sets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::apply::{Binary, Unary, binary_with, unary_with};
use crate::isa::Isa;

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
    let case = |line: &str| match line.split(' ').collect::<Vec<_>>()[..] {
        [x, v, r] => Case { x: float(x), y: 0.0, value: float(v), rest: r.parse().unwrap() },
        [x, y, v, r] => {
            Case { x: float(x), y: float(y), value: float(v), rest: r.parse().unwrap() }
        }
        _ => panic!("{path}: {line}"),
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

/// No result is off by more than 1 ulp, with any instruction set, and all give the same bits.
fn judge(name: &str, run: impl Fn(Isa, &[f64], &[f64], &mut [f64])) {
    let cases = cases(name);
    let x: Vec<f64> = cases.iter().map(|c| c.x).collect();
    let y: Vec<f64> = cases.iter().map(|c| c.y).collect();
    let mut out = vec![1.0; x.len()];
    run(Isa::Baseline, &x, &y, &mut out);
    let mut worst = (0.0, 0.0, 0.0);
    for (case, result) in cases.iter().zip(&out) {
        let off = ulps(*result, case.value, case.rest);
        let Case { x, y, value, .. } = case;
        assert!(off <= 1.0, "{name}({x:e}, {y:e}) is {result:e}, not {value:e}: {off} ulp");
        worst = if off > worst.0 { (off, *x, *y) } else { worst };
    }
    println!(
        "{name}: {} cases, at most {:.3} ulp, at {:e} {:e}",
        x.len(),
        worst.0,
        worst.1,
        worst.2
    );
    for isa in Isa::here() {
        let mut other = vec![1.0; x.len()];
        run(isa, &x, &y, &mut other);
        for i in 0..x.len() {
            let same =
                out[i].to_bits() == other[i].to_bits() || out[i].is_nan() && other[i].is_nan();
            assert!(
                same,
                "{name}({:e}, {:e}) with {isa}: {:e}, not {:e}",
                x[i], y[i], other[i], out[i]
            );
        }
    }
}

/// [`judge`] for a function of one float.
pub fn unary(name: &str, f: impl Unary<f64>) {
    judge(name, |isa, x, _, out| unary_with(isa, f, x, out));
}

/// [`judge`] for a function of two floats.
pub fn binary(name: &str, f: impl Binary<f64>) {
    judge(name, |isa, x, y, out| binary_with(isa, f, x, y, out));
}

/// A float32 function against the float64 one, which the tables judge.
fn judge32(
    name: &str,
    pairs: &[(f32, f32)],
    truth: impl Fn(f64, f64) -> f64,
    run: impl Fn(Isa, &[f32], &[f32], &mut [f32]),
) {
    let (x, y): (Vec<f32>, Vec<f32>) = pairs.iter().copied().unzip();
    let mut out = vec![1.0; x.len()];
    run(Isa::Baseline, &x, &y, &mut out);
    let mut worst = (0.0, 0.0, 0.0);
    for ((x, y), result) in pairs.iter().zip(&out) {
        let exact = truth(f64::from(*x), f64::from(*y));
        let value = exact as f32;
        let ulp = f64::from(f32::from_bits(value.abs().to_bits() + 1)) - f64::from(value.abs());
        let same = value.to_bits() == result.to_bits() || value.is_nan() && result.is_nan();
        // Infinite where only one of them is zero, infinite or NaN.
        let off = if same && !(ulp > 0.0 && ulp.is_finite()) {
            0.0
        } else {
            (f64::from(*result) - exact).abs() / ulp
        };
        assert!(
            off <= 0.51 && (same || value != 0.0),
            "{name}({x:e}, {y:e}) is {result:e}, not {value:e}: {off} ulp"
        );
        worst = if off > worst.0 { (off, *x, *y) } else { worst };
    }
    println!(
        "{name}, float32: {} cases, at most {:.4} ulp, at {:e} {:e}",
        x.len(),
        worst.0,
        worst.1,
        worst.2
    );
    for isa in Isa::here() {
        let mut other = vec![1.0; x.len()];
        run(isa, &x, &y, &mut other);
        let same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
        assert!(out.iter().zip(&other).all(same), "{name} with {isa}");
    }
}

/// [`judge32`] for a function of one float, on its table's arguments as float32.
pub fn unary32(name: &str, f: impl Unary<f32>, truth: impl Unary<f64>) {
    let pairs: Vec<_> = cases(name).iter().map(|c| (c.x as f32, 0.0)).collect();
    let truth = |x, _| if truth.is_rare(x) { truth.rare(x) } else { truth.common(x) };
    judge32(name, &pairs, truth, |isa, x, _, out| unary_with(isa, f, x, out));
}

/// [`judge32`] for a function of two floats.
pub fn binary32(name: &str, f: impl Binary<f32>, truth: impl Binary<f64>) {
    let pairs: Vec<_> = cases(name).iter().map(|c| (c.x as f32, c.y as f32)).collect();
    let truth = |x, y| if truth.is_rare(x, y) { truth.rare(x, y) } else { truth.common(x, y) };
    judge32(name, &pairs, truth, |isa, x, y, out| binary_with(isa, f, x, y, out));
}
