//! Kernels from a function of one value, for one to three arguments. Plain loops over slices,
//! one for each way in which arguments are single, so that they are vectorised.
use super::{Arg, Element, Kernel};
use base::Failure;
use std::sync::Arc;

/// Applies `f` to each value.
pub fn map1<A: Element, R: Element>(f: impl Fn(A) -> R + Send + Sync + 'static) -> Kernel {
    slices1(move |a: &[A], out: &mut [R]| match a {
        [a] => out.fill(f(*a)),
        a => out.iter_mut().zip(a).for_each(|(o, a)| *o = f(*a)),
    })
}

/// Hands a block of one argument to `f`: as many values as the result, or one.
pub fn slices1<A: Element, R: Element>(
    f: impl Fn(&[A], &mut [R]) + Send + Sync + 'static,
) -> Kernel {
    Arc::new(move |arguments: &[Arg], out, len| {
        let [a] = take(arguments)?;
        f(A::slice(a.values)?, &mut R::slice_mut(&mut out.values)?[..len]);
        Ok(())
    })
}

/// Applies `f` to each pair of values.
pub fn map2<A: Element, B: Element, R: Element>(
    f: impl Fn(A, B) -> R + Send + Sync + 'static,
) -> Kernel {
    Arc::new(move |arguments: &[Arg], out, len| {
        let [a, b] = take(arguments)?;
        let out = &mut R::slice_mut(&mut out.values)?[..len];
        match (A::slice(a.values)?, B::slice(b.values)?) {
            ([a], [b]) => out.fill(f(*a, *b)),
            ([a], b) => out.iter_mut().zip(b).for_each(|(o, b)| *o = f(*a, *b)),
            (a, [b]) => out.iter_mut().zip(a).for_each(|(o, a)| *o = f(*a, *b)),
            (a, b) => out.iter_mut().zip(a).zip(b).for_each(|((o, a), b)| *o = f(*a, *b)),
        }
        Ok(())
    })
}

/// Applies `f` to each triple of values.
pub fn map3<A: Element, B: Element, C: Element, R: Element>(
    f: impl Fn(A, B, C) -> R + Send + Sync + 'static,
) -> Kernel {
    Arc::new(move |arguments: &[Arg], out, len| {
        let [a, b, c] = take(arguments)?;
        let out = &mut R::slice_mut(&mut out.values)?[..len];
        match (A::slice(a.values)?, B::slice(b.values)?, C::slice(c.values)?) {
            (a, [b], [c]) if a.len() == len => {
                out.iter_mut().zip(a).for_each(|(o, a)| *o = f(*a, *b, *c));
            }
            (a, b, c) if a.len() == len && b.len() == len && c.len() == len => {
                let inputs = a.iter().zip(b).zip(c);
                out.iter_mut().zip(inputs).for_each(|(o, ((a, b), c))| *o = f(*a, *b, *c));
            }
            (a, b, c) => {
                let (sa, sb, sc) = (step(a, len), step(b, len), step(c, len));
                for (i, o) in out.iter_mut().enumerate() {
                    *o = f(a[i * sa], b[i * sb], c[i * sc]);
                }
            }
        }
        Ok(())
    })
}

/// How far to move in an argument from row to row.
pub fn step<T>(values: &[T], len: usize) -> usize {
    usize::from(values.len() == len)
}

/// Whether row `i` of an argument is there.
pub fn validity_at(argument: &Arg, i: usize) -> bool {
    match argument.validity {
        None => true,
        Some([one]) => *one,
        Some(each) => each[i],
    }
}

/// Exactly `N` arguments.
pub fn take<'a, const N: usize>(arguments: &[Arg<'a>]) -> Result<[Arg<'a>; N], Failure> {
    arguments.try_into().map_err(|_| {
        Failure::internal(format!("a kernel of {N} arguments was given {}", arguments.len()))
    })
}
