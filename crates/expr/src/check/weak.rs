//! Literals: arithmetic of integers among them, and their notation.
use crate::syntax::{BinaryOp, literal};
use base::Value;
use std::fmt;

/// What exact arithmetic makes of two integer literals.
pub(super) enum Exact {
    /// The result.
    Value(i64),
    /// It does not fit into int64.
    Overflow,
    /// Not a case for exact arithmetic: the kernels decide.
    Other,
}

/// `x op y` of integer literals, as Python computes it.
pub(super) fn integers(op: BinaryOp, x: i64, y: i64) -> Exact {
    let exact = match op {
        BinaryOp::Add => x.checked_add(y),
        BinaryOp::Sub => x.checked_sub(y),
        BinaryOp::Mul => x.checked_mul(y),
        BinaryOp::Pow if y >= 0 => power(x, y),
        BinaryOp::Shl if y >= 0 && x == 0 => Some(0),
        BinaryOp::Shl if y >= 0 => power(2, y).and_then(|p| x.checked_mul(p)),
        _ => return Exact::Other,
    };
    exact.map_or(Exact::Overflow, Exact::Value)
}

/// The quotient of two integers, rounded once: that of the floats nearest to them is rounded thrice.
pub(super) fn quotient(x: i64, y: i64) -> f64 {
    const EXACT: u64 = 1 << 53;
    if y == 0 || x.unsigned_abs() <= EXACT && y.unsigned_abs() <= EXACT {
        return x as f64 / y as f64;
    }
    let (n, d) = (u128::from(x.unsigned_abs()), u128::from(y.unsigned_abs()));
    if n == 0 {
        return 0.0;
    }
    // At least 63 bits of the quotient; what is below them makes the last one odd.
    let shift = n.leading_zeros();
    let (whole, rest) = ((n << shift) / d, (n << shift) % d);
    let value = (whole | u128::from(rest != 0)) as f64 / (shift as f64).exp2();
    if (x < 0) == (y < 0) { value } else { -value }
}

fn power(x: i64, y: i64) -> Option<i64> {
    match x {
        0 | 1 => Some(if y == 0 { 1 } else { x }),
        -1 => Some(if y % 2 == 0 { 1 } else { -1 }),
        _ => x.checked_pow(u32::try_from(y).ok()?),
    }
}

/// A value as it is written in expressions.
pub(crate) fn show(value: &Value) -> String {
    struct Shown<'a>(&'a Value);
    impl fmt::Display for Shown<'_> {
        fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
            literal(f, self.0)
        }
    }
    Shown(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::quotient;

    #[test]
    fn quotients_are_rounded_once() {
        // Python's.
        assert_eq!(quotient(16, 9007199254740993), 1.7763568394002503e-15);
        assert_eq!(quotient(i64::MAX, i64::MAX), 1.0);
        assert_eq!(quotient(i64::MIN, 3), -3.0744573456182584e18);
        assert_eq!(quotient(9007199254740993, -2), -4503599627370496.0);
        assert!(quotient(0, 0).is_nan());
    }
}
