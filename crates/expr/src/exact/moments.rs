//! Mean, variance and standard deviation from exact sums: rational numbers, rounded once.
use super::error_free::two_product;
use super::round::{round_ratio, round_root};
use super::{Exact, ExactSum, Precision};
use num_bigint::{BigInt, BigUint, Sign};

/// Which measure of spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// (n Σx² − (Σx)²) / (n (n − ddof))
    Variance,
    /// Its square root.
    Deviation,
}

impl ExactSum {
    /// The sum divided by `n`, rounded once; `n` is not 0.
    pub fn divided(&self, n: u64, precision: Precision) -> f64 {
        if let Some(mean) = self.partials().and_then(|terms| quick_ratio(terms, n, precision)) {
            return mean;
        }
        match self.value() {
            Exact::Finite(m, exponent) => ratio(&m, &BigUint::from(n), exponent, precision),
            _ => self.to_f64(),
        }
    }

    /// The spread of `n` values with this sum and this sum of squares, rounded once.
    /// NaN if an infinity or NaN is among them or `n <= ddof`.
    pub fn spread(
        &self,
        squares: &ExactSum,
        n: u64,
        ddof: u64,
        spread: Spread,
        precision: Precision,
    ) -> f64 {
        let (Exact::Finite(s, es), Exact::Finite(q, eq)) = (self.value(), squares.value()) else {
            return f64::NAN;
        };
        let exponent = eq.min(2 * es);
        let numerator = ((q * n) << (eq - exponent)) - ((&s * &s) << (2 * es - exponent));
        spread_ratio(&numerator, exponent, n, ddof, spread, precision)
    }
}

/// The mean of `n` integers with this sum, rounded once; `n` is not 0.
pub fn integer_mean(sum: i128, n: u64) -> f64 {
    if sum.unsigned_abs() < 1 << 53 && n < 1 << 53 {
        // Both are exact, so the division rounds once.
        return sum as f64 / n as f64;
    }
    ratio(&BigInt::from(sum), &BigUint::from(n), 0, Precision::Double)
}

/// The spread of `n` integers with this sum; Σx² = `squares` + 2^128 `carries`.
pub fn integer_spread(
    sum: i128,
    squares: u128,
    carries: u64,
    n: u64,
    ddof: u64,
    spread: Spread,
) -> f64 {
    let squares = (BigInt::from(carries) << 128) + squares;
    let sum = BigInt::from(sum);
    let numerator = squares * n - &sum * &sum;
    spread_ratio(&numerator, 0, n, ddof, spread, Precision::Double)
}

/// `numerator · 2^exponent / (n (n − ddof))`, or its root.
fn spread_ratio(
    numerator: &BigInt,
    exponent: i32,
    n: u64,
    ddof: u64,
    spread: Spread,
    precision: Precision,
) -> f64 {
    let Some(freedom) = n.checked_sub(ddof).filter(|freedom| *freedom > 0) else {
        return f64::NAN;
    };
    let denominator = BigUint::from(u128::from(n) * u128::from(freedom));
    let numerator = numerator.magnitude();
    match spread {
        Spread::Variance => round_ratio(numerator, &denominator, exponent, precision),
        Spread::Deviation => round_root(numerator, &denominator, exponent, precision),
    }
}

fn ratio(m: &BigInt, n: &BigUint, exponent: i32, precision: Precision) -> f64 {
    let size = round_ratio(m.magnitude(), n, exponent, precision);
    if m.sign() == Sign::Minus { -size } else { size }
}

/// The quotient in floating-point arithmetic if its error cannot change the rounding
/// (Ziv's test), else `None`.
fn quick_ratio([a, b, c]: [f64; 3], n: u64, precision: Precision) -> Option<f64> {
    const SAFE: std::ops::Range<f64> = 1e-100..1e300;
    if a == 0.0 {
        return Some(0.0);
    }
    if !SAFE.contains(&a.abs()) || n >= 1 << 53 {
        return None;
    }
    let n = n as f64;
    let q = a / n;
    let (product, error) = two_product(q, n);
    // Exactly a − q n. Adding b + c may cancel, so the doubt is relative to the parts.
    let remainder = (a - product) - error;
    let rest = (remainder + (b + c)) / n;
    let doubt = (remainder.abs() + b.abs()) / n * f64::from_bits((1023 - 45) << 52);
    let (low, high) = (q + (rest - doubt), q + (rest + doubt));
    match precision {
        Precision::Double => (low == high).then_some(low),
        Precision::Single => {
            // Right unless a tie or a bound of f32 is near: there f64 has lost what decides.
            const DROPPED: u64 = (1 << 29) - 1;
            let (below, above) = (low as f32, high as f32);
            let tie = |x: f64| x.to_bits() & DROPPED == 1 << 28;
            let clear = below == above && below.is_normal() && !tie(low) && !tie(high);
            clear.then_some(f64::from(below))
        }
    }
}
