//! Conversions between types. Floats become integers by truncation; what does not fit becomes
//! the nearest that does, and NaN 0. Integers wrap.
use super::{Element, Kernel, map1};
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

/// The kernel that converts; `None` if there is no such conversion. int64 and timestamp look
/// alike to kernels.
pub fn cast(from: DType, to: DType) -> Option<Kernel> {
    match from {
        DType::Bool => to_type::<bool>(to),
        DType::Int32 => to_type::<i32>(to),
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
