//! [`ExactSum`]: the exact sum of any `f64` values.
use super::error_free::{two_product, two_sum};
use super::lanes::Summand;
use super::round::round_big;
use super::wide::{Specials, Wide};
use super::{Bytes, Precision, lanes};
use num_bigint::BigInt;

/// From here on values go straight to the wide number: below it no addition can overflow.
pub(super) const LARGE: f64 = f64::from_bits((1023 + 990) << 52);
/// Products of numbers between these (or 0) are two `f64` without underflow or overflow.
pub(super) const FACTORS: (f64, f64) =
    (f64::from_bits((1023 - 480) << 52), f64::from_bits((1023 + 480) << 52));

/// What a sum is, exactly.
#[derive(Clone, Debug, PartialEq)]
pub enum Exact {
    /// m · 2^exponent.
    Finite(BigInt, i32),
    /// An infinity.
    Infinite {
        /// Whether it is minus infinity.
        negative: bool,
    },
    /// A NaN was added, or both infinities.
    Nan,
}

/// The exact sum of any `f64` values, 32 bytes while three terms can hold it.
///
/// A value runs through three two-sums (Shewchuk 1997), each of which passes its rounding error
/// on; an error that the third leaves, and any value of 2^990 or more, goes to a wide fixed-point
/// number. Nothing is ever lost, so the result depends on the multiset of values alone.
/// An empty sum, and one of only -0.0, is 0.0. Any NaN gives the one NaN `f64::NAN`.
#[derive(Clone, Debug, Default)]
pub struct ExactSum {
    terms: [f64; 3],
    wide: Option<Box<Wide>>,
}

impl ExactSum {
    /// The sum of three terms below [`LARGE`].
    pub(super) fn from_terms(terms: [f64; 3]) -> ExactSum {
        ExactSum { terms, wide: None }
    }

    /// Adds a value.
    #[inline(always)]
    pub fn add(&mut self, x: f64) {
        if x.abs() < LARGE {
            self.add_moderate(x);
        } else {
            self.wide().add(x);
        }
    }

    #[inline(always)]
    fn add_moderate(&mut self, x: f64) {
        let [a, b, c] = self.terms;
        let (a, rest) = two_sum(a, x);
        let (b, rest) = two_sum(b, rest);
        let (c, rest) = two_sum(c, rest);
        self.terms = [a, b, c];
        if rest != 0.0 || a.abs() >= LARGE {
            self.spill(rest);
        }
    }

    /// Adds the square of a value.
    #[inline(always)]
    pub fn add_square(&mut self, x: f64) {
        self.add_product(x, x);
    }

    /// Adds the product of two values; that of 0 and an infinity is NaN.
    #[inline(always)]
    pub fn add_product(&mut self, x: f64, y: f64) {
        let fits = |x: f64| x.abs() >= FACTORS.0 && x.abs() < FACTORS.1;
        if fits(x) && fits(y) {
            let (product, error) = two_product(x, y);
            self.add_moderate(product);
            self.add_moderate(error);
        } else if !(x == 0.0 && y.is_finite() || y == 0.0 && x.is_finite()) {
            self.wide().add_product(x, y);
        }
    }

    /// Adds many values, in vector lanes.
    pub fn add_all<T: Summand>(&mut self, values: &[T]) {
        lanes::add_all(self, values);
    }

    /// Adds the squares of many values, in vector lanes.
    pub fn add_squares<T: Summand>(&mut self, values: &[T]) {
        lanes::add_products(self, values, values);
    }

    /// Adds the products of many pairs of values, in vector lanes; both have the same length.
    pub fn add_products<T: Summand>(&mut self, x: &[T], y: &[T]) {
        lanes::add_products(self, x, y);
    }

    /// What the terms cannot hold, and the terms themselves before they could overflow.
    #[cold]
    #[inline(never)]
    pub(super) fn spill(&mut self, rest: f64) {
        let large = self.terms[0].abs() >= LARGE;
        let terms = if large { std::mem::take(&mut self.terms) } else { [0.0; 3] };
        let wide = self.wide();
        wide.add(rest);
        terms.into_iter().for_each(|term| wide.add(term));
    }

    /// Adds a wide number.
    pub(super) fn add_wide(&mut self, other: Wide) {
        self.wide().merge(other);
    }

    #[cold]
    fn wide(&mut self) -> &mut Wide {
        self.wide.get_or_insert_default()
    }

    /// Adds all that another sum holds.
    pub fn merge(&mut self, other: &ExactSum) {
        other.terms.into_iter().for_each(|term| self.add(term));
        if let Some(wide) = &other.wide {
            self.add_wide((**wide).clone());
        }
    }

