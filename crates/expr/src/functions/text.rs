//! Strings.
use super::Function;
use crate::check::{Arguments, Built};
use crate::kernels::{compare, text};
use base::DType;

/// `contains(text, part)`
pub static CONTAINS: Function = Function {
    name: "contains",
    aliases: &[],
    signature: "contains(text, part)",
    doc: "Whether the text contains the part.",
    examples: &[("contains('abc', 'b')", "True")],
    arity: 2..=2,
    build: |a| test(a, |text, part| text.contains(part)),
};

/// `startswith(text, part)`
pub static STARTSWITH: Function = Function {
    name: "startswith",
    aliases: &[],
    signature: "startswith(text, part)",
    doc: "Whether the text starts with the part.",
    examples: &[("startswith('abc', 'b')", "False")],
    arity: 2..=2,
    build: |a| test(a, |text, part| text.starts_with(part)),
};

/// `endswith(text, part)`
pub static ENDSWITH: Function = Function {
    name: "endswith",
    aliases: &[],
    signature: "endswith(text, part)",
    doc: "Whether the text ends with the part.",
    examples: &[("endswith('abc', 'bc')", "True")],
    arity: 2..=2,
    build: |a| test(a, |text, part| text.ends_with(part)),
};

/// `lower(text)`
pub static LOWER: Function = Function {
    name: "lower",
    aliases: &[],
    signature: "lower(text)",
    doc: "The text in lower case.",
    examples: &[("lower('Ab')", "'ab'")],
    arity: 1..=1,
    build: |a| rewrite(a, str::to_lowercase),
};

/// `upper(text)`
pub static UPPER: Function = Function {
    name: "upper",
    aliases: &[],
    signature: "upper(text)",
    doc: "The text in upper case.",
    examples: &[("upper('Ab')", "'AB'")],
    arity: 1..=1,
    build: |a| rewrite(a, str::to_uppercase),
};

/// `len(text)`
pub static LEN: Function = Function {
    name: "len",
    aliases: &[],
    signature: "len(text)",
    doc: "The number of characters of the text.",
    examples: &[("len('déjà')", "4")],
    arity: 1..=1,
    build: |a| {
        let x = a.exactly(0, DType::String)?;
        a.apply(&[x], DType::Int64, text::length())
    },
};

fn test(a: &mut Arguments, f: fn(&str, &str) -> bool) -> Built {
    let ids = [a.exactly(0, DType::String)?, a.exactly(1, DType::String)?];
    a.apply(&ids, DType::Bool, compare::test_strings(f))
}

fn rewrite(a: &mut Arguments, f: fn(&str) -> String) -> Built {
    let x = a.exactly(0, DType::String)?;
    a.apply(&[x], DType::String, text::rewrite(f))
}
