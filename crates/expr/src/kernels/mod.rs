//! Kernels: blocks of values in, a block of values out. They know nothing of expressions.
//!
//! An argument holds either as many values as the block, or one that stands for all of them.
pub mod arithmetic;
pub mod calendar;
pub mod cast;
pub mod choose;
pub mod compare;
pub mod digits;
pub mod divide;
mod element;
pub mod escape;
pub mod forms;
pub mod legendre;
pub mod logic;
pub mod map;
pub mod math;
pub mod power;
pub mod random;
mod register;
pub mod select;
pub mod special;
pub mod text;
pub mod twins;

pub use element::Element;
pub use map::{map1, map2, map3, slices1, validity_at};
pub use register::{Buffer, Register, keep, take_strings};

use crate::{Validity, Values};
use base::Failure;
use std::sync::Arc;

/// One argument of a kernel: as many values as the block has rows, or a single one for all.
#[derive(Clone, Copy, Debug)]
pub struct Arg<'a> {
    /// The values; arbitrary where missing.
    pub values: Values<'a>,
    /// Which of them are there; as many as there are values.
    pub validity: Validity<'a>,
}

/// Fills `len` values of the register, whose buffer has that length already (except strings).
pub type Kernel = Arc<dyn Fn(&[Arg], &mut Register, usize) -> Result<(), Failure> + Send + Sync>;
