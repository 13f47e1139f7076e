//! Sines, their relatives and inverses, and angles.
use super::Function;
use crate::kernels::math::arcsine::{arccos, arccos32, arcsin, arcsin32};
use crate::kernels::math::arctangent::{Arctan2, arctan, arctan32};
use crate::kernels::math::hypot::{hypot, hypot32};
use crate::kernels::math::sine::{Cos, Sin};
use crate::kernels::math::tangent::Tan;
use crate::kernels::special;

/// `sin(x)`
pub static SIN: Function = Function {
    name: "sin",
    aliases: &[],
    signature: "sin(x)",
    doc: "The sine of x, in radians.",
    examples: &[("sin(0.0)", "0.0")],
    arity: 1..=1,
    build: |a| a.float1(Sin, Sin),
};

/// `cos(x)`
pub static COS: Function = Function {
    name: "cos",
    aliases: &[],
    signature: "cos(x)",
    doc: "The cosine of x, in radians.",
    examples: &[("cos(0)", "1.0")],
    arity: 1..=1,
    build: |a| a.float1(Cos, Cos),
};

/// `tan(x)`
pub static TAN: Function = Function {
    name: "tan",
    aliases: &[],
    signature: "tan(x)",
    doc: "The tangent of x, in radians.",
    examples: &[("tan(0.0)", "0.0")],
    arity: 1..=1,
    build: |a| a.float1(Tan, Tan),
};

/// `arcsin(x)`
pub static ARCSIN: Function = Function {
    name: "arcsin",
    aliases: &["asin"],
    signature: "arcsin(x)",
    doc: "The angle whose sine is x, from -pi/2 to pi/2; NaN outside of [-1, 1].",
    examples: &[("arcsin(0.0)", "0.0"), ("isnan(arcsin(2))", "True")],
    arity: 1..=1,
    build: |a| a.float1(arcsin32, arcsin),
};

/// `arccos(x)`
pub static ARCCOS: Function = Function {
    name: "arccos",
    aliases: &["acos"],
    signature: "arccos(x)",
    doc: "The angle whose cosine is x, from 0 to pi; NaN outside of [-1, 1].",
    examples: &[("arccos(1)", "0.0")],
    arity: 1..=1,
    build: |a| a.float1(arccos32, arccos),
};

/// `arctan(x)`
pub static ARCTAN: Function = Function {
    name: "arctan",
    aliases: &["atan"],
    signature: "arctan(x)",
    doc: "The angle whose tangent is x, from -pi/2 to pi/2.",
    examples: &[("arctan(0.0)", "0.0")],
    arity: 1..=1,
    build: |a| a.float1(arctan32, arctan),
};

/// `arctan2(y, x)`
pub static ARCTAN2: Function = Function {
    name: "arctan2",
    aliases: &["atan2"],
    signature: "arctan2(y, x)",
    doc: "The angle of the point (x, y), from -pi to pi.",
    examples: &[("arctan2(0.0, 1.0)", "0.0"), ("degrees(arctan2(1, 1))", "45.0")],
    arity: 2..=2,
    build: |a| a.float2(Arctan2, Arctan2),
};

/// `hypot(x, y)`
pub static HYPOT: Function = Function {
    name: "hypot",
    aliases: &[],
    signature: "hypot(x, y)",
    doc: "The length of the vector (x, y), without overflow on the way.",
    examples: &[("hypot(3, 4)", "5.0")],
    arity: 2..=2,
    build: |a| a.float2(hypot32, hypot),
};

/// `radians(x)`
pub static RADIANS: Function = Function {
    name: "radians",
    aliases: &["deg2rad"],
    signature: "radians(x)",
    doc: "x in radians, from degrees.",
    examples: &[("radians(180.0)", "3.141592653589793")],
    arity: 1..=1,
    build: |a| a.float1(special::radians32, special::radians),
};

/// `degrees(x)`
pub static DEGREES: Function = Function {
    name: "degrees",
    aliases: &["rad2deg"],
    signature: "degrees(x)",
    doc: "x in degrees, from radians.",
    examples: &[("degrees(pi)", "180.0")],
    arity: 1..=1,
    build: |a| a.float1(special::degrees32, special::degrees),
};
