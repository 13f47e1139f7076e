//! Rounding to whole numbers; integers and bools stay as they are.
use super::Function;
use crate::check::{Arguments, Built};
use crate::kernels::math::apply::Unary;

/// `floor(x)`
pub static FLOOR: Function = Function {
    name: "floor",
    aliases: &[],
    signature: "floor(x)",
    doc: "The largest whole number that is not above x.",
    examples: &[("floor(-1.5)", "-2.0"), ("floor(3)", "3")],
    arity: 1..=1,
    build: |a| rounded(a, f32::floor, f64::floor),
};

/// `ceil(x)`
pub static CEIL: Function = Function {
    name: "ceil",
    aliases: &[],
    signature: "ceil(x)",
    doc: "The smallest whole number that is not below x.",
    examples: &[("ceil(-1.5)", "-1.0")],
    arity: 1..=1,
    build: |a| rounded(a, f32::ceil, f64::ceil),
};

/// `round(x)`
pub static ROUND: Function = Function {
    name: "round",
    aliases: &[],
    signature: "round(x)",
    doc: "The whole number nearest to x; halves go to the even one.",
    examples: &[("round(2.5)", "2.0"), ("round(3.5)", "4.0")],
    arity: 1..=1,
    build: |a| rounded(a, f32::round_ties_even, f64::round_ties_even),
};

/// `rint(x)`
pub static RINT: Function = Function {
    name: "rint",
    aliases: &[],
    signature: "rint(x)",
    doc: "The whole number nearest to x as a float; halves go to the even one.",
    examples: &[("rint(2.5)", "2.0"), ("rint(3)", "3.0")],
    arity: 1..=1,
    build: |a| a.float1(f32::round_ties_even, f64::round_ties_even),
};

/// `trunc(x)`
pub static TRUNC: Function = Function {
    name: "trunc",
    aliases: &[],
    signature: "trunc(x)",
    doc: "x without its fraction.",
    examples: &[("trunc(-1.7)", "-1.0")],
    arity: 1..=1,
    build: |a| rounded(a, f32::trunc, f64::trunc),
};

fn rounded(a: &mut Arguments, single: impl Unary<f32>, double: impl Unary<f64>) -> Built {
    let dtype = a.meet(&[0])?;
    if dtype.is_float() { a.float1(single, double) } else { a.cast(0, dtype) }
}
