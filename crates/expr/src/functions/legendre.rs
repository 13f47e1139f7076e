//! Legendre functions.
use super::Function;
use crate::dag::Nulls;
use crate::kernels::legendre::Legendre;
use base::{DType, Value};

/// `lpmv(m, l, x)`
pub static LPMV: Function = Function {
    name: "lpmv",
    aliases: &[],
    signature: "lpmv(m, l, x)",
    doc: "The associated Legendre function of order m and degree l at x, as scipy.special.lpmv.\nm and l are constants; with m = 0 it is the Legendre polynomial. The sign (-1)^m of Condon and Shortley is included. For m other than 0, NaN outside of [-1, 1].",
    examples: &[("lpmv(0, 2, 0.5)", "-0.125"), ("lpmv(1, 1, 0.0)", "-1.0")],
    arity: 3..=3,
    build: |a| {
        let m = a.integer(0, -100..=100)?;
        let l = a.integer(1, 0..=1000)?;
        a.meet(&[2])?;
        let x = a.cast(2, DType::Float64)?;
        let kernel = Legendre::new(m as i32, l as u32).kernel();
        let constants = vec![Value::Int(m), Value::Int(l)];
        a.apply_with(&[x], DType::Float64, kernel, Nulls::Propagate, constants)
    },
};
