//! Arithmetic on single values, with NumPy's semantics: integers wrap, x // 0 and x % 0 of
//! integers are 0, and the sign of `//` and `%` follows the divisor.
use super::Element;

/// Numbers of all four types.
pub trait Number: Element {
    /// `x + y`
    fn add(self, y: Self) -> Self;
    /// `x - y`
    fn sub(self, y: Self) -> Self;
    /// `x * y`
    fn mul(self, y: Self) -> Self;
    /// `x // y`, rounded down
    fn floor_div(self, y: Self) -> Self;
    /// `x % y`, with the sign of y
    fn modulo(self, y: Self) -> Self;
    /// The remainder with the sign of x, C's fmod
    fn fmod(self, y: Self) -> Self;
    /// `-x`
    fn neg(self) -> Self;
    /// |x|
    fn abs(self) -> Self;
    /// -1, 0 or 1; NaN stays
    fn sign(self) -> Self;
    /// The smaller; NaN if either is
    fn minimum(self, y: Self) -> Self;
    /// The larger; NaN if either is
    fn maximum(self, y: Self) -> Self;
    /// The smaller; the other one if one is NaN
    fn fmin(self, y: Self) -> Self;
    /// The larger; the other one if one is NaN
    fn fmax(self, y: Self) -> Self;
}

macro_rules! integer {
    ($($t:ty)*) => {$(
        impl Number for $t {
            #[inline(always)] fn add(self, y: $t) -> $t { self.wrapping_add(y) }
            #[inline(always)] fn sub(self, y: $t) -> $t { self.wrapping_sub(y) }
            #[inline(always)] fn mul(self, y: $t) -> $t { self.wrapping_mul(y) }
            #[inline(always)] fn floor_div(self, y: $t) -> $t {
                if y == 0 { return 0; }
                let quotient = self.wrapping_div(y);
                let inexact = quotient.wrapping_mul(y) != self;
                quotient - <$t>::from(inexact && (self < 0) != (y < 0))
            }
            #[inline(always)] fn modulo(self, y: $t) -> $t {
                if y == 0 { return 0; }
                let rest = self.wrapping_rem(y);
                if rest != 0 && (rest < 0) != (y < 0) { rest + y } else { rest }
            }
            #[inline(always)] fn fmod(self, y: $t) -> $t {
                if y == 0 { 0 } else { self.wrapping_rem(y) }
            }
            #[inline(always)] fn neg(self) -> $t { self.wrapping_neg() }
            #[inline(always)] fn abs(self) -> $t { self.wrapping_abs() }
            #[inline(always)] fn sign(self) -> $t { self.signum() }
            #[inline(always)] fn minimum(self, y: $t) -> $t { self.min(y) }
            #[inline(always)] fn maximum(self, y: $t) -> $t { self.max(y) }
            #[inline(always)] fn fmin(self, y: $t) -> $t { self.min(y) }
            #[inline(always)] fn fmax(self, y: $t) -> $t { self.max(y) }
        }
    )*};
}

macro_rules! float {
    ($($t:ty)*) => {$(
        impl Number for $t {
            #[inline(always)] fn add(self, y: $t) -> $t { self + y }
            #[inline(always)] fn sub(self, y: $t) -> $t { self - y }
            #[inline(always)] fn mul(self, y: $t) -> $t { self * y }
            // As NumPy's npy_divmod, so that (x // y) * y + x % y comes near x.
            #[inline(always)] fn floor_div(self, y: $t) -> $t {
                if y == 0.0 { return self / y; }
                let rest = self % y;
                let mut quotient = (self - rest) / y;
                if rest != 0.0 && (y < 0.0) != (rest < 0.0) { quotient -= 1.0; }
                if quotient == 0.0 { return (0.0 as $t).copysign(self / y); }
                let floor = quotient.floor();
                if quotient - floor > 0.5 { floor + 1.0 } else { floor }
            }
            #[inline(always)] fn modulo(self, y: $t) -> $t {
                let rest = self % y;
                if y == 0.0 { return rest; }
                if rest == 0.0 { return (0.0 as $t).copysign(y); }
                if (y < 0.0) != (rest < 0.0) { rest + y } else { rest }
            }
            #[inline(always)] fn fmod(self, y: $t) -> $t { self % y }
            #[inline(always)] fn neg(self) -> $t { -self }
            #[inline(always)] fn abs(self) -> $t { <$t>::abs(self) }
            #[inline(always)] fn sign(self) -> $t {
                if self > 0.0 { 1.0 } else if self < 0.0 { -1.0 } else if self == 0.0 { 0.0 } else { self }
            }
            #[inline(always)] fn minimum(self, y: $t) -> $t {
                if self <= y || self.is_nan() { self } else { y }
            }
            #[inline(always)] fn maximum(self, y: $t) -> $t {
                if self >= y || self.is_nan() { self } else { y }
            }
            #[inline(always)] fn fmin(self, y: $t) -> $t {
                if self <= y || y.is_nan() { self } else { y }
            }
            #[inline(always)] fn fmax(self, y: $t) -> $t {
                if self >= y || y.is_nan() { self } else { y }
            }
        }
    )*};
}

integer! { i32 i64 }
float! { f32 f64 }

/// Integers and their shifts.
pub trait Integer: Number {
    /// `x << y`; 0 if y is not within the bits of the type
    fn shl(self, y: Self) -> Self;
    /// `x >> y`; the sign if y is not within the bits of the type
    fn shr(self, y: Self) -> Self;
}

macro_rules! shifts {
    ($($t:ty)*) => {$(
        impl Integer for $t {
            #[inline(always)] fn shl(self, y: $t) -> $t {
                if (0..<$t>::BITS as $t).contains(&y) { self << y } else { 0 }
            }
            #[inline(always)] fn shr(self, y: $t) -> $t {
                self >> if (0..<$t>::BITS as $t).contains(&y) { y } else { <$t>::BITS as $t - 1 }
            }
        }
    )*};
}

shifts! { i32 i64 }
