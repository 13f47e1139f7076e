//! Nanoseconds per value of each function with each instruction set, on blocks that stay in
//! cache: `cargo bench --bench functions [NAME ...]`.
use expr::isa::Isa;
use expr::math::apply::{binary_with, unary_with};
use expr::math::hypot;
use expr::math::sine::{Cos, Sin};
use std::hint::black_box;
use std::time::Instant;

/// Values in a block.
const BLOCK: usize = 4096;

/// Runs a function over a block of arguments.
type Run = Box<dyn Fn(Isa, &[f64], &mut [f64])>;

/// A function to time, and the arguments it is timed on.
struct Case {
    name: &'static str,
    range: (f64, f64),
    run: Run,
}

/// A line of the table: a name, a range of arguments, a function of one or two floats.
macro_rules! case {
    ($name:literal, $low:expr => $high:expr, unary $f:expr) => {
        Case {
            name: $name,
            range: ($low, $high),
            run: Box::new(|isa, x, out| unary_with(isa, $f, x, out)),
        }
    };
    ($name:literal, $low:expr => $high:expr, unary32 $f:expr) => {
        Case { name: $name, range: ($low, $high), run: single(|isa, x, out| unary_with(isa, $f, x, out)) }
    };
    ($name:literal, $low:expr => $high:expr, binary $f:expr) => {
        Case {
            name: $name,
            range: ($low, $high),
            run: Box::new(|isa, x, out| {
                let (a, b) = (x, &x[1..]);
                binary_with(isa, $f, &a[..b.len()], b, &mut out[..b.len()]);
            }),
        }
    };
}

fn cases() -> Vec<Case> {
    vec![
        case!("cos", -100.0 => 100.0, unary Cos),
        case!("hypot", -10.0 => 10.0, binary hypot::hypot),
        case!("sin", -100.0 => 100.0, unary Sin),
        case!("sin, 1 in 4 rare", -4e11 => 8e10, unary Sin),
    ]
}


/// The median time of one block, in nanoseconds per value.
fn time(case: &Case, isa: Isa) -> f64 {
    let (low, high) = case.range;
    // A low-discrepancy sequence: no two neighbours take the same path.
    let at = |i: usize| low + (high - low) * (i as f64 * 0.618_033_988_749_895).fract();
    let x: Vec<f64> = (0..BLOCK).map(at).collect();
    let mut out = vec![0.0; BLOCK];
    let mut once = |blocks: u32| {
        let start = Instant::now();
        for _ in 0..blocks {
            (case.run)(isa, black_box(&x), &mut out);
            black_box(&mut out);
        }
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
    print!("{:20}", "ns per value");
    sets.iter().for_each(|isa| print!("{:>10}", isa.name()));
    println!();
    for case in cases() {
        if asked.is_empty() || asked.iter().any(|a| case.name.starts_with(a.as_str())) {
            print!("{:20}", case.name);
            sets.iter().for_each(|isa| print!("{:>10.3}", time(&case, *isa)));
            println!();
        }
    }
}
