//! Random numbers.
use super::Function;
use crate::dag::Nulls;
use crate::kernels::{map1, random};
use base::{DType, Value};

/// `random(seed)`
pub static RANDOM: Function = Function {
    name: "random",
    aliases: &[],
    signature: "random(seed)",
    doc: "A random number from 0 (included) to 1 (excluded), the same for the same seed and row.\nIt depends on the constant seed and on the index of the row in its domain, never on tiles or workers (SplitMix64 by counter).",
    examples: &[("0 <= random(1) and random(1) < 1", "True"), ("random(1) == random(2)", "False")],
    arity: 1..=1,
    build: |a| {
        let seed = a.integer(0, i64::MIN..=i64::MAX)?;
        let index = a.index();
        let start = random::start(seed);
        let kernel = map1(move |index: i64| random::uniform(start, index));
        let constants = vec![Value::Int(seed)];
        a.apply_with(&[index], DType::Float64, kernel, Nulls::Propagate, constants)
    },
};
