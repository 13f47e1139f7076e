//! The vector kernels for many values of one exact sum, compiled per instruction set.
//!
//! Sixteen lanes keep two terms each, which hold most data exactly. Whether anything was left
//! over is looked at once per group of values; if so, the group is added again with three terms,
//! and if that is not enough either, to a fixed-point number. The bits of a result depend neither
//! on the instruction set nor on the way taken: each way is exact, and all are merged exactly.
use super::ExactSum;
use super::dense::Dense;
use super::error_free::{two_product, two_sum};
use super::sum::SQUARES;
use crate::isa::{self, Isa, Loop};

const LANES: usize = 16;
/// Values between two looks at what was left over.
const GROUP: usize = 16 * LANES;
/// Fewer values than this are added one by one: merging the lanes would cost more.
const FEW: usize = 4 * LANES;
/// How many groups go the longer way after one that had to, before a shorter one is tried.
const PATIENCE: u32 = 15;

/// Numbers that are added as `f64`.
pub trait Summand: Copy {
    /// Whether the square of any is an `f64`, without a rounding error.
    const SHORT: bool;

    /// The same number.
    fn f64(self) -> f64;
}

impl Summand for f64 {
    const SHORT: bool = false;

    #[inline(always)]
    fn f64(self) -> f64 {
        self
    }
}

impl Summand for f32 {
    const SHORT: bool = true;

    #[inline(always)]
    fn f64(self) -> f64 {
        f64::from(self)
    }
}

/// Adds many values to a sum.
pub(super) fn add_all<T: Summand>(sum: &mut ExactSum, values: &[T]) {
    if values.len() < FEW {
        values.iter().for_each(|x| sum.add(x.f64()));
        return;
    }
    isa::run(AddAll(sum, values));
}

/// Adds the squares of many values to a sum.
pub(super) fn add_squares<T: Summand>(sum: &mut ExactSum, values: &[T]) {
    if values.len() < FEW {
        values.iter().for_each(|x| sum.add_square(x.f64()));
        return;
    }
    match Isa::chosen() {
        Isa::Baseline => isa::run(AddSquares::<T, false>(sum, values)),
        _ => isa::run(AddSquares::<T, true>(sum, values)),
    }
}

struct AddAll<'a, T>(&'a mut ExactSum, &'a [T]);

impl<T: Summand> Loop for AddAll<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let AddAll(sum, values) = self;
        let (groups, rest) = values.as_chunks::<GROUP>();
        let mut adder = Adder::default();
        // Not `for_each`: a closure would be compiled for the baseline.
        for group in groups {
            adder.add(group);
        }
        adder.fold(sum);
        rest.iter().for_each(|x| sum.add(x.f64()));
    }
}

/// With a fused multiply-add, or without where that would be slow.
struct AddSquares<'a, T, const FUSED: bool>(&'a mut ExactSum, &'a [T]);

impl<T: Summand, const FUSED: bool> Loop for AddSquares<'_, T, FUSED> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let AddSquares(sum, values) = self;
        let (groups, rest) = values.as_chunks::<GROUP>();
        let (mut squares, mut errors) = (Adder::default(), Adder::default());
        let (mut square, mut error) = ([0.0; GROUP], [0.0; GROUP]);
        for group in groups {
            if !(T::SHORT || safe(group)) {
                for x in group {
                    sum.add_square(x.f64());
                }
                continue;
            }
            for ((x, square), error) in group.iter().zip(&mut square).zip(&mut error) {
                let x = x.f64();
                *square = x * x;
                *error = if FUSED { x.mul_add(x, -*square) } else { two_product(x, x).1 };
            }
            squares.add(&square);
            if !T::SHORT {
                errors.add(&error);
            }
        }
        squares.fold(sum);
        errors.fold(sum);
        for x in rest {
            sum.add_square(x.f64());
        }
    }
}

/// Whether squares and their rounding errors are exact: neither underflow nor overflow.
#[inline(always)]
fn safe<T: Summand>(group: &[T; GROUP]) -> bool {
    let mut all = true;
    // Not `all`: without an early exit this runs in vectors. NaN is not safe.
    for x in group {
        let x = x.f64().abs();
        all &= (x >= SQUARES.0) & (x < SQUARES.1) | (x == 0.0);
    }
    all
}

/// Takes groups of values.
#[derive(Default)]
struct Adder {
    lanes: Lanes,
    dense: Option<Dense>,
    /// The way that the next group goes: with two terms, with three, or to the wide number.
    way: u32,
    /// How many groups more go at least that way.
    patience: u32,
}

impl Adder {
    #[inline(always)]
    fn add<T: Summand>(&mut self, group: &[T; GROUP]) {
        if self.way == 0 && self.lanes.add_two(group) {
            return;
        }
        self.add_hard(group);
    }

    #[inline(always)]
    fn add_hard<T: Summand>(&mut self, group: &[T; GROUP]) {
        if self.way == 0 {
            (self.way, self.patience) = (1, PATIENCE);
        }
        if self.way == 1 && !self.lanes.add_three(group) {
            (self.way, self.patience) = (2, PATIENCE);
        }
        if self.way == 2 {
            self.dense.get_or_insert_default().add_all(group);
        }
        match self.patience {
            0 => (self.way, self.patience) = (self.way - 1, PATIENCE),
            _ => self.patience -= 1,
        }
    }

    /// Moves all into the sum.
    fn fold(self, sum: &mut ExactSum) {
        let terms = self.lanes.0.as_flattened().iter();
        terms.filter(|x| **x != 0.0).for_each(|x| sum.add(*x));
        self.dense.into_iter().for_each(|dense| dense.fold(sum));
    }
}

/// Three terms in each lane.
#[derive(Clone, Copy, Default)]
struct Lanes([[f64; LANES]; 3]);

impl Lanes {
    /// Adds a group to the first two terms, or changes nothing and says so if something is left
    /// over. Overflow leaves NaN: once a sum is infinite, its rounding error is NaN.
    #[inline(always)]
    fn add_two<T: Summand>(&mut self, group: &[T; GROUP]) -> bool {
        let [mut first, mut second, _] = self.0;
        let mut left = [0; LANES];
        for chunk in group.as_chunks::<LANES>().0 {
            for l in 0..LANES {
                let (s, e) = two_sum(first[l], chunk[l].f64());
                first[l] = s;
                let (s, e) = two_sum(second[l], e);
                second[l] = s;
                left[l] |= e.to_bits();
            }
        }
        let fits = nothing(&left);
        if fits {
            (self.0[0], self.0[1]) = (first, second);
        }
        fits
    }

    /// The same with all three terms.
    #[inline(always)]
    fn add_three<T: Summand>(&mut self, group: &[T; GROUP]) -> bool {
        let [mut first, mut second, mut third] = self.0;
        let mut left = [0; LANES];
        for chunk in group.as_chunks::<LANES>().0 {
            for l in 0..LANES {
                let (s, e) = two_sum(first[l], chunk[l].f64());
                first[l] = s;
                let (s, e) = two_sum(second[l], e);
                second[l] = s;
                let (s, e) = two_sum(third[l], e);
                third[l] = s;
                left[l] |= e.to_bits();
            }
        }
        let fits = nothing(&left);
        if fits {
            self.0 = [first, second, third];
        }
        fits
    }
}

/// Whether all are the bits of 0.0 or -0.0.
#[inline(always)]
fn nothing(bits: &[u64; LANES]) -> bool {
    bits.iter().fold(0, |all, bits| all | bits) << 1 == 0
}
