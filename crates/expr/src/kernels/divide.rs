//! Division of integers by a constant: a multiplication and a shift.
use super::{Arg, Element, Kernel, map1};
use std::sync::Arc;

/// A divisor of 2 or more as a factor (Granlund and Montgomery 1994, "Division by invariant
/// integers using multiplication"): for 0 <= n < 2^(w - 1), where w is 32 or 64,
/// n / d = n · factor >> (w - 1 + bits), because factor · d exceeds 2^(w - 1 + bits) by at most
/// 2^bits.
#[derive(Clone, Copy, Debug)]
struct Reciprocal<T> {
    divisor: T,
    factor: u64,
    shift: u32,
}

/// Integers that are divided so.
pub trait Divide: Element {
    /// The kernels of `x // divisor` and `x % divisor`, or none for divisors below 2.
    fn by(divisor: i64) -> Option<[Kernel; 2]>;
}

macro_rules! divide {
    ($($t:ty, $unsigned:ty, $wide:ty;)*) => {$(
        impl Reciprocal<$t> {
            fn new(divisor: i64) -> Option<Self> {
                let divisor = <$t>::try_from(divisor).ok().filter(|d| *d >= 2)?;
                // 2^(bits - 1) < divisor <= 2^bits.
                let bits = <$t>::BITS - (divisor - 1).leading_zeros();
                let power = 1u128 << (<$t>::BITS - 1 + bits);
                let factor = (power / divisor as u128 + 1) as u64;
                Some(Reciprocal { divisor, factor, shift: bits - 1 })
            }

            #[inline(always)]
            fn floor_div(self, x: $t) -> $t {
                // Rounded down, x // d is -1 - (-1 - x) // d.
                let sign = x >> (<$t>::BITS - 1);
                let n = (x ^ sign) as $unsigned;
                let high = ((n as $wide * self.factor as $wide) >> <$t>::BITS) as $unsigned;
                (high >> self.shift) as $t ^ sign
            }

            #[inline(always)]
            fn modulo(self, x: $t) -> $t {
                x.wrapping_sub(self.floor_div(x).wrapping_mul(self.divisor))
            }
        }

        impl Divide for $t {
            fn by(divisor: i64) -> Option<[Kernel; 2]> {
                let by = Reciprocal::<$t>::new(divisor)?;
                let quotient = map1(move |x: $t| by.floor_div(x));
                Some([quotient, map1(move |x: $t| by.modulo(x))].map(of_first))
            }
        }
    )*};
}

divide! { i32, u32, u64; i64, u64, u128; }

/// The kernel of two arguments that leaves the second alone.
fn of_first(kernel: Kernel) -> Kernel {
    Arc::new(move |arguments: &[Arg], out, len| {
        kernel(arguments.get(..1).unwrap_or(arguments), out, len)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::arithmetic::Number;
    use proptest::prelude::*;

    fn agrees(x: i64, d: i64) {
        if let Some(by) = Reciprocal::<i64>::new(d) {
            assert_eq!(by.floor_div(x), x.floor_div(d), "{x} // {d}");
            assert_eq!(Number::modulo(x, d), by.modulo(x), "{x} % {d}");
        }
        let (x, d) = (x as i32, d as i32);
        if let Some(by) = Reciprocal::<i32>::new(d.into()) {
            assert_eq!(by.floor_div(x), Number::floor_div(x, d), "{x} // {d}");
            assert_eq!(Number::modulo(x, d), by.modulo(x), "{x} % {d}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_division(x: i64, a in 0..64, d: i64, b in 0..64) {
            agrees(x >> a, d >> b);
            // Multiples, and what is next to them.
            let multiple = i64::wrapping_mul(x >> a, d >> b);
            (-1..=1).for_each(|i| agrees(multiple.wrapping_add(i), d >> b));
        }
    }

    #[test]
    fn agrees_at_the_edges() {
        let edges: Vec<i64> = [0, 1, 2, 3, 5, 7, 10, 1 << 31, 1 << 32, i64::MAX, i64::MIN]
            .into_iter()
            .flat_map(|x: i64| (-2..=2).map(move |i| x.wrapping_add(i)))
            .collect();
        edges.iter().for_each(|x| edges.iter().for_each(|d| agrees(*x, *d)));
        assert!([i64::MIN, -1, 0, 1].iter().all(|d| <i64 as Divide>::by(*d).is_none()));
    }
}
