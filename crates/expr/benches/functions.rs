//! Nanoseconds per value of each function with each instruction set, on blocks that stay in
//! cache: `cargo bench --bench functions [NAME ...]`.
#![allow(clippy::print_stdout)]
use expr::isa::Isa;
use expr::math::apply::{binary_with, unary_with};
use expr::math::arcsine::{arccos, arccos32, arcsin, arcsin32};
use expr::math::arctangent::{Arctan2, arctan, arctan32};
use expr::math::cube_root::Cbrt;
use expr::math::exponential::{Exp, Exp2, Expm1};
use expr::math::hyperbolic::{Cosh, Sinh, Tanh};
use expr::math::hypot::{hypot, hypot32};
use expr::math::inverse_hyperbolic::{Arccosh, Arcsinh, Arctanh};
use expr::math::logarithm::{Log, Log1p, Log2, Log10};
use expr::math::power::Pow;
use expr::math::sine::{Cos, Sin, sin_cos};
use expr::math::tangent::Tan;
use std::hint::black_box;
use std::time::Instant;

/// Values in a block.
const BLOCK: usize = 4096;

/// Runs a function over a block.
type Run = Box<dyn FnMut(Isa)>;

/// A function to time.
struct Case {
    name: &'static str,
    run: Run,
}

/// Numbers of a range, so that no two neighbours take the same path.
fn numbers(low: f64, high: f64, start: f64) -> Vec<f64> {
    let at = |i: usize| low + (high - low) * (start + i as f64 * 0.618_033_988_749_895).fract();
    (0..BLOCK).map(at).collect()
}

/// A line of the table: a name, the function, how many floats it takes, and their range.
macro_rules! case {
    ($name:literal, $f:expr, unary $t:ty, $low:expr => $high:expr) => {{
        let x: Vec<$t> = numbers($low, $high, 0.0).iter().map(|x| *x as $t).collect();
        let mut out = x.clone();
        Case {
            name: $name,
            run: Box::new(move |isa| {
                unary_with(isa, $f, black_box(&x), &mut out);
                black_box(&mut out);
            }),
        }
    }};
    ($name:literal, $f:expr, binary $t:ty, $low:expr => $high:expr) => {{
        let x: Vec<$t> = numbers($low, $high, 0.0).iter().map(|x| *x as $t).collect();
        let y: Vec<$t> = numbers($low, $high, 0.3).iter().map(|x| *x as $t).collect();
        let mut out = x.clone();
        Case {
            name: $name,
            run: Box::new(move |isa| {
                binary_with(isa, $f, black_box(&x), black_box(&y), &mut out);
                black_box(&mut out);
            }),
        }
    }};
}

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    vec![
        case!("arccos", arccos, unary f64, -1.0 => 1.0),
        case!("arccos f32", arccos32, unary f32, -1.0 => 1.0),
        case!("arccosh", Arccosh, unary f64, 1.0 => 10.0),
        case!("arccosh f32", Arccosh, unary f32, 1.0 => 10.0),
        case!("arcsin", arcsin, unary f64, -1.0 => 1.0),
        case!("arcsin f32", arcsin32, unary f32, -1.0 => 1.0),
        case!("arcsinh", Arcsinh, unary f64, -10.0 => 10.0),
        case!("arcsinh f32", Arcsinh, unary f32, -10.0 => 10.0),
        case!("arctan", arctan, unary f64, -10.0 => 10.0),
        case!("arctan f32", arctan32, unary f32, -10.0 => 10.0),
        case!("arctan2", Arctan2, binary f64, -10.0 => 10.0),
        case!("arctan2 f32", Arctan2, binary f32, -10.0 => 10.0),
        case!("arctanh", Arctanh, unary f64, -1.0 => 1.0),
        case!("arctanh f32", Arctanh, unary f32, -1.0 => 1.0),
        case!("cbrt", Cbrt, unary f64, -100.0 => 100.0),
        case!("cbrt f32", Cbrt, unary f32, -100.0 => 100.0),
        case!("cos", Cos, unary f64, -100.0 => 100.0),
        case!("cos f32", Cos, unary f32, -100.0 => 100.0),
        case!("cosh", Cosh, unary f64, -20.0 => 20.0),
        case!("cosh f32", Cosh, unary f32, -20.0 => 20.0),
        case!("exp", Exp, unary f64, -80.0 => 80.0),
        case!("exp f32", Exp, unary f32, -80.0 => 80.0),
        case!("exp2", Exp2, unary f64, -100.0 => 100.0),
        case!("exp2 f32", Exp2, unary f32, -100.0 => 100.0),
        case!("expm1", Expm1, unary f64, -4.0 => 4.0),
        case!("expm1 f32", Expm1, unary f32, -4.0 => 4.0),
        case!("hypot", hypot, binary f64, -10.0 => 10.0),
        case!("hypot f32", hypot32, binary f32, -10.0 => 10.0),
        case!("log", Log, unary f64, 0.0 => 100.0),
        case!("log f32", Log, unary f32, 0.0 => 100.0),
        case!("log10", Log10, unary f64, 0.0 => 100.0),
        case!("log10 f32", Log10, unary f32, 0.0 => 100.0),
        case!("log1p", Log1p, unary f64, -1.0 => 10.0),
        case!("log1p f32", Log1p, unary f32, -1.0 => 10.0),
        case!("log2", Log2, unary f64, 0.0 => 100.0),
        case!("log2 f32", Log2, unary f32, 0.0 => 100.0),
        case!("power", Pow, binary f64, 0.0 => 10.0),
        case!("power f32", Pow, binary f32, 0.0 => 10.0),
        case!("sin", Sin, unary f64, -100.0 => 100.0),
        case!("sin + cos", |x| { let (s, c) = sin_cos(x); s + c }, unary f64, -100.0 => 100.0),
        case!("sin f32", Sin, unary f32, -100.0 => 100.0),
        case!("sin of 1e11..1e12", Sin, unary f64, 1e11 => 1e12),
        case!("sinh", Sinh, unary f64, -20.0 => 20.0),
        case!("sinh f32", Sinh, unary f32, -20.0 => 20.0),
        case!("tan", Tan, unary f64, -100.0 => 100.0),
        case!("tan f32", Tan, unary f32, -100.0 => 100.0),
        case!("tanh", Tanh, unary f64, -10.0 => 10.0),
        case!("tanh f32", Tanh, unary f32, -10.0 => 10.0),
    ]
}

/// The median time of one block, in nanoseconds per value.
fn time(case: &mut Case, isa: Isa) -> f64 {
    let mut once = |blocks: u32| {
        let start = Instant::now();
        (0..blocks).for_each(|_| (case.run)(isa));
        start.elapsed().as_nanos() as f64 / f64::from(blocks) / BLOCK as f64
    };
    let blocks = (1e6 / (once(10) * BLOCK as f64)).max(1.0) as u32;
    let mut times: Vec<f64> = (0..31).map(|_| once(blocks)).collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    // Cargo passes `--bench`.
    let asked: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let sets: Vec<Isa> = Isa::here().collect();
    print!("{:18}", "ns per value");
    sets.iter().for_each(|isa| print!("{:>10}", isa.name()));
    println!();
    for mut case in cases() {
        if asked.is_empty() || asked.iter().any(|a| case.name.starts_with(a.as_str())) {
            print!("{:18}", case.name);
            sets.iter().for_each(|isa| print!("{:>10.3}", time(&mut case, *isa)));
            println!();
        }
    }
}
