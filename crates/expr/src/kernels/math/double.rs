//! Sums and products that keep their rounding error, and polynomials, made of `mul_add`.
//! A pair `(high, low)` stands for the exact sum of the two.

/// `a + b` rounded and its rounding error, where `|a| >= |b|` or `a` is 0 (Dekker 1971).
#[inline(always)]
pub fn fast_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// `a + b` rounded and its rounding error (Knuth, TAOCP 4.2.2).
#[inline(always)]
pub fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let virtual_b = sum - a;
    (sum, (a - (sum - virtual_b)) + (b - virtual_b))
}

/// `a * b` rounded and its rounding error; exact above 2^-969.
#[inline(always)]
pub fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    (product, a.mul_add(b, -product))
}

/// `c[0] + c[1] x + c[2] x² …` by Horner's rule.
#[inline(always)]
pub fn polynomial<const N: usize>(x: f64, c: [f64; N]) -> f64 {
    let mut sum = c[N - 1];
    let mut i = N - 1;
    while i > 0 {
        i -= 1;
        sum = sum.mul_add(x, c[i]);
    }
    sum
}

/// The same as a sum of even and one of odd terms: half the latency of [`polynomial`] for one
/// more product, where a function is a long chain of steps.
#[inline(always)]
pub fn by_halves<const N: usize>(x: f64, c: [f64; N]) -> f64 {
    let square = x * x;
    let mut sums = [0f64; 2];
    let mut i = N;
    while i > 0 {
        i -= 1;
        sums[i & 1] = if i + 2 < N { sums[i & 1].mul_add(square, c[i]) } else { c[i] };
    }
    sums[1].mul_add(x, sums[0])
}
