//! The Rust types that registers hold.
use super::Buffer;
use crate::Values;
use base::{DType, Failure};

/// A type whose values stand in registers.
pub trait Element: Copy + Default + PartialOrd + Send + Sync + 'static {
    /// The values, if they are of this type.
    ///
    /// # Errors
    /// If they are not: a mistake of the compiler of programs.
    fn slice(values: Values<'_>) -> Result<&[Self], Failure>;

    /// The same, to be written.
    ///
    /// # Errors
    /// As [`Element::slice`].
    fn slice_mut(buffer: &mut Buffer) -> Result<&mut [Self], Failure>;
}

macro_rules! element {
    ($($rust:ty = $name:ident,)*) => {$(
        impl Element for $rust {
            #[inline]
            fn slice(values: Values<'_>) -> Result<&[$rust], Failure> {
                match values {
                    Values::$name(slice) => Ok(slice),
                    _ => Err(wrong(DType::$name)),
                }
            }

            #[inline]
            fn slice_mut(buffer: &mut Buffer) -> Result<&mut [$rust], Failure> {
                match buffer {
                    Buffer::$name(vec) => Ok(vec),
                    _ => Err(wrong(DType::$name)),
                }
            }
        }
    )*};
}

element! { bool = Bool, i32 = Int32, i64 = Int64, f32 = Float32, f64 = Float64, }

#[cold]
fn wrong(expected: DType) -> Failure {
    Failure::internal(format!("a kernel for {expected} was given values of another type"))
}
