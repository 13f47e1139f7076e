//! `tan(x)`: sine over cosine, each in two parts. At most 0.78 ulp.
use super::angle::{Angle, reduce, reduce_rare};
use super::apply::Unary;
use super::double::fast_two_sum;
use super::sine::{is_rare, of_remainder, of_remainder32};

/// `tan(x)`
#[derive(Clone, Copy, Debug)]
pub struct Tan;

/// The tangent of an angle whose remainder is not 0.
#[inline(always)]
fn of_angle(a: Angle) -> f64 {
    let [sine, cosine] = of_remainder(a);
    let (s, s_low) = fast_two_sum(sine.0, -sine.1);
    let (c, c_low) = fast_two_sum(cosine.0, -cosine.1);
    // In odd quadrants -cos/sin.
    let odd = a.quadrant & 1 == 1;
    let (n, n_low) = if odd { (-c, -c_low) } else { (s, s_low) };
    let (d, d_low) = if odd { (s, s_low) } else { (c, c_low) };
    let inverse = 1.0 / d;
    let q = n * inverse;
    // n + n_low - q (d + d_low); the first part is exact.
    let residual = (-q).mul_add(d, n) + (-q).mul_add(d_low, n_low);
    residual.mul_add(inverse, q)
}

impl Unary<f64> for Tan {
    #[inline(always)]
    fn common(self, x: f64) -> f64 {
        let t = of_angle(reduce(x));
        // Keeps the sign of 0.
        if x == 0.0 { x } else { t }
    }

    #[inline(always)]
    fn is_rare(self, x: f64) -> bool {
        is_rare(x)
    }

    fn rare(self, x: f64) -> f64 {
        of_angle(reduce_rare(x))
    }
}

impl Unary<f32> for Tan {
    #[inline(always)]
    fn common(self, x: f32) -> f32 {
        let (quadrant, s, c) = of_remainder32(x);
        let odd = quadrant & 1 == 1;
        let (n, d) = if odd { (-c, s) } else { (s, c) };
        (n / d) as f32
    }

    #[inline(always)]
    fn is_rare(self, x: f32) -> bool {
        is_rare(f64::from(x))
    }

    fn rare(self, x: f32) -> f32 {
        Unary::<f64>::rare(self, f64::from(x)) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::math::oracle;

    #[test]
    fn tangent_is_true() {
        oracle::unary("tan", Tan);
        oracle::unary32("tan", Tan, Tan);
    }
}
