//! Additions and products that keep their rounding error (Dekker 1971, Knuth TAOCP 4.2.2).

/// `a + b` rounded, and what rounding took away: their sum is exactly `a + b`
/// where no operation overflows. Underflow does no harm.
#[inline(always)]
pub(super) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let virtual_b = sum - a;
    (sum, (a - (sum - virtual_b)) + (b - virtual_b))
}

/// Veltkamp's split of a number into two of 26 bits.
#[inline(always)]
fn split(a: f64) -> (f64, f64) {
    let c = 134_217_729.0 * a;
    let high = c - (c - a);
    (high, a - high)
}

/// `a * b` rounded, and what rounding took away: exact where nothing overflows and the product
/// is above 2^-968. Without a fused multiply-add: that would be slow where hardware has none.
#[inline(always)]
pub(crate) fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    let (ah, al) = split(a);
    let (bh, bl) = split(b);
    (product, ((ah * bh - product) + ah * bl + al * bh) + al * bl)
}
