//! Exponentials and logarithms.
use super::Function;
use crate::kernels::math::exponential::{Exp, Exp2, Expm1};
use crate::kernels::math::logarithm::{Log, Log1p, Log2, Log10};

/// `exp(x)`
pub static EXP: Function = Function {
    name: "exp",
    aliases: &[],
    signature: "exp(x)",
    doc: "e to the power of x.",
    examples: &[("exp(0.0)", "1.0")],
    arity: 1..=1,
    build: |a| a.float1(Exp, Exp),
};

/// `exp2(x)`
pub static EXP2: Function = Function {
    name: "exp2",
    aliases: &[],
    signature: "exp2(x)",
    doc: "2 to the power of x.",
    examples: &[("exp2(10)", "1024.0")],
    arity: 1..=1,
    build: |a| a.float1(Exp2, Exp2),
};

/// `expm1(x)`
pub static EXPM1: Function = Function {
    name: "expm1",
    aliases: &[],
    signature: "expm1(x)",
    doc: "exp(x) - 1, accurate near 0.",
    examples: &[("expm1(0.0)", "0.0"), ("expm1(1e-20)", "1e-20")],
    arity: 1..=1,
    build: |a| a.float1(Expm1, Expm1),
};

/// `log(x)`
pub static LOG: Function = Function {
    name: "log",
    aliases: &[],
    signature: "log(x)",
    doc: "The natural logarithm of x; -inf at 0, NaN below.",
    examples: &[("log(1)", "0.0"), ("log(0)", "-inf")],
    arity: 1..=1,
    build: |a| a.float1(Log, Log),
};

/// `log2(x)`
pub static LOG2: Function = Function {
    name: "log2",
    aliases: &[],
    signature: "log2(x)",
    doc: "The logarithm of x to base 2.",
    examples: &[("log2(8)", "3.0")],
    arity: 1..=1,
    build: |a| a.float1(Log2, Log2),
};

/// `log10(x)`
pub static LOG10: Function = Function {
    name: "log10",
    aliases: &[],
    signature: "log10(x)",
    doc: "The logarithm of x to base 10.",
    examples: &[("log10(1000)", "3.0")],
    arity: 1..=1,
    build: |a| a.float1(Log10, Log10),
};

/// `log1p(x)`
pub static LOG1P: Function = Function {
    name: "log1p",
    aliases: &[],
    signature: "log1p(x)",
    doc: "log(1 + x), accurate near 0.",
    examples: &[("log1p(1e-20)", "1e-20")],
    arity: 1..=1,
    build: |a| a.float1(Log1p, Log1p),
};
