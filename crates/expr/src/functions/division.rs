//! Remainders.
use super::Function;
use crate::BinaryOp;
use crate::check::each_number;
use crate::kernels::arithmetic::Number;
use crate::kernels::map2;
use base::DType;

/// `fmod(x, y)`
pub static FMOD: Function = Function {
    name: "fmod",
    aliases: &[],
    signature: "fmod(x, y)",
    doc: "The remainder of x / y with the sign of x, as C's fmod.\nOf integers, x % 0 is 0.",
    examples: &[("fmod(-7, 3)", "-1"), ("fmod(5.5, 2)", "1.5")],
    arity: 2..=2,
    build: |a| {
        let dtype = match a.meet(&[0, 1])? {
            DType::Bool => DType::Int32,
            dtype => dtype,
        };
        let ids = [a.cast(0, dtype)?, a.cast(1, dtype)?];
        let kernel = each_number!(dtype, T => map2(<T as Number>::fmod));
        a.apply(&ids, dtype, kernel)
    },
};

/// `mod(x, y)`
pub static MOD: Function = Function {
    name: "mod",
    aliases: &["remainder"],
    signature: "mod(x, y)",
    doc: "The remainder of x / y with the sign of y, as `x % y`.",
    examples: &[("mod(-7, 3)", "2")],
    arity: 2..=2,
    build: |a| a.operator(BinaryOp::Mod),
};
