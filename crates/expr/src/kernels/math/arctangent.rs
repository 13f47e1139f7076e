//! `arctan(x)` and `arctan2(y, x)`: the tangent of the distance to the nearest of 0°, 45° and 90°
//! by one division, and a polynomial in it.
use super::apply::Binary;
use super::double::{fast_two_sum, polynomial};
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

/// `(arctan t / t - 1) / t²` in t², minimax on [0, tan²(π/8)], 2^-59.
const ARCTANGENT: [f64; 11] = [
    -0.3333333333333327,
    0.1999999999996943,
    -0.14285714281496925,
    0.11111110838954465,
    -0.09090899160900011,
    0.07692082616714159,
    -0.06663336038734413,
    0.058494447205979294,
    -0.05045820542841332,
    0.03821958625298046,
    -0.01806713592765397,
];

/// The coefficients of `arctan t / t` in t², 2^-35.
const ARCTANGENT32: [f64; 7] = [
    1.0,
    -0.33333332727923265,
    0.19999919120111476,
    -0.1428236298482801,
    0.1104846613870757,
    -0.084949379170076,
    0.047789631454470814,
];

/// tan(π/8), and tan(3π/8).
const TAN_22: f64 = 0.41421356237309503;
const TAN_67: f64 = 2.414213562373095;

/// Of multiples of π/4, what float64 does not have.
const LOW: [f64; 4] =
    [3.061616997868383e-17, 6.123233995736766e-17, 9.184850993605148e-17, 1.2246467991473532e-16];

/// Which of 0°, 45° and 90° a point of the first quadrant is near to.
#[derive(Clone, Copy)]
struct Near {
    /// 0°
    x: bool,
    /// 90°
    y: bool,
}

impl Near {
    #[inline(always)]
    fn of(y: f64, x: f64) -> Near {
        Near { x: y < TAN_22 * x, y: y > TAN_67 * x }
    }

    /// One of three numbers, for 0°, 45° and 90°.
    #[inline(always)]
    fn pick(self, x: f64, between: f64, y: f64) -> f64 {
        let out = if self.y { y } else { between };
        if self.x { x } else { out }
    }
}

/// The angle of the point (x, y), whose coordinates are not negative: near to what, the tangent
/// of the distance from there, and what to add to it to have the distance.
#[inline(always)]
fn angle(y: f64, x: f64) -> (Near, f64, f64) {
    let near = Near::of(y, x);
    let (large, small) = if y > x { (y, x) } else { (x, y) };
    let (sum, sum_low) = fast_two_sum(large, small);
    let (difference, difference_low) = fast_two_sum(large, -small);
    let sign = if y > x { 1.0 } else { -1.0 };
    let n = near.pick(y, sign * difference, -x);
    let n_low = near.pick(0.0, sign * difference_low, 0.0);
    let d = near.pick(x, sum, y);
    let d_low = near.pick(0.0, sum_low, 0.0);
    let inverse = 1.0 / d;
    let t = n * inverse;
    let residual = (-t).mul_add(d, n) + (-t).mul_add(d_low, n_low);
    let z = t * t;
    // What division took from t counts 1 / (1 + t²) times.
    let t_low = residual * inverse;
    let t_low = (-z).mul_add(t_low, t_low);
    (near, t, (t * z).mul_add(polynomial(z, ARCTANGENT), t_low))
}

/// `base + sign · (t + t_low)`; `base` is 0 or the larger.
#[inline(always)]
fn from_base(base: f64, base_low: f64, sign: f64, t: f64, t_low: f64) -> f64 {
    let (sum, low) = fast_two_sum(base, sign * t);
    sum + (low + sign.mul_add(t_low, base_low))
}

/// `arctan(x)`
#[inline(always)]
pub fn arctan(x: f64) -> f64 {
    // As good as infinity, and has an inverse.
    let a = if x.abs() > 1e300 { 1e300 } else { x.abs() };
    let (near, t, t_low) = angle(a, 1.0);
    let base = near.pick(0.0, FRAC_PI_4, FRAC_PI_2);
    let base_low = near.pick(0.0, LOW[0], LOW[1]);
    from_base(base, base_low, 1.0, t, t_low).copysign(x)
}

