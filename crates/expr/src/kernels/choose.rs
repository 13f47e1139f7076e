//! Kernels that choose between values: `where`, `coalesce`, `isnull`.
use super::compare::{string_step, strings};
use super::map::{step, take};
use super::{Arg, Buffer, Element, Kernel, Register, map3, validity_at};
use std::sync::Arc;

/// `where(condition, x, y)`; missing where the condition or the chosen value is.
pub fn choose<T: Element>() -> Kernel {
    let plain = map3(|c: bool, x: T, y: T| if c { x } else { y });
    Arc::new(move |arguments: &[Arg], out, len| {
        plain(arguments, out, len)?;
        choose_validity(arguments, out, len)
    })
}

/// `where` for strings.
pub fn choose_strings() -> Kernel {
    Arc::new(|arguments: &[Arg], out, len| {
        let [c, a, b] = take(arguments)?;
        let (c, x, y) = (bool::slice(c.values)?, strings(&a)?, strings(&b)?);
        let (sc, sx, sy) = (step(c, len), string_step(x, len), string_step(y, len));
        let pick = |i: usize| if c[i * sc] { x.value(i * sx) } else { y.value(i * sy) };
        out.values = Buffer::String((0..len).map(|i| Some(pick(i))).collect());
        choose_validity(arguments, out, len)
    })
}

fn choose_validity(arguments: &[Arg], out: &mut Register, len: usize) -> Result<(), base::Failure> {
    let [c, a, b] = take(arguments)?;
    if arguments.iter().all(|a| a.validity.is_none()) {
        out.nullable = false;
        return Ok(());
    }
    let condition = bool::slice(c.values)?;
    let sc = step(condition, len);
    for (i, valid) in out.validity_mut(len).iter_mut().enumerate() {
        let chosen = if condition[i * sc] { &a } else { &b };
        *valid = validity_at(&c, i) && validity_at(chosen, i);
    }
    Ok(())
}

/// `coalesce(x, y)`: y where x is missing.
pub fn coalesce<T: Element>() -> Kernel {
    Arc::new(|arguments: &[Arg], out, len| {
        let [a, b] = take(arguments)?;
        let (x, y) = (T::slice(a.values)?, T::slice(b.values)?);
        let (sx, sy) = (step(x, len), step(y, len));
        for (i, o) in T::slice_mut(&mut out.values)?[..len].iter_mut().enumerate() {
            *o = if validity_at(&a, i) { x[i * sx] } else { y[i * sy] };
        }
        coalesce_validity(&a, &b, out, len);
        Ok(())
    })
}

/// `coalesce` for strings.
pub fn coalesce_strings() -> Kernel {
    Arc::new(|arguments: &[Arg], out, len| {
        let [a, b] = take(arguments)?;
        let (x, y) = (strings(&a)?, strings(&b)?);
        let (sx, sy) = (string_step(x, len), string_step(y, len));
        let pick = |i| if validity_at(&a, i) { x.value(i * sx) } else { y.value(i * sy) };
        out.values = Buffer::String((0..len).map(|i| Some(pick(i))).collect());
        coalesce_validity(&a, &b, out, len);
        Ok(())
    })
}

fn coalesce_validity(a: &Arg, b: &Arg, out: &mut Register, len: usize) {
    if a.validity.is_none() || b.validity.is_none() {
        out.nullable = false;
        return;
    }
    for (i, valid) in out.validity_mut(len).iter_mut().enumerate() {
        *valid = validity_at(a, i) || validity_at(b, i);
    }
}

/// Whether the value is missing.
pub fn is_null() -> Kernel {
    Arc::new(|arguments: &[Arg], out, len| {
        let [a] = take(arguments)?;
        for (i, o) in bool::slice_mut(&mut out.values)?[..len].iter_mut().enumerate() {
            *o = !validity_at(&a, i);
        }
        out.nullable = false;
        Ok(())
    })
}
