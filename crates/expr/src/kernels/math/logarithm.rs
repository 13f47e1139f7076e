//! Logarithms. An argument is m 2^k with m between √½ and √2, and
//! ln m = 2 artanh((m - 1) / (m + 1)), an odd polynomial in t = (m - 1) / ((m + 1) / 2) whose
//! coefficients are minimax (Remez). One division each.
use super::double::{fast_two_sum, polynomial, two_sum};
use super::inlined::unary;
use std::f64::consts::{LN_2, LOG2_E, LOG10_E};
use std::hint::select_unpredictable as select;

/// ln 2 in 32 bits, so that products with exponents are exact.
pub const LN_2_HIGH: f64 = 0.6931471803691238;
/// ln 2 - [`LN_2_HIGH`]
pub const LN_2_LOW: f64 = 1.9082149292705877e-10;

/// (2 artanh(t / 2) - t) / t³ by t², within 2^-59 / t² for t² <= 0.1215.
const TAIL: [f64; 7] = [
    0.0833333333333344,
    0.012499999999778423,
    0.002232142872820832,
    0.000434027252408761,
    8.878780539032847e-05,
    1.8688080535832155e-05,
    4.5305432485152335e-06,
];

/// The same within 2^-37 / t², for float32.
const TAIL_32: [f64; 4] =
    [0.08333333188299862, 0.012500115316736799, 0.002229299561344175, 0.00046147196871686803];

/// The bits of √½.
const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
/// The bits of 1.
const ONE: u64 = 0x3ff0_0000_0000_0000;
/// A whole number below 2^52 in the low bits of this is a float, less 2^52.
const TWO_52: u64 = 0x4330_0000_0000_0000;

/// A normal float as m 2^k with m between √½ and √2: (m, k + 1023 as bits).
#[inline(always)]
pub fn split_normal(x: f64) -> (f64, u64) {
    let shifted = x.to_bits().wrapping_add(ONE - ROOT_HALF);
    (f64::from_bits((shifted & 0x000f_ffff_ffff_ffff) + ROOT_HALF), shifted >> 52)
}

/// A small whole number from bits.
#[inline(always)]
pub fn whole(bits: u64) -> f64 {
    f64::from_bits(bits | TWO_52) - 4503599627370496.0
}

/// A positive finite float as m 2^k with m between √½ and √2: (m, k).
#[inline(always)]
pub fn split(x: f64) -> (f64, f64) {
    let subnormal = x < f64::MIN_POSITIVE;
    let (m, exponent) = split_normal(if subnormal { x * 18014398509481984.0 } else { x });
    (m, whole(exponent) - if subnormal { 1077.0 } else { 1023.0 })
}

/// (a + b) / (c + d) as a pair, where a + b and c + d are pairs.
#[inline(always)]
pub fn quotient(a: f64, b: f64, c: f64, d: f64) -> (f64, f64) {
    let inverse = 1.0 / c;
    let high = a * inverse;
    let rest = (-high).mul_add(c, a) + (-high).mul_add(d, b);
    (high, rest * inverse)
}

/// t of m + rest as a pair, where `rest` is at most an ulp of m.
#[inline(always)]
pub fn reduce(m: f64, rest: f64) -> (f64, f64) {
    let mean = m.mul_add(0.5, 0.5);
    let mean_rest = 0.5f64.mul_add(m, 0.5 - mean) + 0.5 * rest;
    quotient(m - 1.0, rest, mean, mean_rest)
}

/// 2 artanh((t + rest) / 2) - t
#[inline(always)]
fn tail(t: f64, rest: f64) -> f64 {
    let z = t * t;
    (t * z).mul_add(polynomial(z, TAIL), rest)
}

/// k ln 2 + 2 artanh((t + rest) / 2)
#[inline(always)]
pub fn natural(k: f64, t: f64, rest: f64) -> f64 {
    let (high, low) = fast_two_sum(k * LN_2_HIGH, t);
    high + (low + k.mul_add(LN_2_LOW, tail(t, rest)))
}

/// ln(u + rest) + more ln 2, where u is normal and `rest` at most an ulp of u.
#[inline(always)]
pub fn of_sum(u: f64, rest: f64, more: f64) -> f64 {
    let (m, exponent) = split_normal(u);
    let rest = rest * f64::from_bits(2046u64.wrapping_sub(exponent) << 52);
    let rest = if u > 1e18 { 0.0 } else { rest };
    let (t, t_rest) = reduce(m, rest);
    natural(whole(exponent) - 1023.0 + more, t, t_rest)
}

