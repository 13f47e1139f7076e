//! `sin(x)`, `cos(x)`, and both of one angle. At most 0.71 ulp.
use super::angle::{Angle, LIMIT, reduce, reduce_rare, reduce32};
use super::apply::Unary;
use super::double::polynomial;

/// `(sin r / r - 1) / r²` in r², minimax on [0, (π/4)²], 2^-57.
const SINE: [f64; 6] = [
    -0.1666666666666664,
    0.008333333333323992,
    -0.00019841269830814573,
    2.7557313985288144e-06,
    -2.505079801778909e-08,
    1.5898852129554132e-10,
];

/// `(cos r - 1 + r²/2) / r⁴` in r², as before, 2^-63.
const COSINE: [f64; 6] = [
    0.04166666666666665,
    -0.001388888888888171,
    2.4801587293671633e-05,
    -2.7557315444218125e-07,
    2.0875859129799512e-09,
    -1.1366157820475514e-11,
];

/// The sine and the cosine of a remainder, each as a large part and a small one to subtract.
#[inline(always)]
pub fn of_remainder(a: Angle) -> [(f64, f64); 2] {
    let Angle { high: r, low, .. } = a;
    let z = r * r;
    let half = 0.5 * z;
    // sin(r + low) = r - (-r z S(z) - low (1 - z/2)); with this sign, that of 0 stays.
    let sine = (-r * z).mul_add(polynomial(z, SINE), half.mul_add(low, -low));
    // cos(r + low) = (1 - z/2) - (r low - z² C(z)), with what rounding took from z and from w.
    let half_low = (0.5 * r).mul_add(r, -half);
    let w = 1.0 - half;
    let w_low = (1.0 - w) - half;
    let small = r.mul_add(low, half_low) - w_low;
    let cosine = (-z * z).mul_add(polynomial(z, COSINE), small);
    [(r, sine), (w, cosine)]
}

/// Flips the sign if `odd` has its lowest bit set.
#[inline(always)]
fn flip(x: f64, odd: u64) -> f64 {
    f64::from_bits(x.to_bits() ^ (odd << 63))
}

/// The sine and the cosine of an angle.
#[inline(always)]
fn of_angle(a: Angle) -> (f64, f64) {
    let [sine, cosine] = of_remainder(a);
    turn(a.quadrant, sine.0 - sine.1, cosine.0 - cosine.1)
}

/// The sine and the cosine of an angle, from those of its remainder.
#[inline(always)]
fn turn(quadrant: u64, sine: f64, cosine: f64) -> (f64, f64) {
    let odd = quadrant & 1 == 1;
    let (s, c) = if odd { (cosine, sine) } else { (sine, cosine) };
    (flip(s, quadrant >> 1), flip(c, (quadrant >> 1) ^ quadrant))
}

/// The sine and the cosine of a common argument, for the price of little more than one of them.
#[inline(always)]
pub fn sin_cos(x: f64) -> (f64, f64) {
    of_angle(reduce(x))
}

/// The sine and the cosine of a rare argument.
pub fn sin_cos_rare(x: f64) -> (f64, f64) {
    of_angle(reduce_rare(x))
}

/// The coefficients of `sin r / r - 1` in r², 2^-37.
const SINE32: [f64; 5] = [
    1.0,
    -0.16666666644202188,
    0.008333329593851522,
    -0.00019839386138787007,
    2.718708147720738e-06,
];

/// The coefficients of `cos r` in r², 2^-33.
const COSINE32: [f64; 5] =
    [1.0, -0.5, 0.041666654644613374, -0.001388768711548979, 2.4470230201310198e-05];

/// The quadrant, and the sine and the cosine of the remainder, as exact as float32 needs.
#[inline(always)]
pub fn of_remainder32(x: f32) -> (u64, f64, f64) {
    let (quadrant, r) = reduce32(f64::from(x));
    (quadrant, r * polynomial(r * r, SINE32), polynomial(r * r, COSINE32))
}

/// [`sin_cos`] in float32.
#[inline(always)]
pub fn sin_cos32(x: f32) -> (f32, f32) {
    let (quadrant, sine, cosine) = of_remainder32(x);
    let (s, c) = turn(quadrant, sine, cosine);
    (s as f32, c as f32)
}

/// Whether the sine and the cosine of this argument come from [`sin_cos_rare`].
#[inline(always)]
pub fn is_rare(x: f64) -> bool {
    x.abs() > LIMIT
}

/// `sin(x)`
#[derive(Clone, Copy, Debug)]
pub struct Sin;

impl Unary<f64> for Sin {
    #[inline(always)]
    fn common(self, x: f64) -> f64 {
        sin_cos(x).0
    }

    #[inline(always)]
    fn is_rare(self, x: f64) -> bool {
        is_rare(x)
    }

    fn rare(self, x: f64) -> f64 {
        sin_cos_rare(x).0
    }
}

impl Unary<f32> for Sin {
    #[inline(always)]
    fn common(self, x: f32) -> f32 {
        sin_cos32(x).0
    }

    #[inline(always)]
    fn is_rare(self, x: f32) -> bool {
        is_rare(f64::from(x))
    }

    fn rare(self, x: f32) -> f32 {
        sin_cos_rare(f64::from(x)).0 as f32
    }
}

/// `cos(x)`
#[derive(Clone, Copy, Debug)]
pub struct Cos;

impl Unary<f64> for Cos {
    #[inline(always)]
    fn common(self, x: f64) -> f64 {
        sin_cos(x).1
    }

    #[inline(always)]
    fn is_rare(self, x: f64) -> bool {
        is_rare(x)
    }

    fn rare(self, x: f64) -> f64 {
        sin_cos_rare(x).1
    }
}

impl Unary<f32> for Cos {
    #[inline(always)]
    fn common(self, x: f32) -> f32 {
        sin_cos32(x).1
    }

    #[inline(always)]
    fn is_rare(self, x: f32) -> bool {
        is_rare(f64::from(x))
    }

    fn rare(self, x: f32) -> f32 {
        sin_cos_rare(f64::from(x)).1 as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::math::oracle;

    #[test]
    fn sine_is_true() {
        oracle::unary("sin", Sin);
        oracle::unary32("sin", Sin, Sin);
    }

    #[test]
    fn cosine_is_true() {
        oracle::unary("cos", Cos);
        oracle::unary32("cos", Cos, Cos);
    }
}
