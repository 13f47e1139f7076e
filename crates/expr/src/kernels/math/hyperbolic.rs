//! Hyperbolic functions. With |x| = n ln 2 + r, sinh x = cosh r sinh(n ln 2) + sinh r cosh(n ln 2)
//! and cosh x the other way; those of n ln 2 are sums of two powers of two, those of r minimax
//! polynomials (Remez). All odd functions keep the sign of 0.
use super::double::{fast_two_sum, polynomial, two_product, two_sum};
use super::exponential::{WHOLE, between, expm1_for32, expm1_pair, reduce};
use super::inlined::unary;
use super::logarithm::quotient;

/// (sinh r - r) / r³ by r², within 2^-74 / r² for |r| <= ln 2 / 2.
const SINH: [f64; 6] = [
    0.16666666666666666,
    0.008333333333333337,
    0.00019841269841253153,
    2.755731926528979e-06,
    2.5052056706130303e-08,
    1.6090846050361682e-10,
];

/// (cosh r - 1) / r² by r², within 2^-70 / r² for |r| <= ln 2 / 2.
const COSH: [f64; 6] = [
    0.5,
    0.04166666666666671,
    0.001388888888886385,
    2.480158736355501e-05,
    2.755724169191216e-07,
    2.0924466326331395e-09,
];

/// sinh or cosh of x >= 0.
#[inline(always)]
fn of_positive(x: f64, odd: bool) -> f64 {
    // Beyond, a quarter of the result, as 2^1024 is too large; and 2^-n is nothing there.
    let large = x > 700.0;
    let (shifted, r, r_rest) = reduce(between(x, 0.0, 711.0), 0.0, WHOLE);
    let n = shifted.to_bits();
    let up = f64::from_bits(n.wrapping_add(if large { 1020 } else { 1022 }) << 52);
    let down = if large { 0.0 } else { f64::from_bits(1022u64.wrapping_sub(n) << 52) };
    let (less, more) = (fast_two_sum(up, -down), fast_two_sum(up, down));
    let (a, b) = if odd { (less, more) } else { (more, less) };

    let z = r * r;
    let (sinh, sinh_rest) = fast_two_sum(r, (r * z).mul_add(polynomial(z, SINH), r_rest));
    let cosh_less_one = z * polynomial(z, COSH);
    let (product, product_rest) = two_product(sinh, b.0);
    // |a| is 0 or larger than the product.
    let (sum, rest) = fast_two_sum(a.0, product);
    let low = sinh.mul_add(b.1, sinh_rest.mul_add(b.0, product_rest + (rest + a.1)));
    (sum + cosh_less_one.mul_add(a.0, low)) * if large { 4.0 } else { 1.0 }
}

/// The hyperbolic sine of x.
#[inline(always)]
fn sinh(x: f64) -> f64 {
    of_positive(x.abs(), true).copysign(x)
}

/// The hyperbolic cosine of x.
#[inline(always)]
fn cosh(x: f64) -> f64 {
    of_positive(x.abs(), false)
}

/// The hyperbolic tangent of x: (e^2x - 1) / (e^2x - 1 + 2).
#[inline(always)]
fn tanh(x: f64) -> f64 {
    let (high, low) = expm1_pair(between(2.0 * x.abs(), 0.0, 40.0), 1.0, 1023);
    let (sum, rest) = two_sum(2.0, high);
    let (t, t_rest) = quotient(high, low, sum, rest + low);
    (t + t_rest).copysign(x)
}

/// The hyperbolic sine of x: (e + e / (e + 1)) / 2 where e = e^|x| - 1.
#[inline(always)]
fn sinh32(x: f32) -> f32 {
    let e = expm1_for32(f64::from(x.abs()));
    (0.5 * (e + e / (e + 1.0))).copysign(f64::from(x)) as f32
}

/// The hyperbolic cosine of x.
#[inline(always)]
fn cosh32(x: f32) -> f32 {
    let e = expm1_for32(f64::from(x.abs())) + 1.0;
    (0.5 * (e + 1.0 / e)) as f32
}

/// The hyperbolic tangent of x.
#[inline(always)]
fn tanh32(x: f32) -> f32 {
    let e = expm1_for32(2.0 * f64::from(x.abs()));
    (e / (e + 2.0)).copysign(f64::from(x)) as f32
}

unary! {
    /// [`sinh`]
    Sinh = sinh, sinh32;
    /// [`cosh`]
    Cosh = cosh, cosh32;
    /// [`tanh`]
    Tanh = tanh, tanh32;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::math::oracle;

    #[test]
    fn hyperbolic_functions_are_true() {
        oracle::unary("sinh", Sinh);
        oracle::unary32("sinh", Sinh, Sinh);
        oracle::unary("cosh", Cosh);
        oracle::unary32("cosh", Cosh, Cosh);
        oracle::unary("tanh", Tanh);
        oracle::unary32("tanh", Tanh, Tanh);
    }
}