/// `arctan2(y, x)`, with the special cases of C99, F.9.1.4.
#[derive(Clone, Copy, Debug)]
pub struct Arctan2;

/// Between these, sums and inverses are normal and residuals exact.
const LARGEST: f64 = f64::from_bits((1023 + 1000) << 52);
const SMALLEST: f64 = f64::from_bits((1023 - 960) << 52);

impl Binary<f64> for Arctan2 {
    #[inline(always)]
    fn common(self, y: f64, x: f64) -> f64 {
        let (b, a) = (y.abs(), x.abs());
        // Beside the origin is a point with the same angle.
        let a = if a + b == 0.0 { 1.0 } else { a };
        let (near, t, t_low) = angle(b, a);
        let left = x.is_sign_negative();
        let pick = |right, wrong| if left { wrong } else { right };
        let base = near.pick(pick(0.0, PI), pick(FRAC_PI_4, 3.0 * FRAC_PI_4), FRAC_PI_2);
        let base_low = near.pick(pick(0.0, LOW[3]), pick(LOW[0], LOW[2]), LOW[1]);
        from_base(base, base_low, pick(1.0, -1.0), t, t_low).copysign(y)
    }

    #[inline(always)]
    fn is_rare(self, y: f64, x: f64) -> bool {
        let (b, a) = (y.abs(), x.abs());
        let tiny = |v: f64| v < SMALLEST && v != 0.0;
        (a > LARGEST) | (b > LARGEST) | tiny(a) | tiny(b)
    }

    fn rare(self, y: f64, x: f64) -> f64 {
        let (b, a) = (y.abs(), x.abs());
        if x.is_nan() || y.is_nan() {
            return f64::NAN;
        }
        // What is infinite hides what is not.
        if a.is_infinite() || b.is_infinite() {
            let one = |v: f64| if v.is_infinite() { 1.0_f64 } else { 0.0 };
            return self.common(one(y).copysign(y), one(x).copysign(x));
        }
        // To the right of the origin the tangent of so small an angle is the angle.
        if b < a * 1e-20 && x > 0.0 {
            return y / x;
        }
        // Elsewhere it does not count that the smaller may vanish here.
        let scale = if a > 1.0 || b > 1.0 { 2.0_f64.powi(-600) } else { 2.0_f64.powi(600) };
        self.common(y * scale, x * scale)
    }
}

/// [`arctan2`] for float32 coordinates, as exact as float32 needs.
#[inline(always)]
fn angle32(y: f64, x: f64) -> (Near, f64) {
    let near = Near::of(y, x);
    let t = near.pick(y, y - x, -x) / near.pick(x, y + x, y);
    (near, t * polynomial(t * t, ARCTANGENT32))
}

/// [`arctan`] in float32.
#[inline(always)]
pub fn arctan32(x: f32) -> f32 {
    let a = if x.abs() > 1e30 { 1e30 } else { f64::from(x.abs()) };
    let (near, t) = angle32(a, 1.0);
    ((near.pick(0.0, FRAC_PI_4, FRAC_PI_2) + t) as f32).copysign(x)
}

impl Binary<f32> for Arctan2 {
    #[inline(always)]
    fn common(self, y: f32, x: f32) -> f32 {
        let (b, a) = (f64::from(y.abs()), f64::from(x.abs()));
        let a = if a + b == 0.0 { 1.0 } else { a };
        let (near, t) = angle32(b, a);
        let right = near.pick(0.0, FRAC_PI_4, FRAC_PI_2) + t;
        ((if x.is_sign_negative() { PI - right } else { right }) as f32).copysign(y)
    }

    #[inline(always)]
    fn is_rare(self, y: f32, x: f32) -> bool {
        (x.abs() == f32::INFINITY) | (y.abs() == f32::INFINITY)
    }

    fn rare(self, y: f32, x: f32) -> f32 {
        Binary::<f64>::rare(self, f64::from(y), f64::from(x)) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::math::oracle;

    #[test]
    fn arctangent_is_true() {
        oracle::unary("arctan", arctan);
        oracle::unary32("arctan", arctan32, arctan);
    }

    #[test]
    fn the_angle_of_a_point_is_true() {
        oracle::binary("arctan2", Arctan2);
        oracle::binary32("arctan2", Arctan2, Arctan2);
    }
}
