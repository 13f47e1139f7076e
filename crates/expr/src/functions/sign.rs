//! Absolute value and sign.
use super::Function;
use crate::check::each_number;
use crate::kernels::arithmetic::Number;
use crate::kernels::map1;
use base::DType;

/// `abs(x)`
pub static ABS: Function = Function {
    name: "abs",
    aliases: &["absolute", "fabs"],
    signature: "abs(x)",
    doc: "The absolute value of x, of the type of x.",
    examples: &[("abs(-2)", "2"), ("abs(-2.5)", "2.5")],
    arity: 1..=1,
    build: |a| {
        let dtype = a.meet(&[0])?;
        let x = a.cast(0, dtype)?;
        if dtype == DType::Bool {
            return Ok(x);
        }
        let kernel = each_number!(dtype, T => map1(<T as Number>::abs));
        a.apply(&[x], dtype, kernel)
    },
};

/// `sign(x)`
pub static SIGN: Function = Function {
    name: "sign",
    aliases: &[],
    signature: "sign(x)",
    doc: "-1, 0 or 1, as x is negative, zero or positive; NaN stays NaN.",
    examples: &[("sign(-2.5)", "-1.0"), ("sign(0)", "0")],
    arity: 1..=1,
    build: |a| {
        let dtype = a.meet(&[0])?;
        if dtype == DType::Bool {
            return Err(a.wrong(0, "a number"));
        }
        let x = a.cast(0, dtype)?;
        let kernel = each_number!(dtype, T => map1(<T as Number>::sign));
        a.apply(&[x], dtype, kernel)
    },
};
