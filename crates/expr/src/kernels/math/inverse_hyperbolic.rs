//! Inverses of the hyperbolic functions, by the logarithm of a pair.
use super::double::{fast_two_sum, polynomial, two_product, two_sum};
use super::inlined::unary;
use super::logarithm::{log_for32, natural, of_sum, quotient, split_normal, whole};
use std::hint::select_unpredictable as select;

/// Where x² ± 1 is x² to a float and ln 2x is all.
const LARGE: f64 = 268435456.0; // 2^28

/// The square root of `square + rest` as a pair, for at least 2^-60, or 0.
#[inline(always)]
fn root(square: f64, rest: f64) -> (f64, f64) {
    let root = square.sqrt();
    // The term keeps 0 away, and nothing else notices it.
    (root, ((-root).mul_add(root, square) + rest) * (0.5 / (root + 1e-300)))
}

/// The number whose hyperbolic sine is x: ln(x + √(x² + 1)).
#[inline(always)]
fn arcsinh(x: f64) -> f64 {
    let a = x.abs();
    let (product, product_rest) = two_product(a, a);
    let (square, rest) = two_sum(product, 1.0);
    let (root, root_rest) = root(square, rest + product_rest);
    let (sum, rest) = fast_two_sum(root, a);
    let large = a > LARGE;
    let y = of_sum(
        select(large, a, sum),
        select(large, 0.0, rest + root_rest),
        select(large, 1.0, 0.0),
    );
    if a < f64::INFINITY { y.copysign(x) } else { x }
}

/// The number whose hyperbolic cosine is x: ln(x + √(x² - 1)); NaN below 1.
#[inline(always)]
fn arccosh(x: f64) -> f64 {
    let (product, product_rest) = two_product(x, x);
    let (square, rest) = fast_two_sum(product, -1.0);
    let (square, rest) = fast_two_sum(square, rest + product_rest);
    let (root, root_rest) = root(square, rest);
    let (sum, rest) = fast_two_sum(x, root);
    let large = x > LARGE;
    let y = of_sum(
        select(large, x, sum),
        select(large, 0.0, rest + root_rest),
        select(large, 1.0, 0.0),
    );
    let y = if x < f64::INFINITY { y } else { x };
    if x < 1.0 { f64::NAN } else { y }
}

/// 1 / (1 + x) for x between 0 and 1, within 1 %: enough to find the nearest power of two.
const INVERSE: [f64; 3] = [0.9899484784819653, -0.8082045295382467, 0.3232818118152987];

/// The number whose hyperbolic tangent is x; NaN beyond 1.
///
/// (1 + x) / (1 - x) is 2^k m, and (m - 1) / (m + 1) one division of
/// 1 + x - 2^k (1 - x) by 1 + x + 2^k (1 - x).
#[inline(always)]
fn arctanh(x: f64) -> f64 {
    let a = x.abs();
    let (more, more_rest) = fast_two_sum(1.0, a);
    let (less, less_rest) = fast_two_sum(1.0, -a);
    let (_, exponent) = split_normal(less * polynomial(a, INVERSE));
    let power = f64::from_bits(2046u64.wrapping_sub(exponent) << 52);
    let (less, less_rest) = (less * power, less_rest * power);
    let (mean, mean_rest) = two_sum(0.5 * more, 0.5 * less);
    let (t, t_rest) = quotient(
        more - less,
        more_rest - less_rest,
        mean,
        mean_rest + 0.5 * (more_rest + less_rest),
    );
    let y = (0.5 * natural(1023.0 - whole(exponent), t, t_rest)).copysign(x);
    let end = if a == 1.0 { f64::INFINITY.copysign(x) } else { f64::NAN };
    if a < 1.0 { y } else { end }
}

/// For float32, where the first terms of the series are enough and x² + 1 loses too much of x.
const SMALL_32: f64 = 2.44140625e-4; // 2^-12

/// The number whose hyperbolic sine is x.
#[inline(always)]
fn arcsinh32(x: f32) -> f32 {
    let (x, a) = (f64::from(x), f64::from(x.abs()));
    let series = (-1.0 / 6.0 * a * a).mul_add(a, a);
    let log = log_for32(a + a.mul_add(a, 1.0).sqrt());
    let y = select(a < SMALL_32, series, log).copysign(x);
    select(a < f64::INFINITY, y, x) as f32
}

/// The number whose hyperbolic cosine is x.
#[inline(always)]
fn arccosh32(x: f32) -> f32 {
    let x = f64::from(x);
    // x² is exact, and less 1 as well where it is near 1.
    let y = log_for32(x + x.mul_add(x, -1.0).sqrt());
    let y = select(x < f64::INFINITY, y, x);
    select(x < 1.0, f64::NAN, y) as f32
}

/// The number whose hyperbolic tangent is x.
#[inline(always)]
fn arctanh32(x: f32) -> f32 {
    let (x, a) = (f64::from(x), f64::from(x.abs()));
    let series = (1.0 / 3.0 * a * a).mul_add(a, a);
    let log = 0.5 * log_for32((1.0 + a) / (1.0 - a));
    let y = select(a < SMALL_32, series, log).copysign(x);
    let end = select(a == 1.0, f64::INFINITY.copysign(x), f64::NAN);
    select(a < 1.0, y, end) as f32
}

unary! {
    /// [`arcsinh`]
    Arcsinh = arcsinh, arcsinh32;
    /// [`arccosh`]
    Arccosh = arccosh, arccosh32;
    /// [`arctanh`]
    Arctanh = arctanh, arctanh32;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::math::oracle;

    #[test]
    fn inverse_hyperbolic_functions_are_true() {
        oracle::unary("arcsinh", Arcsinh);
        oracle::unary32("arcsinh", Arcsinh, Arcsinh);
        oracle::unary("arccosh", Arccosh);
        oracle::unary32("arccosh", Arccosh, Arccosh);
        oracle::unary("arctanh", Arctanh);
        oracle::unary32("arctanh", Arctanh, Arctanh);
    }
}
