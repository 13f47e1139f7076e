//! Powers and roots.
use super::Function;
use crate::BinaryOp;
use crate::kernels::math::cube_root::Cbrt;

/// `sqrt(x)`
pub static SQRT: Function = Function {
    name: "sqrt",
    aliases: &[],
    signature: "sqrt(x)",
    doc: "The square root of x; NaN below 0.",
    examples: &[("sqrt(4.0)", "2.0"), ("sqrt(2)", "1.4142135623730951")],
    arity: 1..=1,
    build: |a| a.float1(f32::sqrt, f64::sqrt),
};

/// `cbrt(x)`
pub static CBRT: Function = Function {
    name: "cbrt",
    aliases: &[],
    signature: "cbrt(x)",
    doc: "The cube root of x.",
    examples: &[("cbrt(-27)", "-3.0")],
    arity: 1..=1,
    build: |a| a.float1(Cbrt, Cbrt),
};

/// `power(x, y)`
pub static POWER: Function = Function {
    name: "power",
    aliases: &[],
    signature: "power(x, y)",
    doc: "x to the power of y, as `x ** y`.",
    examples: &[("power(2, 10)", "1024"), ("power(2.0, -1)", "0.5")],
    arity: 2..=2,
    build: |a| a.operator(BinaryOp::Pow),
};
