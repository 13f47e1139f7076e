//! Iterations of z → z² + c.
use super::map::{step, take};
use super::{Arg, Element, Kernel};
use std::sync::Arc;

/// How many steps z → z² + c take until |z| > 2; at most `limit`.
#[inline]
pub fn escape_time(mut zr: f64, mut zi: f64, cr: f64, ci: f64, limit: i32) -> i32 {
    for n in 0..limit {
        let (rr, ii) = (zr * zr, zi * zi);
        if rr + ii > 4.0 {
            return n;
        }
        (zr, zi) = (rr - ii + cr, 2.0 * zr * zi + ci);
    }
    limit.max(0)
}

/// The kernel: real and imaginary parts of z and c → number of steps.
pub fn kernel(limit: i32) -> Kernel {
    Arc::new(move |arguments: &[Arg], out, len| {
        let parts = take::<4>(arguments)?.map(|a| f64::slice(a.values));
        let [zr, zi, cr, ci] = parts;
        let (zr, zi, cr, ci) = (zr?, zi?, cr?, ci?);
        let steps = [step(zr, len), step(zi, len), step(cr, len), step(ci, len)];
        for (i, o) in i32::slice_mut(&mut out.values)?[..len].iter_mut().enumerate() {
            let [a, b, c, d] = steps.map(|s| i * s);
            *o = escape_time(zr[a], zi[b], cr[c], ci[d], limit);
        }
        Ok(())
    })
}
