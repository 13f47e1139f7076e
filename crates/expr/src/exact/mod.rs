//! Exact sums of floating-point numbers, rounded once.
//!
//! [`ExactSum`] holds the mathematically exact sum of any `f64` values: three `f64` terms
//! while these suffice, and a fixed-point number as wide as needed for what they cannot hold.
//! Its result depends on the multiset of the values alone: never on order, cuts or threads.
//!
//! | file | what it has |
//! |---|---|
//! | `sum` | [`ExactSum`]: adding values and products, merging, rounding |
//! | `terms` | the three terms of a sum by themselves |
//! | `lanes` | the vector kernels for many values of one sum |
//! | `window` | what these kernels keep for values of similar size |
//! | `bins` | the same for values of less similar size |
//! | `dense` | the fixed-point number behind them, for values of very different size |
//! | `wide` | the fixed-point number |
//! | `error_free` | additions and products that keep their rounding error |
//! | `round` | integers and rational numbers to `f32` and `f64`, to nearest, ties to even |
//! | `moments` | mean, variance and standard deviation from exact sums |
//! | `bytes` | reading the bytes of states |

mod bins;
mod bytes;
mod dense;
mod error_free;
mod lanes;
mod moments;
mod round;
mod sum;
mod terms;
#[cfg(test)]
mod tests;
mod wide;
mod window;

pub use bytes::Bytes;
pub(crate) use error_free::two_product;
pub use moments::{Spread, integer_mean, integer_spread};
pub use round::Precision;
pub use sum::{Exact, ExactSum};
pub use terms::Terms;
