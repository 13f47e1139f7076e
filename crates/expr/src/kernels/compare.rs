//! Comparisons of numbers and of strings.
use super::map::{map2, take};
use super::{Arg, Element, Kernel};
use crate::{CompareOp, Values};
use arrow_array::StringArray;
use base::Failure;
use std::sync::Arc;

/// Compares two values of the same type.
pub fn compare<T: Element>(op: CompareOp) -> Kernel {
    match op {
        CompareOp::Eq => map2(|x: T, y: T| x == y),
        CompareOp::Ne => map2(|x: T, y: T| x != y),
        CompareOp::Lt => map2(|x: T, y: T| x < y),
        CompareOp::Le => map2(|x: T, y: T| x <= y),
        CompareOp::Gt => map2(|x: T, y: T| x > y),
        CompareOp::Ge => map2(|x: T, y: T| x >= y),
    }
}

/// Compares two strings, code point by code point.
pub fn compare_strings(op: CompareOp) -> Kernel {
    match op {
        CompareOp::Eq => test_strings(|x, y| x == y),
        CompareOp::Ne => test_strings(|x, y| x != y),
        CompareOp::Lt => test_strings(|x, y| x < y),
        CompareOp::Le => test_strings(|x, y| x <= y),
        CompareOp::Gt => test_strings(|x, y| x > y),
        CompareOp::Ge => test_strings(|x, y| x >= y),
    }
}

/// A truth about each pair of strings.
pub fn test_strings(f: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Kernel {
    Arc::new(move |arguments: &[Arg], out, len| {
        let [a, b] = take(arguments)?;
        let (x, y) = (strings(&a)?, strings(&b)?);
        let out = &mut bool::slice_mut(&mut out.values)?[..len];
        let (sx, sy) = (string_step(x, len), string_step(y, len));
        for (i, o) in out.iter_mut().enumerate() {
            *o = f(x.value(i * sx), y.value(i * sy));
        }
        Ok(())
    })
}

/// The strings of an argument.
pub fn strings<'a>(argument: &Arg<'a>) -> Result<&'a StringArray, Failure> {
    match argument.values {
        Values::String(array) => Ok(array),
        _ => Err(Failure::internal("a kernel for strings was given numbers")),
    }
}

/// How far to move from row to row.
pub fn string_step(values: &StringArray, len: usize) -> usize {
    use arrow_array::Array;
    usize::from(values.len() == len)
}
