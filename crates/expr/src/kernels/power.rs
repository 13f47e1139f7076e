//! `x ** y`.
use super::arithmetic::Integer;
use super::map::{step, take};
use super::{Arg, Kernel};
use std::sync::Arc;

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

/// `x ** y` of integers; 1 where y is negative, which has no value.
pub fn integer<T: Integer + From<bool> + Into<i64>>() -> Kernel {
    Arc::new(|arguments: &[Arg], out, len| {
        let [a, b] = take(arguments)?;
        let (x, y) = (T::slice(a.values)?, T::slice(b.values)?);
        let (sx, sy) = (step(x, len), step(y, len));
        let out = &mut T::slice_mut(&mut out.values)?[..len];
        for (i, o) in out.iter_mut().enumerate() {
            let exponent: i64 = y[i * sy].into();
            *o = integer_power(x[i * sx], exponent.max(0) as u64, T::from(true));
        }
        Ok(())
    })
}
