//! Hyperbolic functions and their inverses.
use super::Function;
use crate::kernels::math::hyperbolic::{Cosh, Sinh, Tanh};
use crate::kernels::math::inverse_hyperbolic::{Arccosh, Arcsinh, Arctanh};

/// `sinh(x)`
pub static SINH: Function = Function {
    name: "sinh",
    aliases: &[],
    signature: "sinh(x)",
    doc: "The hyperbolic sine of x.",
    examples: &[("sinh(0.0)", "0.0")],
    arity: 1..=1,
    build: |a| a.float1(Sinh, Sinh),
};

/// `cosh(x)`
pub static COSH: Function = Function {
    name: "cosh",
    aliases: &[],
    signature: "cosh(x)",
    doc: "The hyperbolic cosine of x.",
    examples: &[("cosh(0.0)", "1.0")],
    arity: 1..=1,
    build: |a| a.float1(Cosh, Cosh),
};

/// `tanh(x)`
pub static TANH: Function = Function {
    name: "tanh",
    aliases: &[],
    signature: "tanh(x)",
    doc: "The hyperbolic tangent of x.",
    examples: &[("tanh(0.0)", "0.0")],
    arity: 1..=1,
    build: |a| a.float1(Tanh, Tanh),
};

/// `arcsinh(x)`
pub static ARCSINH: Function = Function {
    name: "arcsinh",
    aliases: &["asinh"],
    signature: "arcsinh(x)",
    doc: "The number whose hyperbolic sine is x.",
    examples: &[("arcsinh(0.0)", "0.0")],
    arity: 1..=1,
    build: |a| a.float1(Arcsinh, Arcsinh),
};

/// `arccosh(x)`
pub static ARCCOSH: Function = Function {
    name: "arccosh",
    aliases: &["acosh"],
    signature: "arccosh(x)",
    doc: "The number whose hyperbolic cosine is x; NaN below 1.",
    examples: &[("arccosh(1.0)", "0.0")],
    arity: 1..=1,
    build: |a| a.float1(Arccosh, Arccosh),
};

/// `arctanh(x)`
pub static ARCTANH: Function = Function {
    name: "arctanh",
    aliases: &["atanh"],
    signature: "arctanh(x)",
    doc: "The number whose hyperbolic tangent is x; NaN outside of [-1, 1].",
    examples: &[("arctanh(0.0)", "0.0")],
    arity: 1..=1,
    build: |a| a.float1(Arctanh, Arctanh),
};
