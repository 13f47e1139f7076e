//! Conversions between types. Floats become integers by truncation; what does not fit becomes
//! the nearest that does, and NaN 0. Integers wrap.
use super::{Element, Kernel, map1};
use crate::isa::Isa;
use base::DType;

/// A type that is converted to each of the others.
trait Convert: Element {
    fn bool(self) -> bool;
    fn i32(self) -> i32;
    fn i64(self) -> i64;
    fn f32(self) -> f32;
    fn f64(self) -> f64;
}

macro_rules! number {
    ($($t:ty, $zero:expr;)*) => {$(
        impl Convert for $t {
            #[inline(always)] fn bool(self) -> bool { self != $zero }
            #[inline(always)] fn i32(self) -> i32 { self as i32 }
            #[inline(always)] fn i64(self) -> i64 { self as i64 }
            #[inline(always)] fn f32(self) -> f32 { self as f32 }
            #[inline(always)] fn f64(self) -> f64 { self as f64 }
        }
    )*};
}

number! { i32, 0; i64, 0; f32, 0.0; f64, 0.0; }

impl Convert for bool {
    fn bool(self) -> bool {
        self
    }
    fn i32(self) -> i32 {
        i32::from(self)
    }
    fn i64(self) -> i64 {
        i64::from(self)
    }
    fn f32(self) -> f32 {
        f32::from(self)
    }
    fn f64(self) -> f64 {
        f64::from(self)
    }
}

/// `x as f64` of operations that all vectors have: the halves become floats exactly, as low bits
/// of known exponents, and their sum is rounded once.
#[inline(always)]
fn i64_to_f64(x: i64) -> f64 {
    // The bits of 2^84 + 2^63, the last of which stands for 2^32, and of 2^52.
    const HIGH: u64 = 0x4530_0000_8000_0000;
    const LOW: u64 = 0x4330_0000_0000_0000;
    const BOTH: f64 = f64::from_bits(HIGH) + f64::from_bits(LOW);
    let high = f64::from_bits((x as u64 >> 32) ^ HIGH) - BOTH;
    high + f64::from_bits((x as u64 & 0xffff_ffff) | LOW)
}

/// The kernel that converts; `None` if there is no such conversion. int64 and timestamp look
/// alike to kernels.
pub fn cast(from: DType, to: DType) -> Option<Kernel> {
    match from {
        DType::Bool => to_type::<bool>(to),
        DType::Int32 => to_type::<i32>(to),
        // Only AVX-512 has an instruction.
        DType::Int64 if to == DType::Float64 && Isa::chosen() != Isa::Avx512 => {
            Some(map1(i64_to_f64))
        }
        DType::Int64 | DType::Timestamp => to_type::<i64>(to),
        DType::Float32 => to_type::<f32>(to),
        DType::Float64 => to_type::<f64>(to),
        DType::String | DType::Binary => None,
    }
}

fn to_type<T: Convert>(to: DType) -> Option<Kernel> {
    Some(match to {
        DType::Bool => map1(T::bool),
        DType::Int32 => map1(T::i32),
        DType::Int64 | DType::Timestamp => map1(T::i64),
        DType::Float32 => map1(T::f32),
        DType::Float64 => map1(T::f64),
        DType::String | DType::Binary => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn int64_to_float64_is_rounded_once(x: i64, shift in 0..64) {
            prop_assert_eq!(i64_to_f64(x >> shift), (x >> shift) as f64);
        }
    }

    #[test]
    fn int64_to_float64_at_the_edges() {
        for x in [0, 1, -1, i64::MIN, i64::MAX, (1 << 53) + 1, -(1 << 53) - 1, 1 << 32, -(1 << 32)]
        {
            assert_eq!(i64_to_f64(x).to_bits(), (x as f64).to_bits(), "{x}");
        }
    }
}
