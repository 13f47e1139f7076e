//! Choice between two values.
use super::Function;
use crate::check::each_number;
use crate::dag::Nulls;
use crate::kernels::choose;
use base::DType;

/// `where(condition, x, y)`
pub static WHERE: Function = Function {
    name: "where",
    aliases: &[],
    signature: "where(condition, x, y)",
    doc: "x where the condition holds, y where not; missing where the condition is.",
    examples: &[
        ("where(1 < 2, 10, 20)", "10"),
        ("where(False, 1, 2.5)", "2.5"),
        ("'a' if True else 'b'", "'a'"),
    ],
    arity: 3..=3,
    build: |a| {
        let condition = a.exactly(0, DType::Bool)?;
        let dtype = a.meet_any(&[1, 2])?;
        let ids = [condition, a.cast(1, dtype)?, a.cast(2, dtype)?];
        let kernel = match dtype {
            DType::Bool => choose::choose::<bool>(),
            DType::String => choose::choose_strings(),
            dtype => each_number!(dtype, T => choose::choose::<T>()),
        };
        a.apply_with(&ids, dtype, kernel, Nulls::Any, vec![])
    },
};
