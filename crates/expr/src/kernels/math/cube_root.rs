//! Cube roots without a division.
use super::double::polynomial;
use super::exponential::WHOLE;
use super::inlined::unary;
use super::logarithm::whole;

/// m^(-1/3) for m between 1 and 2, within 2^-17 (minimax).
const INVERSE: [f64; 6] = [
    1.7810578227472067,
    -1.5660290866501965,
    1.2437859146286565,
    -0.5978729306464733,
    0.1560715561552789,
    -0.017019024938519416,
];

/// The cube root of x.
#[inline(always)]
fn cbrt(x: f64) -> f64 {
    let a = x.abs();
    let subnormal = a < f64::MIN_POSITIVE;
    let bits = (if subnormal { a * 18014398509481984.0 } else { a }).to_bits();
    let m = f64::from_bits(bits & 0x000f_ffff_ffff_ffff | 0x3ff0_0000_0000_0000);
    // a = m 2^(3q + left), left 0, 1 or 2
    let k = whole(bits >> 52) - 1023.0;
    let shifted = (k - 1.0).mul_add(1.0 / 3.0, WHOLE);
    let left = (-3.0f64).mul_add(shifted - WHOLE, k);
    let cube = m * left.mul_add(left.mul_add(0.5, 0.5), 1.0);
    let first = polynomial(m, INVERSE);
    let first = first * if left == 1.0 { 0.7937005259840998 } else { 1.0 };
    let first = first * if left == 2.0 { 0.6299605249474366 } else { 1.0 };
    // The inverse by one step of third order, then the root by one of second order, whose
    // residual is exact.
    let off = (-first * first).mul_add(cube * first, 1.0);
    let inverse = (first * off).mul_add(off.mul_add(2.0 / 9.0, 1.0 / 3.0), first);
    let inverse_square = inverse * inverse;
    let root = cube * inverse_square;
    let square = root * root;
    let residual = square.mul_add(root, -cube) + root.mul_add(root, -square) * root;
    let root = (residual * inverse_square).mul_add(-1.0 / 3.0, root);
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    let power = power * if subnormal { 3.814697265625e-06 } else { 1.0 };
    if a > 0.0 && a < f64::INFINITY { (root * power).copysign(x) } else { x }
}

/// The same in float32.
#[inline(always)]
fn cbrt32(x: f32) -> f32 {
    cbrt(f64::from(x)) as f32
}

unary! {
    /// [`cbrt`]
    Cbrt = cbrt, cbrt32;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::math::oracle;

    #[test]
    fn cube_roots_are_true() {
        oracle::unary("cbrt", Cbrt);
        oracle::unary32("cbrt", Cbrt, Cbrt);
    }
}
