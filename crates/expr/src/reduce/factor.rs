//! Factors with what rounding took away: about 106 bits, the same on every host.
use crate::exact::two_product;
use crate::isa::{self, Loop};

/// The sum of two floats, of which the first is the sum rounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Factor {
    /// The value, rounded.
    pub high: f64,
    /// What rounding took away; 0 beside what is not finite, and beside 0.
    pub low: f64,
}

impl From<f64> for Factor {
    fn from(high: f64) -> Factor {
        Factor { high, low: 0.0 }
    }
}

impl Factor {
    /// What changes no bits of another factor.
    pub const ONE: Factor = Factor { high: 1.0, low: 0.0 };

    /// The product (Dekker 1971). Where its rounding error is beyond floats, it is left out.
    #[inline(always)]
    pub fn times(self, other: Factor) -> Factor {
        let (product, error) = two_product(self.high, other.high);
        let error = error + (self.high * other.low + self.low * other.high);
        let high = product + error;
        let low = error - (high - product);
        // Beside 0 the sign would be lost.
        let exact = low.is_finite() & (product != 0.0);
        let rounded = if exact { Factor { high, low } } else { product.into() };
        let with = |one: Factor, other, else_| if one == Factor::ONE { other } else { else_ };
        with(self, other, with(other, self, rounded))
    }

    /// What tells it from others.
    pub fn bits(self) -> (u64, u64) {
        (self.high.to_bits(), self.low.to_bits())
    }
}

/// Values that are multiplied in one loop.
const MOST: usize = 256;

/// The product over the whole tree of 2^l values.
pub(super) fn pairwise(values: &[f64]) -> Factor {
    if values.len() > MOST {
        let (left, right) = values.split_at(values.len() / 2);
        return pairwise(left).times(pairwise(right));
    }
    isa::run(Pairs(values))
}

/// At most [`MOST`] values.
struct Pairs<'a>(&'a [f64]);

impl Loop for Pairs<'_> {
    type Output = Factor;

    #[inline(always)]
    fn run(self) -> Factor {
        let (mut high, mut low) = ([1.0; MOST], [0.0; MOST]);
        high[..self.0.len()].copy_from_slice(self.0);
        let mut n = self.0.len();
        while n > 1 {
            n /= 2;
            for i in 0..n {
                let factor = |i: usize| Factor { high: high[i], low: low[i] };
                let product = factor(2 * i).times(factor(2 * i + 1));
                (high[i], low[i]) = (product.high, product.low);
            }
        }
        Factor { high: high[0], low: low[0] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn edges_are_those_of_a_product() {
        let of = |a: f64, b: f64| Factor::from(a).times(b.into()).high;
        let edges =
            [0.0, -0.0, 1.0, -1.0, f64::INFINITY, f64::NAN, f64::MAX, 5e-324, 1e300, 1e-200];
        for a in edges {
            for b in edges {
                let (found, right) = (of(a, b), a * b);
                assert!(found.to_bits() == right.to_bits() || found.is_nan() && right.is_nan());
            }
        }
    }

    proptest! {
        #[test]
        fn one_changes_no_bits(high: f64, low in -0.5..0.5) {
            let factor = Factor::from(high).times(Factor { high: 1.0 + f64::EPSILON, low: 0.0 });
            let factor = factor.times(Factor { high: low, low: 0.0 });
            prop_assert_eq!(factor.times(Factor::ONE).bits(), factor.bits());
            prop_assert_eq!(Factor::ONE.times(factor).bits(), factor.bits());
        }

        #[test]
        fn products_are_rounded_once(a in 0.5..2.0, b in 0.5..2.0, c in 0.5..2.0) {
            // Two of them are exact, and so is the third up to 2^-100.
            let (a, b, c): (f64, f64, f64) = (a, b, c);
            let all = Factor::from(a).times(b.into()).times(c.into());
            let two = two_product(a, b);
            let (p, e) = two_product(two.0, c);
            prop_assert!((all.high - p - (e + two.1 * c)).abs() <= f64::EPSILON * p);
            prop_assert_eq!(all.high + all.low, all.high);
        }
    }

    #[test]
    fn many_factors_near_one_keep_their_digits() {
        let values: Vec<f64> = (1..=1 << 20).map(|k| 1.0 + 1.0 / f64::from(k) / 1e3).collect();
        let found = pairwise(&values).high;
        // By their logarithms, added with compensation.
        let (mut log, mut lost) = (0.0, 0.0);
        for value in values {
            let term: f64 = (value - 1.0).ln_1p() + lost;
            let sum = log + term;
            (lost, log) = (term - (sum - log), sum);
        }
        assert!((found / log.exp() - 1.0).abs() < 1e-15, "{found} {}", log.exp());
    }
}
