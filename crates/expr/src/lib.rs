//! Expressions: parse → check → optimise → block program → kernels; and exact reductions.

pub mod exact;
pub mod reduce;
mod values;

pub use values::{Groups, Indices, Validity, Values};
