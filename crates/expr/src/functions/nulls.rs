//! Missing values.
use super::Function;
use crate::check::each_number;
use crate::dag::Nulls;
use crate::kernels::choose;
use base::DType;

/// `isnull(x)`
pub static ISNULL: Function = Function {
    name: "isnull",
    aliases: &["isna"],
    signature: "isnull(x)",
    doc: "Whether x is missing. NaN is not missing: see `isnan`.",
    examples: &[("isnull(1)", "False"), ("isnull(float64(null))", "True")],
    arity: 1..=1,
    build: |a| {
        let dtype = a.dtype(0).unwrap_or(DType::Float64);
        let x = a.cast(0, dtype)?;
        a.apply_with(&[x], DType::Bool, choose::is_null(), Nulls::Never, vec![])
    },
};

/// `coalesce(x, y)`
pub static COALESCE: Function = Function {
    name: "coalesce",
    aliases: &["fillnull"],
    signature: "coalesce(x, y)",
    doc: "x, or y where x is missing.",
    examples: &[("coalesce(float64(null), 2)", "2.0"), ("coalesce(1, 2)", "1")],
    arity: 2..=2,
    build: |a| {
        let dtype = a.meet_any(&[0, 1])?;
        let ids = [a.cast(0, dtype)?, a.cast(1, dtype)?];
        let kernel = match dtype {
            DType::Bool => choose::coalesce::<bool>(),
            DType::String => choose::coalesce_strings(),
            dtype => each_number!(dtype, T => choose::coalesce::<T>()),
        };
        a.apply_with(&ids, dtype, kernel, Nulls::All, vec![])
    },
};
