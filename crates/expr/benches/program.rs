//! Block programs with their reductions against bare loops over the same blocks, and exact sums
//! against plain ones: medians in nanoseconds per value, and their ratios. Where a bare loop is one
//! pass, a program makes one for each operation or two: each costs 0.07 to 0.1 ns, which shows where
//! all of the loop takes 0.1.
//! `cargo bench --bench program [NAME ...]`.
#![allow(clippy::print_stdout, clippy::expect_used)]
use arrow_array::{ArrayRef, Float64Array};
use base::{Column, DType, DimMask, Domain, Field, Schema, Text, Tile};
use expr::exact::ExactSum;
use expr::isa::{self, Loop};
use expr::{Given, Groups, Indices, Needle, Program, Scope, Step, check, parse, reduce, select};
use std::f64::consts::TAU;
use std::hint::black_box;
use std::iter::Sum;
use std::ops::Add;
use std::sync::Arc;
use std::time::Instant;

/// Values of a job.
const N: usize = 1 << 18;
/// Values in a block of a bare loop, as in programs.
const BLOCK: usize = 4096;

/// A job done in two ways.
struct Case {
    name: &'static str,
    ours: Box<dyn FnMut()>,
    bare: Box<dyn FnMut()>,
}

/// A loop over values and results, compiled for each instruction set.
struct Map<'a, A, R, F>(&'a [A], &'a mut [R], F);

impl<A: Copy, R, F: Fn(A) -> R> Loop for Map<'_, A, R, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (out, x) in self.1.iter_mut().zip(self.0) {
            *out = (self.2)(*x);
        }
    }
}

/// The same over two lists of values.
struct Zip<'a, F>(&'a [f64], &'a [f64], &'a mut [f64], F);

impl<F: Fn(f64, f64) -> f64> Loop for Zip<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let pairs = self.0.iter().zip(self.1);
        self.2.iter_mut().zip(pairs).for_each(|(out, (a, b))| *out = (self.3)(*a, *b));
    }
}

/// A sum in 32 lanes.
struct Plain<'a, T>(&'a [T]);

impl<T: Copy + Default + Add<Output = T> + Sum> Loop for Plain<'_, T> {
    type Output = T;

    #[inline(always)]
    fn run(self) -> T {
        let mut sums = [T::default(); 32];
        for chunk in self.0.as_chunks::<32>().0 {
            for (sum, x) in sums.iter_mut().zip(chunk) {
                *sum = *sum + *x;
            }
        }
        sums.into_iter().sum()
    }
}

/// A dot product in 32 lanes.
struct PlainDot<'a>(&'a [f64], &'a [f64]);

impl Loop for PlainDot<'_> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let mut sums = [0.0; 32];
        for (x, y) in self.0.as_chunks::<32>().0.iter().zip(self.1.as_chunks::<32>().0) {
            for l in 0..32 {
                sums[l] += x[l] * y[l];
            }
        }
        sums.into_iter().sum()
    }
}

/// The program of these steps over a column `k` that counts from 1 or a column `a` of floats.
fn program(filter: Option<&str>, term: &str) -> impl FnMut() + use<> {
    let counts = term.contains('k');
    let (name, dtype, given) = match counts {
        true => ("k", DType::Int64, Given::Counter { start: 1, step: 1 }),
        false => ("a", DType::Float64, Given::Loaded),
    };
    let schema = Schema {
        domain: Domain::new([("row", N as u64)]),
        fields: vec![Field::new(name, dtype, DimMask::only(0))],
        ..Schema::default()
    };
    let typed = |text: &str| {
        let tree = parse(&Text::plain(text, 0)).expect(text);
        check(&tree, &Scope { schema: &schema, row: &[], params: &[], functions: &[] }).expect(text)
    };
    let mut steps: Vec<Step> = filter.map(|f| Step::Filter(typed(f))).into_iter().collect();
    let term = typed(term);
    steps.push(Step::Map(vec![(term.field("term"), term)]));
    steps.push(Step::Project(vec![(1, Field::new("term", DType::Float64, DimMask::only(0)))]));
    let program = Program::compile(&schema, vec![given], &steps, false).expect("a program");
    let mut runner = program.runner();
    let columns = match counts {
        true => vec![],
        false => vec![Column::from(Arc::new(Float64Array::from(floats())) as ArrayRef)],
    };
    let tile = Tile { number: 0, origin: vec![0], shape: vec![N], columns, index: None };
    let sum = reduce::reduction("sum").expect("a reduction");
    let mut sum = sum.accumulator(Some(DType::Float64), &[]);
    sum.resize(1);
    move || {
        let consume = &mut |block: &expr::Block| {
            let (values, validity) = (block.values(0), block.validity(0));
            sum.update(block.len, &[values], validity, Groups::One(0), Indices::From(0));
            Ok(())
        };
        program.blocks(&mut runner, black_box(&tile), consume).expect("a run");
    }
}