/// The logarithm `y` of x where x is positive and finite, and what is right elsewhere.
#[inline(always)]
fn with_ends(x: f64, y: f64) -> f64 {
    let end = if x < 0.0 { f64::NAN } else { x };
    let end = if x == 0.0 { f64::NEG_INFINITY } else { end };
    if x > 0.0 && x < f64::INFINITY { y } else { end }
}

/// The natural logarithm of x; -inf at 0, NaN below.
#[inline(always)]
fn log(x: f64) -> f64 {
    let (m, k) = split(x);
    let (t, rest) = reduce(m, 0.0);
    with_ends(x, natural(k, t, rest))
}

/// (k + ln m c) for a factor and a term of k that are pairs.
#[inline(always)]
fn to_base(x: f64, factor: (f64, f64), term: (f64, f64)) -> f64 {
    let (m, k) = split(x);
    let (t, rest) = reduce(m, 0.0);
    let product = t * factor.0;
    let product_rest = t.mul_add(factor.0, -product);
    let low = t.mul_add(factor.1, tail(t, rest) * factor.0) + product_rest;
    let (high, sum_rest) = fast_two_sum(k * term.0, product);
    with_ends(x, high + (sum_rest + k.mul_add(term.1, low)))
}

/// The logarithm of x to base 2.
#[inline(always)]
fn log2(x: f64) -> f64 {
    to_base(x, (LOG2_E, 2.0355273740931033e-17), (1.0, 0.0))
}

/// The logarithm of x to base 10.
#[inline(always)]
fn log10(x: f64) -> f64 {
    // log10(2) in 32 bits, and the rest.
    let term = (0.3010299955494702, 1.1451100898021838e-10);
    to_base(x, (LOG10_E, 1.098319650216765e-17), term)
}

/// ln(1 + x)
#[inline(always)]
fn log1p(x: f64) -> f64 {
    let (sum, rest) = two_sum(1.0, x);
    // Near 0, below 2^-28, `rest` is not much smaller than the result.
    let small = x.abs() < 3.725290298461914e-9;
    let y = select(small, (-0.5 * x).mul_add(x, x), of_sum(sum, rest, 0.0));
    let end = if x < -1.0 { f64::NAN } else { x };
    let end = if x == -1.0 { f64::NEG_INFINITY } else { end };
    if x > -1.0 && x < f64::INFINITY { y } else { end }
}

/// The logarithm of a positive normal float64, for float32.
#[inline(always)]
pub fn log_for32(x: f64) -> f64 {
    let (m, exponent) = split_normal(x);
    let t = (m - 1.0) / m.mul_add(0.5, 0.5);
    let z = t * t;
    let log = (t * z).mul_add(polynomial(z, TAIL_32), t);
    (whole(exponent) - 1023.0).mul_add(LN_2, log)
}

/// The natural logarithm of x.
#[inline(always)]
fn log32(x: f32) -> f32 {
    let x = f64::from(x);
    with_ends(x, log_for32(x)) as f32
}

/// The logarithm of x to base 2.
#[inline(always)]
fn log2_32(x: f32) -> f32 {
    let x = f64::from(x);
    with_ends(x, log_for32(x) * LOG2_E) as f32
}

/// The logarithm of x to base 10.
#[inline(always)]
fn log10_32(x: f32) -> f32 {
    let x = f64::from(x);
    with_ends(x, log_for32(x) * LOG10_E) as f32
}

/// ln(1 + x)
#[inline(always)]
fn log1p32(x: f32) -> f32 {
    let x = f64::from(x);
    let small = x.abs() < 9.5367431640625e-7; // 2^-20
    let y = with_ends(x + 1.0, log_for32(x + 1.0));
    select(small, (-0.5 * x).mul_add(x, x), y) as f32
}

unary! {
    /// [`log`]
    Log = log, log32;
    /// [`log2`]
    Log2 = log2, log2_32;
    /// [`log10`]
    Log10 = log10, log10_32;
    /// [`log1p`]
    Log1p = log1p, log1p32;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::math::oracle;

    #[test]
    fn logarithms_are_true() {
        oracle::unary("log", Log);
        oracle::unary32("log", Log, Log);
        oracle::unary("log2", Log2);
        oracle::unary32("log2", Log2, Log2);
        oracle::unary("log10", Log10);
        oracle::unary32("log10", Log10, Log10);
        oracle::unary("log1p", Log1p);
        oracle::unary32("log1p", Log1p, Log1p);
    }
}
