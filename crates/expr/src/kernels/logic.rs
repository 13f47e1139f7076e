//! Kleene's logic: `False and missing` is False, `True or missing` is True.
use super::map::{step, take};
use super::{Arg, Element, Kernel, map2, validity_at};
use std::sync::Arc;

/// `and`: false wins over missing.
pub fn and() -> Kernel {
    kleene(false, map2(|x: bool, y: bool| x & y))
}

/// `or`: true wins over missing.
pub fn or() -> Kernel {
    kleene(true, map2(|x: bool, y: bool| x | y))
}

/// The value `winner` of one side decides, even if the other is missing.
fn kleene(winner: bool, plain: Kernel) -> Kernel {
    Arc::new(move |arguments: &[Arg], out, len| {
        let [a, b] = take(arguments)?;
        plain(arguments, out, len)?;
        if a.validity.is_none() && b.validity.is_none() {
            out.nullable = false;
            return Ok(());
        }
        let (x, y) = (bool::slice(a.values)?, bool::slice(b.values)?);
        let (sx, sy) = (step(x, len), step(y, len));
        out.validity_mut(len);
        let values = bool::slice_mut(&mut out.values)?;
        for i in 0..len {
            let (vx, vy) = (validity_at(&a, i), validity_at(&b, i));
            let decided = vx && x[i * sx] == winner || vy && y[i * sy] == winner;
            out.validity[i] = decided || vx && vy;
            if decided {
                values[i] = winner;
            }
        }
        Ok(())
    })
}
