//! Exponentials. An argument is a whole number of ln 2, which becomes the exponent, and a rest
//! of at most ln 2 / 2, whose exponential is a polynomial; its coefficients are minimax (Remez).
use super::double::{by_halves, fast_two_sum, polynomial, two_sum};
use super::inlined::unary;
use std::f64::consts::{LN_2, LOG2_E};

/// ln 2 - [`LN_2`].
pub const LN_2_REST: f64 = 2.3190468138462996e-17;

/// A float added to this is rounded to a whole number, which stands in its low bits.
pub const WHOLE: f64 = 6755399441055744.0; // 1.5 * 2^52

/// [`WHOLE`] with the sum of two biases of exponents, for [`scale`].
const BIASED: f64 = WHOLE + 2046.0;

/// (e^r - 1 - r - r²/2) / r³, within 2^-64 / r³ for |r| <= ln 2 / 2.
const TAIL: [f64; 10] = [
    0.16666666666666682,
    0.04166666666666671,
    0.00833333333331676,
    0.0013888888888858384,
    0.00019841269897091492,
    2.480158737996182e-05,
    2.755723414734165e-06,
    2.755722509620406e-07,
    2.5112285564191932e-08,
    2.093010410353054e-09,
];

/// (e^r - 1 - r) / r², within 2^-34 / r², for float32.
const TAIL_32: [f64; 6] = [
    0.5000000078224969,
    0.16666666885224893,
    0.04166626866481539,
    0.00833325772636953,
    0.0013946171572558647,
    0.0001992252318260799,
];

/// `x + rest` as n ln 2 + high + low: (`whole` + n, high, low), for |x| < 2^11.
#[inline(always)]
pub fn reduce(x: f64, rest: f64, whole: f64) -> (f64, f64, f64) {
    let shifted = x.mul_add(LOG2_E, whole);
    let n = shifted - whole;
    // The first difference is exact: its bits lie between 2^-54 and 2^-1.
    let (high, low) = fast_two_sum((-n).mul_add(LN_2, x), (-n).mul_add(LN_2_REST, rest));
    (shifted, high, low)
}

/// e^(r + low) - 1 - r for |r| <= ln 2 / 2.
#[inline(always)]
fn beyond_linear(r: f64, low: f64) -> f64 {
    let z = r * r;
    z.mul_add(0.5, (r * z).mul_add(by_halves(r, TAIL), r.mul_add(low, low)))
}

/// e^(r + low) for |r| <= ln 2 / 2.
#[inline(always)]
fn near_one(r: f64, low: f64) -> f64 {
    let (sum, rest) = fast_two_sum(1.0, r);
    sum + (rest + beyond_linear(r, low))
}

/// e^(r + low) - 1 as a pair, for |r| <= ln 2 / 2.
#[inline(always)]
fn near_zero(r: f64, low: f64) -> (f64, f64) {
    let square_rest = r.mul_add(r, -(r * r));
    fast_two_sum(r, beyond_linear(r, square_rest.mul_add(0.5, low)))
}

/// y 2^n, rounded once if it is subnormal; `shifted` is [`BIASED`] + n.
#[inline(always)]
fn scale(y: f64, shifted: f64) -> f64 {
    // Two factors, as 2^n itself may be too large or too small for a float.
    let bits = shifted.to_bits();
    let half = bits >> 1;
    y * f64::from_bits(half << 52) * f64::from_bits(bits.wrapping_sub(half) << 52)
}

/// x, but not beyond these; NaN stays.
#[inline(always)]
pub fn between(x: f64, low: f64, high: f64) -> f64 {
    let x = if x > high { high } else { x };
    if x < low { low } else { x }
}

/// e^(x + rest), where `rest` is less than an ulp of x.
#[inline(always)]
pub fn exp_pair(x: f64, rest: f64) -> f64 {
    let (shifted, high, low) = reduce(x, rest, BIASED);
    scale(near_one(high, low), shifted)
}

