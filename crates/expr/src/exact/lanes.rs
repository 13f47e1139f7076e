//! The vector kernels for many values of one exact sum, compiled per instruction set.
//!
//! A chunk of values goes to a window of similar sizes (see `window`), and if too many values are
//! outside, to two bins per lane (see `bins`). Whether anything was left over is looked at once
//! per group of values; if so, the group is added again to three terms, and if these are not
//! enough either, to a fixed-point number. The bits of a result
//! depend neither on the instruction set nor on the way taken: each way is exact, and all are
//! merged exactly.
use super::ExactSum;
use super::bins::Bins;
use super::dense::Dense;
use super::error_free::{two_product, two_sum};
use super::sum::FACTORS;
use super::window::{Group, Products, Window};
use crate::isa::{self, Vector, VectorLoop};

/// Sums that are kept side by side.
pub(super) const LANES: usize = 16;
/// Values between two looks at what was left over.
pub(super) const GROUP: usize = 16 * LANES;
/// Values whose size is looked at together.
pub(super) const CHUNK: usize = 16 * GROUP;
/// Products that are made together: they and their rounding errors stay in the first cache.
const PRODUCT_CHUNK: usize = 4 * GROUP;
/// Fewer values than this are added one by one: merging the lanes would cost more.
const FEW: usize = 4 * LANES;
/// Fewer values than this, which are in one chunk, are not tried in a window: it would not pay.
const SOME: usize = GROUP;
/// How many groups go the longer way after one that had to, before a shorter one is tried.
const PATIENCE: u32 = 15;

/// Numbers that are added as `f64`.
pub trait Summand: Copy {
    /// Whether the product of any two is an `f64`, without a rounding error.
    const SHORT: bool;
    /// Zero.
    const ZERO: Self;

    /// The same number.
    fn f64(self) -> f64;

    /// The same numbers.
    fn load<V: Vector>(from: &[Self; isa::WIDTH]) -> V;
}

impl Summand for f64 {
    const SHORT: bool = false;
    const ZERO: f64 = 0.0;

    #[inline(always)]
    fn f64(self) -> f64 {
        self
    }

    #[inline(always)]
    fn load<V: Vector>(from: &[f64; isa::WIDTH]) -> V {
        V::load(from)
    }
}

impl Summand for f32 {
    const SHORT: bool = true;
    const ZERO: f32 = 0.0;

    #[inline(always)]
    fn f64(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn load<V: Vector>(from: &[f32; isa::WIDTH]) -> V {
        V::load_singles(from)
    }
}

/// Adds many values to a sum.
pub(super) fn add_all<T: Summand>(sum: &mut ExactSum, values: &[T]) {
    if values.len() < FEW {
        values.iter().for_each(|x| sum.add(x.f64()));
        return;
    }
    isa::run_vectors(AddAll(sum, values));
}

/// Adds the products of many pairs of values to a sum.
pub(super) fn add_products<T: Summand>(sum: &mut ExactSum, x: &[T], y: &[T]) {
    if x.len() < FEW {
        x.iter().zip(y).for_each(|(x, y)| sum.add_product(x.f64(), y.f64()));
        return;
    }
    isa::run_vectors(AddProducts(sum, x, y));
}

struct AddAll<'a, T>(&'a mut ExactSum, &'a [T]);

impl<T: Summand> VectorLoop for AddAll<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let AddAll(sum, values) = self;
        let (mut adder, mut windows) = (Adder::default(), Windows::new(values.len()));
        // Not `for_each`: a closure would be compiled for the baseline.
        for chunk in values.chunks(CHUNK) {
            let mut taken = 0;
            if windows.tried() {
                let (groups, rest) = chunk.as_chunks::<GROUP>();
                let last = padded(rest);
                taken = windows.add::<V, _>(sum, groups.iter().chain(&last));
            }
            if taken < chunk.len() {
                adder.add(sum, &chunk[taken..]);
            }
        }
        adder.fold(sum);
    }
}

struct AddProducts<'a, T>(&'a mut ExactSum, &'a [T], &'a [T]);

