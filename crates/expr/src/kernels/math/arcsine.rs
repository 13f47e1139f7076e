//! `arcsin(x)` and `arccos(x)`. Near ±1 by the root of half the distance.
use super::double::{fast_two_sum, polynomial};
use std::f64::consts::{FRAC_PI_2, PI};

/// `(arcsin y / y - 1) / y²` in y², minimax on [0, 1/4], 2^-59.
const ARCSINE: [f64; 13] = [
    0.16666666666666702,
    0.07499999999982555,
    0.04464285716562531,
    0.03038194307047486,
    0.022372206120274667,
    0.01735175324619256,
    0.013979295329504617,
    0.01141029248491041,
    0.010721516648542519,
    0.003912334163601053,
    0.021239318681446847,
    -0.020376645406173892,
    0.03226118126148061,
];

/// The coefficients of `arcsin y / y` in y², 2^-31.
const ARCSINE32: [f64; 7] = [
    1.0,
    0.16666662207552732,
    0.07500407714644039,
    0.04453182816699951,
    0.031702715772601746,
    0.014785330590250815,
    0.03708191987492172,
];

/// π/2 and π less what float64 has of them.
const FRAC_PI_2_LOW: f64 = 6.123233995736766e-17;
const PI_LOW: f64 = 1.2246467991473532e-16;

/// The sine `y` of an angle of at most 30° and what to add to have the angle: that of `a`,
/// or, if the second is true, half of the angle between `a` and 90°.
#[inline(always)]
fn angle(a: f64) -> (f64, f64, bool) {
    let big = a > 0.5;
    let z = if big { 0.5 - 0.5 * a } else { a * a };
    let root = z.sqrt();
    // What rounding took from the root; the tiny number is for that of 0.
    let root_low = (-root).mul_add(root, z) / (root + root + 1e-300);
    let y = if big { root } else { a };
    let y_low = if big { root_low } else { 0.0 };
    (y, (y * z).mul_add(polynomial(z, ARCSINE), y_low), big)
}

/// `base + factor · (y + y_low)`; `base` is 0 or the larger.
#[inline(always)]
fn from_base(base: f64, base_low: f64, factor: f64, y: f64, y_low: f64) -> f64 {
    let (sum, low) = fast_two_sum(base, factor * y);
    sum + (low + factor.mul_add(y_low, base_low))
}

/// `arcsin(x)`, NaN outside of [-1, 1].
#[inline(always)]
pub fn arcsin(x: f64) -> f64 {
    let (y, y_low, big) = angle(x.abs());
    let base = if big { FRAC_PI_2 } else { 0.0 };
    let base_low = if big { FRAC_PI_2_LOW } else { 0.0 };
    let factor = if big { -2.0 } else { 1.0 };
    from_base(base, base_low, factor, y, y_low).copysign(x)
}

/// `arccos(x)`, NaN outside of [-1, 1].
#[inline(always)]
pub fn arccos(x: f64) -> f64 {
    let (y, y_low, big) = angle(x.abs());
    let far = if x < 0.0 { PI } else { 0.0 };
    let far_low = if x < 0.0 { PI_LOW } else { 0.0 };
    let base = if big { far } else { FRAC_PI_2 };
    let base_low = if big { far_low } else { FRAC_PI_2_LOW };
    let factor = if big { 2.0_f64.copysign(x) } else { (-1.0_f64).copysign(-x) };
    from_base(base, base_low, factor, y, y_low)
}

/// [`angle`], as exact as float32 needs.
#[inline(always)]
fn angle32(a: f64) -> (f64, bool) {
    let big = a > 0.5;
    let z = if big { 0.5 - 0.5 * a } else { a * a };
    let y = if big { z.sqrt() } else { a };
    (y * polynomial(z, ARCSINE32), big)
}

/// [`arcsin`] in float32.
#[inline(always)]
pub fn arcsin32(x: f32) -> f32 {
    let (y, big) = angle32(f64::from(x.abs()));
    ((if big { FRAC_PI_2 - 2.0 * y } else { y }) as f32).copysign(x)
}

/// [`arccos`] in float32.
#[inline(always)]
pub fn arccos32(x: f32) -> f32 {
    let (y, big) = angle32(f64::from(x.abs()));
    let far = if x < 0.0 { PI - 2.0 * y } else { 2.0 * y };
    (if big { far } else { FRAC_PI_2 - y.copysign(f64::from(x)) }) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::math::oracle;

    #[test]
    fn arcsine_is_true() {
        oracle::unary("arcsin", arcsin);
        oracle::unary32("arcsin", arcsin32, arcsin);
    }

    #[test]
    fn arccosine_is_true() {
        oracle::unary("arccos", arccos);
        oracle::unary32("arccos", arccos32, arccos);
    }
}