/// e^x
#[inline(always)]
fn exp(x: f64) -> f64 {
    exp_pair(between(x, -746.0, 710.0), 0.0)
}

/// 2^x
#[inline(always)]
fn exp2(x: f64) -> f64 {
    let x = between(x, -1076.0, 1025.0);
    let shifted = x + BIASED;
    let part = x - (shifted - BIASED);
    let high = part * LN_2;
    let low = part.mul_add(LN_2_REST, part.mul_add(LN_2, -high));
    scale(near_one(high, low), shifted)
}

/// (e^x - 1) `one` as a pair, for -40 <= x < 711; `one` is the power of two whose biased exponent
/// is `bias`.
#[inline(always)]
pub fn expm1_pair(x: f64, one: f64, bias: u64) -> (f64, f64) {
    let (shifted, high, low) = reduce(x, 0.0, WHOLE);
    let (high, low) = near_zero(high, low);
    let power = f64::from_bits(shifted.to_bits().wrapping_add(bias) << 52);
    let (less, less_rest) = two_sum(power, -one);
    // |less| is 0 or larger than power * high.
    let (sum, rest) = fast_two_sum(less, power * high);
    (sum, rest + power.mul_add(low, less_rest))
}

/// e^x - 1
#[inline(always)]
fn expm1(x: f64) -> f64 {
    // Halves, as 2^1024 is too large.
    let (high, low) = expm1_pair(between(x, -40.0, 710.0), 0.5, 1022);
    // Below 2^-54: it may be subnormal, or -0.
    if x.abs() < 5.551115123125783e-17 { x } else { 2.0 * (high + low) }
}

/// (e^r - 1, 2^n) for float32, where e^x = 2^n e^r.
#[inline(always)]
fn parts32(x: f64) -> (f64, f64) {
    let shifted = x.mul_add(LOG2_E, WHOLE);
    let r = (-(shifted - WHOLE)).mul_add(LN_2, x);
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    ((r * r).mul_add(polynomial(r, TAIL_32), r), power)
}

/// e^x for a float32, or a float64 on the way to one.
#[inline(always)]
pub fn exp_for32(x: f64) -> f64 {
    let (less_one, power) = parts32(between(x, -150.0, 150.0));
    power.mul_add(less_one, power)
}

/// e^x - 1 for a float32.
#[inline(always)]
pub fn expm1_for32(x: f64) -> f64 {
    let (less_one, power) = parts32(between(x, -150.0, 150.0));
    power.mul_add(less_one, power - 1.0)
}

/// e^x
#[inline(always)]
fn exp32(x: f32) -> f32 {
    exp_for32(f64::from(x)) as f32
}

/// 2^x
#[inline(always)]
fn exp2_32(x: f32) -> f32 {
    let x = between(f64::from(x), -200.0, 200.0);
    let shifted = x + WHOLE;
    let r = (x - (shifted - WHOLE)) * LN_2;
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    power.mul_add((r * r).mul_add(polynomial(r, TAIL_32), r), power) as f32
}

/// e^x - 1
#[inline(always)]
fn expm1_32(x: f32) -> f32 {
    // The sign of 0.
    (expm1_for32(f64::from(x)) as f32).copysign(x)
}

unary! {
    /// [`exp`]
    Exp = exp, exp32;
    /// [`exp2`]
    Exp2 = exp2, exp2_32;
    /// [`expm1`]
    Expm1 = expm1, expm1_32;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::math::oracle;

    #[test]
    fn exponentials_are_true() {
        oracle::unary("exp", Exp);
        oracle::unary32("exp", Exp, Exp);
        oracle::unary("exp2", Exp2);
        oracle::unary32("exp2", Exp2, Exp2);
        oracle::unary("expm1", Expm1);
        oracle::unary32("expm1", Expm1, Expm1);
    }
}