impl<T: Summand> VectorLoop for AddProducts<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let AddProducts(sum, x, y) = self;
        let (mut products, mut errors) = (Adder::default(), Adder::default());
        let mut windows = Windows::new(x.len());
        for (x, y) in x.chunks(CHUNK).zip(y.chunks(CHUNK)) {
            let mut taken = 0;
            if windows.tried() {
                let ((groups, rest), (others, other_rest)) =
                    (x.as_chunks::<GROUP>(), y.as_chunks::<GROUP>());
                let (last, other_last) = (padded(rest), padded(other_rest));
                let pairs = groups.iter().zip(others).chain(last.iter().zip(&other_last));
                taken = windows.add::<V, _>(sum, pairs.map(|(x, y)| Products(x, y)));
                taken = taken.min(x.len());
            }
            let (x, y) = (&x[taken..], &y[taken..]);
            for (x, y) in x.chunks(PRODUCT_CHUNK).zip(y.chunks(PRODUCT_CHUNK)) {
                if !(T::SHORT || safe(x) && safe(y)) {
                    for (x, y) in x.iter().zip(y) {
                        sum.add_product(x.f64(), y.f64());
                    }
                    continue;
                }
                let (mut product, mut error) = ([0.0; PRODUCT_CHUNK], [0.0; PRODUCT_CHUNK]);
                let pairs = x.iter().zip(y);
                for (((x, y), product), error) in pairs.zip(&mut product).zip(&mut error) {
                    let (x, y) = (x.f64(), y.f64());
                    *product = x * y;
                    *error = if V::FUSED { x.mul_add(y, -*product) } else { two_product(x, y).1 };
                }
                products.add(sum, &product[..x.len()]);
                if !T::SHORT {
                    errors.add(sum, &error[..x.len()]);
                }
            }
        }
        products.fold(sum);
        errors.fold(sum);
    }
}

/// Whether products and their rounding errors are exact: neither underflow nor overflow.
#[inline(always)]
fn safe<T: Summand>(values: &[T]) -> bool {
    let mut all = true;
    // Not `all`: without an early exit this runs in vectors. NaN is not safe.
    for x in values {
        let x = x.f64().abs();
        all &= (x >= FACTORS.0) & (x < FACTORS.1) | (x == 0.0);
    }
    all
}

/// A group of fewer values and zeros, if there are any.
#[inline(always)]
fn padded<T: Summand>(values: &[T]) -> Option<[T; GROUP]> {
    (!values.is_empty()).then(|| {
        let mut group = [T::ZERO; GROUP];
        group[..values.len()].copy_from_slice(values);
        group
    })
}

/// Takes the chunks of values that fit into a window.
struct Windows {
    /// How many chunks more are not tried.
    wait: u32,
}

impl Windows {
    /// For so many values.
    fn new(len: usize) -> Windows {
        Windows { wait: u32::from(len < SOME) }
    }

    /// Whether the next chunk is tried.
    #[inline(always)]
    fn tried(&mut self) -> bool {
        let tried = self.wait == 0;
        self.wait = self.wait.saturating_sub(1);
        tried
    }

    /// Adds the first groups of a chunk, and says how many values these have.
    #[inline(always)]
    fn add<V: Vector, G: Group>(
        &mut self,
        sum: &mut ExactSum,
        groups: impl DoubleEndedIterator<Item = G> + Clone,
    ) -> usize {
        let (Some(first), Some(last)) = (groups.clone().next(), groups.clone().next_back()) else {
            return 0;
        };
        let mut window = Window::<V>::of(first, last);
        let mut taken = 0;
        for group in groups {
            if !window.add(sum, group) {
                self.wait = PATIENCE;
                break;
            }
            taken += GROUP;
        }
        if taken > 0 {
            window.fold::<G>(sum);
        }
        taken
    }
}

/// Takes chunks of values.
#[derive(Default)]
struct Adder {
    lanes: Lanes,
    dense: Option<Dense>,
    /// The way that the next group goes: to the bins, to the lanes, or to the wide number.
    way: u32,
    /// How many groups more go at least that way: not 0 once a group had to.
    patience: u32,
}

impl Adder {
    /// Adds at most [`CHUNK`] values.
    #[inline(always)]
    fn add<T: Summand>(&mut self, sum: &mut ExactSum, chunk: &[T]) {
        let mut bins = Bins::of(chunk);
        let (groups, rest) = chunk.as_chunks::<GROUP>();
        for group in groups {
            if self.way > 0 || !bins.add(group) {
                self.add_hard(group);
            }
        }
        if !rest.is_empty() {
            let mut group = [0.0; GROUP];
            for (to, x) in group.iter_mut().zip(rest) {
                *to = x.f64();
            }
            if self.way > 0 || !bins.add(&group) {
                self.add_hard(&group);
            }
        }
        for x in bins.sums() {
            sum.add(x);
        }
    }

