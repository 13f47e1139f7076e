//! `hypot(x, y)`: the square root of an exact sum of squares, corrected once.
use super::double::{fast_two_sum, two_product};

/// The length of the vector `(x, y)`; infinite if either is, even beside NaN (C99, F.9.4.3).
#[inline(always)]
pub fn hypot(x: f64, y: f64) -> f64 {
    const BIG: f64 = f64::from_bits((1023 + 500) << 52);
    const SMALL: f64 = f64::from_bits((1023 - 400) << 52);
    const UP: f64 = f64::from_bits((1023 + 700) << 52);
    const DOWN: f64 = f64::from_bits((1023 - 700) << 52);
    let (x, y) = (x.abs(), y.abs());
    let (large, small) = if x > y { (x, y) } else { (y, x) };
    // Squares must neither overflow nor lose their low parts.
    let scale = if large > BIG { DOWN } else { 1.0 };
    let scale = if large < SMALL { UP } else { scale };
    let back = if large > BIG { UP } else { 1.0 };
    let back = if large < SMALL { DOWN } else { back };
    let (p, p_low) = two_product(large * scale, large * scale);
    let (q, q_low) = two_product(small * scale, small * scale);
    let (sum, sum_low) = fast_two_sum(p, q);
    let root = sum.sqrt();
    // One step of Newton, with an exact residual.
    let residual = (-root).mul_add(root, sum) + (sum_low + (p_low + q_low));
    let length = (root + residual / (root + root)) * back;
    let length = if sum == 0.0 { 0.0 } else { length };
    if x == f64::INFINITY || y == f64::INFINITY { f64::INFINITY } else { length }
}

/// The same in float32: squares are exact in float64.
#[inline(always)]
pub fn hypot32(x: f32, y: f32) -> f32 {
    let (a, b) = (f64::from(x), f64::from(y));
    let length = a.mul_add(a, b * b).sqrt() as f32;
    if x.abs() == f32::INFINITY || y.abs() == f32::INFINITY { f32::INFINITY } else { length }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::math::oracle;

    #[test]
    fn hypot_is_true() {
        oracle::binary("hypot", hypot);
        oracle::binary32("hypot", hypot32, hypot);
    }
}
