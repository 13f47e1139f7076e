//! `x ** y`.
use super::arithmetic::Integer;
use super::map::{step, take};
use super::{Arg, Kernel, validity_at};
use base::Failure;
use std::sync::Arc;

/// What NumPy says of `2 ** -1` where both are integers.
pub const NEGATIVE: &str = "integers to negative integer powers are not allowed";

/// Integer powers by squaring; they wrap.
#[inline]
pub fn integer_power<T: Integer>(mut base: T, mut exponent: u64, one: T) -> T {
    let mut out = one;
    while exponent > 0 {
        if exponent & 1 == 1 {
            out = out.mul(base);
        }
        base = base.mul(base);
        exponent >>= 1;
    }
    out
}

/// `x ** y` of integers; fails at a negative exponent that is not missing.
pub fn integer<T: Integer + From<bool> + Into<i64>>() -> Kernel {
    Arc::new(|arguments: &[Arg], out, len| {
        let [a, b] = take(arguments)?;
        let (x, y) = (T::slice(a.values)?, T::slice(b.values)?);
        let (sx, sy) = (step(x, len), step(y, len));
        let out = &mut T::slice_mut(&mut out.values)?[..len];
        for (i, o) in out.iter_mut().enumerate() {
            let exponent: i64 = y[i * sy].into();
            if exponent < 0 && validity_at(&a, i) && validity_at(&b, i) {
                let help = "convert the base to float64 first, or filter such rows out";
                return Err(Failure::data(format!("{NEGATIVE}; {help}")));
            }
            *o = integer_power(x[i * sx], exponent.max(0) as u64, T::from(true));
        }
        Ok(())
    })
}