    #[inline(always)]
    fn add_hard<T: Summand>(&mut self, group: &[T; GROUP]) {
        if self.way == 0 {
            (self.way, self.patience) = (1, PATIENCE);
        }
        if self.way == 1 && !self.lanes.add(group) {
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

    /// Moves what the bins did not take into the sum.
    #[inline(always)]
    fn fold(&mut self, sum: &mut ExactSum) {
        if (self.way, self.patience) != (0, 0) {
            self.fold_hard(sum);
        }
    }

    fn fold_hard(&mut self, sum: &mut ExactSum) {
        let terms = self.lanes.0.as_flattened().iter();
        terms.filter(|x| **x != 0.0).for_each(|x| sum.add(*x));
        self.dense.take().into_iter().for_each(|dense| dense.fold(sum));
    }
}

/// Three terms in each lane.
#[derive(Clone, Copy, Default)]
struct Lanes([[f64; LANES]; 3]);

impl Lanes {
    /// Adds a group, or changes nothing and says so if something is left over. Overflow leaves
    /// NaN: once a sum is infinite, its rounding error is NaN.
    #[inline(always)]
    fn add<T: Summand>(&mut self, group: &[T; GROUP]) -> bool {
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
pub(super) fn nothing(bits: &[u64; LANES]) -> bool {
    bits.iter().fold(0, |all, bits| all | bits) << 1 == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::Exact;
    use crate::isa::Isa;
    use proptest::prelude::*;

    /// In units of 2^-2176, below all that squares have.
    fn value(sum: &ExactSum) -> Exact {
        match sum.value() {
            Exact::Finite(m, exponent) => Exact::Finite(m << (exponent + 2176), 0),
            special => special,
        }
    }

    /// Each way of adding, and the changes between them, against one value at a time.
    fn agree(values: &[f64]) {
        let singles: Vec<f32> = values.iter().map(|x| *x as f32).collect();
        let mut one_by_one = [(); 4].map(|()| ExactSum::default());
        for (x, single) in values.iter().zip(&singles) {
            one_by_one[0].add(*x);
            one_by_one[1].add_square(*x);
            one_by_one[2].add(f64::from(*single));
            one_by_one[3].add_square(f64::from(*single));
        }
        let turned: Vec<f64> = values.iter().rev().map(|x| -x).collect();
        let mut products = ExactSum::default();
        values.iter().zip(&turned).for_each(|(x, y)| products.add_product(*x, *y));
        for isa in Isa::here() {
            let mut sum = ExactSum::default();
            isa::run_vectors_with(isa, AddProducts(&mut sum, values, &turned));
            assert_eq!(value(&sum), value(&products), "{isa}");
            let mut sums = [(); 4].map(|()| ExactSum::default());
            let [a, b, c, d] = &mut sums;
            isa::run_vectors_with(isa, AddAll(a, values));
            isa::run_vectors_with(isa, AddProducts(b, values, values));
            isa::run_vectors_with(isa, AddAll(c, &singles));
            isa::run_vectors_with(isa, AddProducts(d, &singles, &singles));
            for (sum, one_by_one) in sums.iter().zip(&one_by_one) {
                assert_eq!(value(sum), value(one_by_one), "{isa}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn all_ways_agree(
            pieces in proptest::collection::vec((1..1500usize, -1074..1024i32, 0..200i32), 1..6),
            seed: u64,
        ) {
            let mut state = seed | 1;
            let mut random = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state
            };
            let mut values = Vec::new();
            for (n, exponent, range) in pieces {
                for _ in 0..n {
                    let x = random() as i64 as f64 * 2f64.powi(-63);
                    let exponent = exponent - (random() % (range as u64 + 1)) as i32;
                    values.push(x * 2f64.powi(exponent / 2) * 2f64.powi(exponent - exponent / 2));
                }
            }
            agree(&values);
        }
    }

    #[test]
    fn zeros_and_a_few_values_of_another_size() {
        let mut values: Vec<f64> = (0..9000).map(|i| 1.0 + f64::from(i * 7919 % 1009)).collect();
        for (i, x) in [1e-9, 1e12, -0.0, 5e-324, 1e308, -1e-200, 1e-160, 0.0].iter().enumerate() {
            values[i * 1000 + 37] = *x;
            agree(&values);
        }
        values.iter_mut().step_by(3).for_each(|x| *x = 0.0);
        agree(&values);
        // Products of usual size, of a factor that cannot be split and one that is subnormal.
        agree(&[[2f64.powi(1010) * 1.1; 300], [2f64.powi(-1030) * 1.3; 300]].concat());
        // Those at the ends of a window: all bits of all sums are used.
        let below_two = [2.0 - f64::EPSILON, 2.0 - f64::from(f32::EPSILON)];
        for (large, small) in [(32, 1), (31, 1), (40, 8), (16, 1), (17, 1), (24, 8)] {
            for most in below_two {
                let ends = [large, small].map(|e| most * 2f64.powi(e));
                agree(&[ends[0]; 5000]);
                agree(&[ends; 2500].concat());
                agree(&[ends.map(|x| -x); 2500].concat());
            }
        }
    }

    #[test]
    fn infinities_and_nan_are_seen() {
        let mut values: Vec<f64> = (0..2000).map(|i| 1.0 / f64::from(i + 1)).collect();
        values[700] = f64::INFINITY;
        agree(&values);
        values[1900] = f64::NEG_INFINITY;
        agree(&values);
        values[3] = f64::NAN;
        agree(&values);
        agree(&[f64::MAX; 1000]);
        agree(&[[f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324]; 200].concat());
        agree(&[[1e308, -1e308, 1e-308, 0.0, -0.0, 1.0]; 200].concat());
    }
}
