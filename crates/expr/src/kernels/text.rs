//! Kernels of strings.
use super::compare::strings;
use super::map::take;
use super::{Arg, Buffer, Element, Kernel};
use arrow_array::Array;
use std::sync::Arc;

/// A string made from each string.
pub fn rewrite(f: fn(&str) -> String) -> Kernel {
    Arc::new(move |arguments: &[Arg], out, len| {
        let [a] = take(arguments)?;
        let x = strings(&a)?;
        let array = match x.len() {
            1 => std::iter::repeat_n(Some(f(x.value(0))), len).collect(),
            _ => (0..len).map(|i| Some(f(x.value(i)))).collect(),
        };
        out.values = Buffer::String(array);
        Ok(())
    })
}

/// The number of characters of each string.
pub fn length() -> Kernel {
    Arc::new(|arguments: &[Arg], out, len| {
        let [a] = take(arguments)?;
        let x = strings(&a)?;
        let step = usize::from(x.len() == len);
        for (i, o) in i64::slice_mut(&mut out.values)?[..len].iter_mut().enumerate() {
            *o = x.value(i * step).chars().count() as i64;
        }
        Ok(())
    })
}
