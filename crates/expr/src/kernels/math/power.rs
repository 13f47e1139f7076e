//! `x ** y` of floats: e^(y ln |x|), with the logarithm as a pair that is right to 2^-67 of itself,
//! as y ln |x| may be as large as 745. All special cases are those of C99, annex F.9.4.4.
use super::apply::Binary;
use super::double::{by_halves, fast_two_sum, two_product};
use super::exponential::{between, exp_for32, exp_pair};
use super::logarithm::{LN_2_HIGH, LN_2_LOW, natural, reduce, split, split_normal, whole};
use std::hint::select_unpredictable as select;

/// 1/12 as a pair.
const TWELFTH: (f64, f64) = (0.08333333333333333, 4.625929269271485e-18);

/// 1/80 as a pair.
const EIGHTIETH: (f64, f64) = (0.0125, -6.938893903907229e-19);

/// ((2 artanh(t / 2) - t) / t³ - 1/12 - t²/80) / t⁴ by t², within 2^-72 / t⁶ for t² <= 0.1215.
const TAIL: [f64; 7] = [
    0.0022321428571433046,
    0.0004340277777255463,
    8.877841151734866e-05,
    1.877998911011301e-05,
    4.069827487670158e-06,
    8.910864542135551e-07,
    2.2808558990446465e-07,
];

/// ln x as a pair, for x positive and finite.
#[inline(always)]
fn log_pair(x: f64) -> (f64, f64) {
    let (m, k) = split(x);
    let (t, t_rest) = reduce(m, 0.0);
    let (z, z_rest) = two_product(t, t);
    let z_rest = (2.0 * t).mul_add(t_rest, z_rest);
    let (q, q_rest) = fast_two_sum(EIGHTIETH.0, z * by_halves(z, TAIL));
    let (zq, zq_rest) = two_product(z, q);
    let zq_rest = z.mul_add(q_rest + EIGHTIETH.1, z_rest.mul_add(q, zq_rest));
    let (p, p_rest) = fast_two_sum(TWELFTH.0, zq);
    let p_rest = (p_rest + zq_rest) + TWELFTH.1;
    let (w, w_rest) = two_product(z, p);
    let w_rest = z.mul_add(p_rest, z_rest.mul_add(p, w_rest));
    let (v, v_rest) = two_product(t, w);
    let v_rest = t.mul_add(w_rest, t_rest.mul_add(w, v_rest));
    let (sum, rest) = fast_two_sum(k * LN_2_HIGH, t);
    let (sum, more) = fast_two_sum(sum, v);
    fast_two_sum(sum, (rest + more) + k.mul_add(LN_2_LOW, t_rest + v_rest))
}

/// ln x for x positive, finite and normal, within an ulp or two.
#[inline(always)]
fn log_near(x: f64) -> f64 {
    let (m, exponent) = split_normal(x);
    natural(whole(exponent) - 1023.0, (m - 1.0) / m.mul_add(0.5, 0.5), 0.0)
}

/// Whether x >= 0 is a whole number.
#[inline(always)]
fn is_whole(x: f64) -> bool {
    const TWO_52: f64 = 4503599627370496.0;
    ((x + TWO_52) - TWO_52 == x) | (x >= TWO_52)
}

/// x to the power of y from `size`, which is |x| to the power of y.
#[inline(always)]
fn with_sign(x: f64, y: f64, size: f64) -> f64 {
    let b = y.abs();
    let whole = is_whole(b);
    let odd = whole & !is_whole(0.5 * b);
    let sign = select(odd, x.to_bits() & (1 << 63), 0);
    let power = f64::from_bits(size.to_bits() ^ sign);
    let power = select((x < 0.0) & (x > f64::NEG_INFINITY) & !whole, f64::NAN, power);
    select((y == 0.0) | (x == 1.0), 1.0, power)
}

/// The logarithm `y` of x where x is positive and finite, and what is right at 0 and above.
#[inline(always)]
fn with_ends(x: f64, y: f64) -> f64 {
    let end = select(x == 0.0, f64::NEG_INFINITY, x);
    select((x > 0.0) & (x < f64::INFINITY), y, end)
}

/// Beyond, only the sign of y matters (and that it is even, as infinity is).
#[inline(always)]
fn finite(y: f64) -> f64 {
    between(y, -1e21, 1e21)
}

/// x to the power of y.
#[inline(always)]
fn pow(x: f64, y: f64) -> f64 {
    let y = finite(y);
    let (log, log_rest) = log_pair(x.abs());
    let log = with_ends(x.abs(), log);
    let exponent = y * log;
    let rest = y.mul_add(log_rest, y.mul_add(log, -exponent));
    let rest = select(exponent.abs() < 746.0, rest, 0.0);
    with_sign(x, y, exp_pair(between(exponent, -746.0, 710.0), rest))
}

/// The same in float32.
#[inline(always)]
fn pow32(x: f32, y: f32) -> f32 {
    let (x, y) = (f64::from(x), finite(f64::from(y)));
    let log = with_ends(x.abs(), log_near(x.abs()));
    with_sign(x, y, exp_for32(y * log)) as f32
}

/// `x ** y`
#[derive(Clone, Copy, Debug)]
pub struct Pow;

impl Binary<f64> for Pow {
    #[inline(always)]
    fn common(self, x: f64, y: f64) -> f64 {
        pow(x, y)
    }
}

impl Binary<f32> for Pow {
    #[inline(always)]
    fn common(self, x: f32, y: f32) -> f32 {
        pow32(x, y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::math::oracle;

    #[test]
    fn powers_are_true() {
        oracle::binary("power", Pow);
        oracle::binary32("power", Pow, Pow);
    }
}
