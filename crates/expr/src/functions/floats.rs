//! What kind of float a value is. NaN is a value; see `isnull` for missing ones.
use super::Function;

/// `isnan(x)`
pub static ISNAN: Function = Function {
    name: "isnan",
    aliases: &[],
    signature: "isnan(x)",
    doc: "Whether x is NaN (not a number).",
    examples: &[("isnan(nan)", "True"), ("isnan(1)", "False")],
    arity: 1..=1,
    build: |a| a.test_float(f32::is_nan, f64::is_nan),
};

/// `isfinite(x)`
pub static ISFINITE: Function = Function {
    name: "isfinite",
    aliases: &[],
    signature: "isfinite(x)",
    doc: "Whether x is neither infinite nor NaN.",
    examples: &[("isfinite(1.0)", "True"), ("isfinite(inf)", "False")],
    arity: 1..=1,
    build: |a| a.test_float(f32::is_finite, f64::is_finite),
};

/// `isinf(x)`
pub static ISINF: Function = Function {
    name: "isinf",
    aliases: &[],
    signature: "isinf(x)",
    doc: "Whether x is infinite.",
    examples: &[("isinf(-inf)", "True"), ("isinf(nan)", "False")],
    arity: 1..=1,
    build: |a| a.test_float(f32::is_infinite, f64::is_infinite),
};