fn floats() -> Vec<f64> {
    (0..N).map(|i| (i as f64 * 0.618_033_988_749_895).fract() * 100.0).collect()
}

/// A loop over blocks of numbers from 1 on, those of them that are kept, and terms of these.
fn bare_series(keep: impl Fn(&[i64], &mut [bool]) + 'static, all: bool) -> impl FnMut() {
    let (mut k, mut kept) = (vec![0i64; BLOCK], vec![0i64; BLOCK]);
    let (mut flags, mut positions) = (vec![false; BLOCK], Vec::new());
    let (mut x, mut terms) = (vec![0.0; BLOCK], vec![0.0; BLOCK]);
    let places: Vec<i64> = (0..BLOCK as i64).collect();
    let mut sum = ExactSum::default();
    move || {
        for start in (1..=N as i64).step_by(BLOCK) {
            isa::run(Map(&places, &mut k, |i| start + i));
            let k = if all {
                &k
            } else {
                keep(&k, &mut flags);
                select(&flags, 0, &mut positions);
                let kept = &mut kept[..positions.len()];
                isa::run(Map(&positions, kept, |i| start + i64::from(i)));
                &*kept
            };
            let (x, terms) = (&mut x[..k.len()], &mut terms[..k.len()]);
            isa::run(Map(k, x, |k| k as f64));
            isa::run(Map(x, terms, |x| 1.0 / x));
            sum.add_all(&*terms);
        }
    }
}

fn without(digits: &str) -> impl Fn(&[i64], &mut [bool]) + use<> {
    let needle = Needle::new(digits).expect("digits");
    move |k, flags| {
        needle.find(k, flags);
        flags.iter_mut().for_each(|flag| *flag = !*flag);
    }
}

fn bare_map(f: impl Fn(f64) -> f64 + Copy + 'static) -> impl FnMut() {
    let a = floats();
    let mut out = vec![0.0; BLOCK];
    let mut sum = ExactSum::default();
    move || {
        for a in black_box(&a).chunks(BLOCK) {
            isa::run(Map(a, &mut out, f));
            sum.add_all(&out);
        }
    }
}

/// The same in the two passes that a program makes of it, over pieces in the first cache.
fn bare_passes(
    first: impl Fn(f64) -> f64 + Copy + 'static,
    second: impl Fn(f64, f64) -> f64 + Copy + 'static,
) -> impl FnMut() {
    const PIECE: usize = 512;
    let a = floats();
    let (mut made, mut out) = (vec![0.0; PIECE], vec![0.0; BLOCK]);
    let mut sum = ExactSum::default();
    move || {
        for a in black_box(&a).chunks(BLOCK) {
            for (a, out) in a.chunks(PIECE).zip(out.chunks_mut(PIECE)) {
                isa::run(Map(a, &mut made, first));
                isa::run(Zip(a, &made, out, second));
            }
            sum.add_all(&out);
        }
    }
}

/// Exact against plain sums of blocks in cache.
fn sums<T: Copy + 'static>(
    values: Vec<T>,
    mut ours: impl FnMut(&[T]) + 'static,
    plain: impl Fn(&[T]) + 'static,
) -> [Box<dyn FnMut()>; 2] {
    let again = values.clone();
    let times = N / BLOCK;
    [
        Box::new(move || (0..times).for_each(|_| ours(black_box(&values[..BLOCK])))),
        Box::new(move || (0..times).for_each(|_| plain(black_box(&again[..BLOCK])))),
    ]
}

