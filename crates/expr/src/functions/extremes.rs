//! The smaller and the larger of two values.
use super::Function;
use crate::check::each_number;
use crate::kernels::arithmetic::Number;
use crate::kernels::{map2, map3};
use base::DType;

/// Both arguments in the type in which they meet, then one of two kernels: of bools, of numbers.
macro_rules! of_two {
    ($a:ident, $bools:expr, $numbers:ident) => {{
        let dtype = $a.meet(&[0, 1])?;
        let ids = [$a.cast(0, dtype)?, $a.cast(1, dtype)?];
        let kernel = match dtype {
            DType::Bool => map2($bools),
            dtype => each_number!(dtype, T => map2(<T as Number>::$numbers)),
        };
        $a.apply(&ids, dtype, kernel)
    }};
}

/// `minimum(x, y)`
pub static MINIMUM: Function = Function {
    name: "minimum",
    aliases: &[],
    signature: "minimum(x, y)",
    doc: "The smaller of x and y; NaN if either is NaN.",
    examples: &[("minimum(1, 2)", "1"), ("minimum(1.0, nan)", "nan")],
    arity: 2..=2,
    build: |a| of_two!(a, |x: bool, y: bool| x & y, minimum),
};

/// `maximum(x, y)`
pub static MAXIMUM: Function = Function {
    name: "maximum",
    aliases: &[],
    signature: "maximum(x, y)",
    doc: "The larger of x and y; NaN if either is NaN.",
    examples: &[("maximum(1, 2.5)", "2.5")],
    arity: 2..=2,
    build: |a| of_two!(a, |x: bool, y: bool| x | y, maximum),
};

/// `fmin(x, y)`
pub static FMIN: Function = Function {
    name: "fmin",
    aliases: &[],
    signature: "fmin(x, y)",
    doc: "The smaller of x and y; if one is NaN, the other.",
    examples: &[("fmin(1.0, nan)", "1.0")],
    arity: 2..=2,
    build: |a| of_two!(a, |x: bool, y: bool| x & y, fmin),
};

/// `fmax(x, y)`
pub static FMAX: Function = Function {
    name: "fmax",
    aliases: &[],
    signature: "fmax(x, y)",
    doc: "The larger of x and y; if one is NaN, the other.",
    examples: &[("fmax(nan, 2.0)", "2.0")],
    arity: 2..=2,
    build: |a| of_two!(a, |x: bool, y: bool| x | y, fmax),
};

/// `clip(x, low, high)`
pub static CLIP: Function = Function {
    name: "clip",
    aliases: &[],
    signature: "clip(x, low, high)",
    doc: "x, but not below low and not above high; NaN stays NaN.",
    examples: &[("clip(5, 0, 3)", "3"), ("clip(-0.5, 0, 1)", "0.0")],
    arity: 3..=3,
    build: |a| {
        let dtype = match a.meet(&[0, 1, 2])? {
            DType::Bool => return Err(a.wrong(0, "a number")),
            dtype => dtype,
        };
        let ids = [a.cast(0, dtype)?, a.cast(1, dtype)?, a.cast(2, dtype)?];
        let kernel = each_number!(dtype, T => map3(|x: T, low: T, high: T| {
            <T as Number>::minimum(<T as Number>::maximum(x, low), high)
        }));
        a.apply(&ids, dtype, kernel)
    },
};