    /// The exact value.
    pub fn value(&self) -> Exact {
        let mut wide = self.wide.as_deref().cloned().unwrap_or_default();
        match wide.specials {
            Specials { nan: true, .. } | Specials { plus: true, minus: true, .. } => {
                return Exact::Nan;
            }
            Specials { plus: false, minus: false, .. } => {}
            Specials { minus, .. } => return Exact::Infinite { negative: minus },
        }
        self.terms.into_iter().for_each(|term| wide.add(term));
        let (m, exponent) = wide.value();
        Exact::Finite(m, exponent)
    }

    /// Whether an infinity or NaN was added.
    pub fn is_special(&self) -> bool {
        self.wide.as_ref().is_some_and(|wide| wide.specials != Specials::default())
    }

    /// The sum rounded once to `f64`.
    pub fn to_f64(&self) -> f64 {
        self.rounded(Precision::Double)
    }

    /// The sum rounded once to `f32`.
    pub fn to_f32(&self) -> f32 {
        self.rounded(Precision::Single) as f32
    }

    /// The sum rounded once.
    pub fn rounded(&self, precision: Precision) -> f64 {
        if let Some(terms) = self.partials() {
            return match precision {
                Precision::Double => nearest(terms),
                Precision::Single => f64::from(to_odd(terms) as f32),
            };
        }
        match self.value() {
            Exact::Finite(m, exponent) => {
                let size = round_big(m.magnitude(), exponent, precision);
                if m.sign() == num_bigint::Sign::Minus { -size } else { size }
            }
            Exact::Infinite { negative: false } => f64::INFINITY,
            Exact::Infinite { negative: true } => f64::NEG_INFINITY,
            Exact::Nan => f64::NAN,
        }
    }

    /// The sum as at most three terms of falling size that do not overlap, then zeros;
    /// `None` if it takes more.
    pub(super) fn partials(&self) -> Option<[f64; 3]> {
        if self.wide.is_some() {
            return None;
        }
        // Shewchuk's grow-expansion, smallest first, zeros dropped as in Python's `math.fsum`.
        let mut rising = [0.0f64; 3];
        let mut n = 0;
        for mut x in [self.terms[2], self.terms[1], self.terms[0]] {
            let mut kept = 0;
            for i in 0..n {
                let (sum, error) = two_sum(x, rising[i]);
                x = sum;
                if error != 0.0 {
                    rising[kept] = error;
                    kept += 1;
                }
            }
            rising[kept] = x;
            n = kept + usize::from(x != 0.0);
        }
        let mut falling = [0.0; 3];
        (0..n).for_each(|i| falling[i] = rising[n - 1 - i]);
        Some(falling)
    }

    /// Bytes of memory besides the 32 of the value itself.
    pub fn heap(&self) -> usize {
        self.wide.as_ref().map_or(0, |wide| wide.bytes())
    }

    /// Writes the state: which parts follow, the terms that are not 0, the wide number.
    pub fn write(&self, out: &mut Vec<u8>) {
        let at = out.len();
        out.push(u8::from(self.wide.is_some()) << 3);
        for (i, term) in self.terms.iter().enumerate().filter(|(_, term)| **term != 0.0) {
            out[at] |= 1 << i;
            out.extend(term.to_le_bytes());
        }
        if let Some(wide) = &self.wide {
            wide.write(out);
        }
    }

    /// Adds what [`ExactSum::write`] wrote; `None` if the bytes are something else.
    pub fn merge_written(&mut self, bytes: &mut Bytes) -> Option<()> {
        let flags = bytes.u8().filter(|flags| *flags < 16)?;
        for _ in 0..(flags & 7).count_ones() {
            self.add(bytes.f64()?);
        }
        if flags & 8 != 0 {
            self.add_wide(Wide::read(bytes)?);
        }
        Some(())
    }
}

/// Terms of falling size that do not overlap, rounded to nearest (the end of `math.fsum`).
fn nearest(terms: [f64; 3]) -> f64 {
    let (high, low, last) = top(terms);
    // A tie that the last term decides: going twice as far must be exact to be the neighbour.
    if low != 0.0 && last != 0.0 && (low < 0.0) == (last < 0.0) {
        let next = high + 2.0 * low;
        if next - high == 2.0 * low {
            return next;
        }
    }
    high
}

/// Terms of falling size that do not overlap, rounded to the neighbour whose last bit is odd
/// unless exact; rounding that once more to nearest is right for any type with two bits fewer
/// (Boldo and Melquiond 2008).
pub(super) fn to_odd(terms: [f64; 3]) -> f64 {
    let (high, low, _) = top(terms);
    if low == 0.0 || high.to_bits() & 1 == 1 {
        return high;
    }
    if low > 0.0 { high.next_up() } else { high.next_down() }
}

/// The two leading terms once the first is the rounded sum of both, and the one after them.
fn top([a, b, c]: [f64; 3]) -> (f64, f64, f64) {
    let (high, low) = two_sum(a, b);
    if low != 0.0 {
        return (high, low, c);
    }
    let (high, low) = two_sum(high, c);
    (high, low, 0.0)
}