fn cases() -> Vec<Case> {
    let case = |name, ours, bare| Case { name, ours, bare };
    let pair = |name, [ours, bare]: [Box<dyn FnMut()>; 2]| Case { name, ours, bare };
    let plain = |v: &[f64]| {
        black_box(isa::run(Plain(v)));
    };
    let mut list = Vec::new();
    let mut sum = ExactSum::default();
    list.push(pair("sum of float64", sums(floats(), move |v| sum.add_all(v), plain)));
    let mut sum = ExactSum::default();
    let singles: Vec<f32> = floats().iter().map(|x| *x as f32).collect();
    let plain32 = |v: &[f32]| {
        black_box(isa::run(Plain(v)));
    };
    list.push(pair("sum of float32", sums(singles, move |v| sum.add_all(v), plain32)));
    let mut sum = ExactSum::default();
    let squares = |v: &[f64]| {
        black_box(isa::run(PlainDot(v, v)));
    };
    list.push(pair("sum of squares", sums(floats(), move |v| sum.add_squares(v), squares)));
    let mut sum = ExactSum::default();
    // The halves of a block with each other.
    let ours = move |v: &[f64]| sum.add_products(&v[..BLOCK / 2], &v[BLOCK / 2..]);
    let bare = |v: &[f64]| {
        black_box(isa::run(PlainDot(&v[..BLOCK / 2], &v[BLOCK / 2..])));
    };
    list.push(pair("dot (2 per value)", sums(floats(), ours, bare)));
    let mut sum = ExactSum::default();
    let wild = |x: &f64| x * 2f64.powi((x * 1e6) as i32 % 600 - 300);
    let wild = floats().iter().map(wild).collect();
    list.push(pair("sum of any size", sums(wild, move |v| sum.add_all(v), plain)));
    let all = |_: &[i64], _: &mut [bool]| {};
    list.push(case("1/k", Box::new(program(None, "1 / k")), Box::new(bare_series(all, true))));
    for (name, digits) in [("slow series 9", "9"), ("slow series 42", "42")] {
        let ours = program(Some(&format!("not has_digits(k, '{digits}')")), "1 / k");
        list.push(case(name, Box::new(ours), Box::new(bare_series(without(digits), false))));
    }
    let ours = program(Some("k % 7 == 3 or k // 10 % 3 == 1"), "1 / k");
    let keep = |k: &[i64], out: &mut [bool]| {
        isa::run(Map(k, out, |k| k % 7 == 3 || k / 10 % 3 == 1));
    };
    list.push(case("by constants", Box::new(ours), Box::new(bare_series(keep, false))));
    let ours = program(None, "(a * 2.5 + 1.0) * (a - 3.0)");
    let bare = bare_map(|a| (a * 2.5 + 1.0) * (a - 3.0));
    list.push(case("polynomial", Box::new(ours), Box::new(bare)));
    let ours = program(None, "(a * 2.5 + 1.0) * (a - 3.0)");
    let bare = bare_passes(|a| a * 2.5 + 1.0, |a, made| made * (a - 3.0));
    list.push(case("  in two passes", Box::new(ours), Box::new(bare)));
    let ours = program(None, "where(a < 50.0, a * a, 0.5 * a)");
    let bare = bare_map(|a| if a < 50.0 { a * a } else { 0.5 * a });
    list.push(case("where", Box::new(ours), Box::new(bare)));
    let ours = program(None, "sin(2 * pi * a)**2 + cos(2 * pi * a)**2");
    // The standard library's functions, one at a time.
    let bare = bare_map(|a| {
        let (sine, cosine) = (TAU * a).sin_cos();
        sine * sine + cosine * cosine
    });
    list.push(case("sin² + cos²", Box::new(ours), Box::new(bare)));
    list
}

/// The median time of both, in nanoseconds per value, taken in turn.
fn time(case: &mut Case) -> [f64; 2] {
    let once = |f: &mut dyn FnMut()| {
        let start = Instant::now();
        f();
        start.elapsed().as_nanos() as f64 / N as f64
    };
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..41 {
        times[0].push(once(&mut case.ours));
        times[1].push(once(&mut case.bare));
    }
    times.map(|mut list| {
        list.sort_by(f64::total_cmp);
        list[list.len() / 2]
    })
}

fn main() {
    // Cargo passes `--bench`.
    let asked: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    println!("{:18}{:>10}{:>10}{:>10}", "ns per value", "tidemill", "bare", "ratio");
    for mut case in cases() {
        if asked.is_empty() || asked.iter().any(|a| case.name.starts_with(a.as_str())) {
            let [ours, bare] = time(&mut case);
            println!("{:18}{ours:>10.3}{bare:>10.3}{:>10.2}", case.name, ours / bare);
        }
    }
}
