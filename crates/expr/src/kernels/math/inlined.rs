//! A type for a function, so that loops inline it however large it is: a plain `fn` item passed
//! as a value is called through a shim, which the compiler may leave outside of the loop, and
//! then it is neither a vector nor compiled for the instruction set.

/// Makes types of functions of one float: `/// doc  Name = f64's function, f32's;`
macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident = $double:ident, $single:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl $crate::kernels::math::apply::Unary<f64> for $name {
            #[inline(always)]
            fn common(self, x: f64) -> f64 {
                $double(x)
            }
        }

        impl $crate::kernels::math::apply::Unary<f32> for $name {
            #[inline(always)]
            fn common(self, x: f32) -> f32 {
                $single(x)
            }
        }
    )*};
}
pub(crate) use unary;
