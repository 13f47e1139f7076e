//! Integers and rational numbers to `f32` and `f64`: to nearest, ties to even, once.
use num_bigint::BigUint;

/// To which type a result is rounded; the answer always stands in an `f64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// To `f32`, which an `f64` holds exactly.
    Single,
    /// To `f64`.
    Double,
}

impl Precision {
    /// Bits of the significand, exponents of the lowest bit and of the first power that overflows.
    fn limits(self) -> (i32, i32, i32) {
        match self {
            Precision::Single => (24, -149, 128),
            Precision::Double => (53, -1074, 1024),
        }
    }
}

/// `m · 2^exponent`, plus something below its last bit if `sticky`, rounded.
/// With `sticky`, `m` must have at least 55 bits.
pub(super) fn round(m: u128, exponent: i32, sticky: bool, precision: Precision) -> f64 {
    if m == 0 {
        return 0.0;
    }
    let (digits, lowest, over) = precision.limits();
    let top = exponent + 128 - m.leading_zeros() as i32;
    let cut = (top - digits).max(lowest);
    let q = match cut - exponent {
        shift @ ..=0 => m << -shift,
        shift @ 1..=127 => {
            let (q, rest, half) = (m >> shift, m & ((1 << shift) - 1), 1u128 << (shift - 1));
            q + u128::from(rest > half || rest == half && (sticky || q & 1 == 1))
        }
        128 => u128::from(m > 1 << 127 || m == 1 << 127 && sticky),
        _ => 0,
    };
    if cut + (128 - q.leading_zeros() as i32) > over {
        return f64::INFINITY;
    }
    match precision {
        // The significand's first bit adds itself to the exponent's field.
        Precision::Double => f64::from_bits((((cut + 1074) as u64) << 52) + q as u64),
        Precision::Single => q as f64 * f64::from_bits(((cut + 1023) as u64) << 52),
    }
}

/// `m · 2^exponent` rounded.
pub(super) fn round_big(m: &BigUint, exponent: i32, precision: Precision) -> f64 {
    let drop = m.bits().saturating_sub(128);
    let sticky = m.trailing_zeros().is_some_and(|zeros| zeros < drop);
    round(low_bits(&(m >> drop)), exponent + drop as i32, sticky, precision)
}

/// `numerator / denominator · 2^exponent` rounded; the denominator is not 0.
pub(super) fn round_ratio(
    numerator: &BigUint,
    denominator: &BigUint,
    exponent: i32,
    precision: Precision,
) -> f64 {
    let scale = 100 - (numerator.bits() as i32 - denominator.bits() as i32);
    let (q, exact) = quotient(numerator, denominator, scale);
    round(q, exponent - scale, !exact, precision)
}

/// The square root of `numerator / denominator · 2^exponent`, rounded.
pub(super) fn round_root(
    numerator: &BigUint,
    denominator: &BigUint,
    exponent: i32,
    precision: Precision,
) -> f64 {
    let mut scale = 112 - (numerator.bits() as i32 - denominator.bits() as i32);
    scale += (exponent - scale) & 1;
    let (q, exact) = quotient(numerator, denominator, scale);
    let root = q.isqrt();
    round(root, (exponent - scale) / 2, !exact || root * root != q, precision)
}

/// The integer part of `numerator / denominator · 2^scale`, and whether that is all of it.
fn quotient(numerator: &BigUint, denominator: &BigUint, scale: i32) -> (u128, bool) {
    let n = numerator << scale.max(0);
    let d = denominator << (-scale).max(0);
    let q = &n / &d;
    let exact = &q * &d == n;
    (low_bits(&q), exact)
}

/// The lowest 128 bits.
fn low_bits(m: &BigUint) -> u128 {
    let mut digits = m.iter_u64_digits();
    let low = digits.next().unwrap_or(0);
    u128::from(low) | u128::from(digits.next().unwrap_or(0)) << 64
}
