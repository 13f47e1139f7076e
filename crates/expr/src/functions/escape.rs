//! Iterated maps.
use super::Function;
use crate::dag::Nulls;
use crate::kernels::escape;
use base::{DType, Value};

/// `escape_time(zr, zi, cr, ci, limit)`
pub static ESCAPE_TIME: Function = Function {
    name: "escape_time",
    aliases: &[],
    signature: "escape_time(zr, zi, cr, ci, limit)",
    doc: "How many steps z -> z**2 + c take until abs(z) > 2, from z = zr + i zi with c = cr + i ci; at most limit.\nDraws Julia sets (c constant) and the Mandelbrot set (z = 0). The limit is a constant.",
    examples: &[
        ("escape_time(0, 0, 2, 2, 100)", "1"),
        ("escape_time(0, 0, 0, 0, 50)", "50"),
        ("escape_time(3, 0, 0, 0, 50)", "0"),
    ],
    arity: 5..=5,
    build: |a| {
        let limit = a.integer(4, 0..=i64::from(i32::MAX))?;
        a.meet(&[0, 1, 2, 3])?;
        let double = DType::Float64;
        let ids = [a.cast(0, double)?, a.cast(1, double)?, a.cast(2, double)?, a.cast(3, double)?];
        let kernel = escape::kernel(limit as i32);
        a.apply_with(&ids, DType::Int32, kernel, Nulls::Propagate, vec![Value::Int(limit)])
    },
};
