//! Kernels from a function of one value, for one to three arguments. Plain loops over slices,
//! one for each way in which arguments are single, compiled for each instruction set. The
//! function must be `#[inline(always)]` (or a closure) to be part of the vectorised loop.
use super::{Arg, Element, Kernel};
use crate::isa::{self, Loop};
use base::Failure;
use std::sync::Arc;

/// A loop over one argument.
struct Map1<'a, F, A, R>(&'a F, &'a [A], &'a mut [R]);

impl<A: Element, R: Element, F: Fn(A) -> R> Loop for Map1<'_, F, A, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Map1(f, a, out) = self;
        for (o, a) in out.iter_mut().zip(a) {
            *o = f(*a);
        }
    }
}

/// A loop over two arguments, of which either may be single.
struct Map2<'a, F, A, B, R>(&'a F, &'a [A], &'a [B], &'a mut [R]);

impl<A: Element, B: Element, R: Element, F: Fn(A, B) -> R> Loop for Map2<'_, F, A, B, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Map2(f, a, b, out) = self;
        match (a, b) {
            (a, b) if a.len() == b.len() => {
                for ((o, a), b) in out.iter_mut().zip(a).zip(b) {
                    *o = f(*a, *b);
                }
            }
            ([a], b) => {
                for (o, b) in out.iter_mut().zip(b) {
                    *o = f(*a, *b);
                }
            }
            (a, [b]) => {
                for (o, a) in out.iter_mut().zip(a) {
                    *o = f(*a, *b);
                }
            }
            // Arguments have as many values as the block, or one.
            _ => {}
        }
    }
}

/// A loop over three arguments, of which any may be single.
struct Map3<'a, F, A, B, C, R>(&'a F, &'a [A], &'a [B], &'a [C], &'a mut [R]);

impl<A, B, C, R, F> Loop for Map3<'_, F, A, B, C, R>
where
    A: Element,
    B: Element,
    C: Element,
    R: Element,
    F: Fn(A, B, C) -> R,
{
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Map3(f, a, b, c, out) = self;
        /// For each value of the lists.
        macro_rules! each {
            ($a:ident => $value:expr) => {
                for (o, $a) in out.iter_mut().zip($a) {
                    *o = $value;
                }
            };
            ($a:ident, $b:ident => $value:expr) => {
                for ((o, $a), $b) in out.iter_mut().zip($a).zip($b) {
                    *o = $value;
                }
            };
            ($a:ident, $b:ident, $c:ident => $value:expr) => {
                for (((o, $a), $b), $c) in out.iter_mut().zip($a).zip($b).zip($c) {
                    *o = $value;
                }
            };
        }
        match (a, b, c) {
            ([a], [b], [c]) => out.iter_mut().for_each(|o| *o = f(*a, *b, *c)),
            (a, [b], [c]) => each!(a => f(*a, *b, *c)),
            ([a], b, [c]) => each!(b => f(*a, *b, *c)),
            ([a], [b], c) => each!(c => f(*a, *b, *c)),
            (a, b, [c]) => each!(a, b => f(*a, *b, *c)),
            (a, [b], c) => each!(a, c => f(*a, *b, *c)),
            ([a], b, c) => each!(b, c => f(*a, *b, *c)),
            (a, b, c) => each!(a, b, c => f(*a, *b, *c)),
        }
    }
}

/// Applies `f` to each value.
pub fn map1<A: Element, R: Element>(f: impl Fn(A) -> R + Send + Sync + 'static) -> Kernel {
    slices1(move |a: &[A], out: &mut [R]| match a {
        [a] => out.fill(f(*a)),
        a => isa::run(Map1(&f, a, out)),
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

/// Hands blocks of two arguments to `f`, each with as many values as the result, or one.
pub fn slices2<A: Element, B: Element, R: Element>(
    f: impl Fn(&[A], &[B], &mut [R]) + Send + Sync + 'static,
) -> Kernel {
    Arc::new(move |arguments: &[Arg], out, len| {
        let [a, b] = take(arguments)?;
        f(A::slice(a.values)?, B::slice(b.values)?, &mut R::slice_mut(&mut out.values)?[..len]);
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
            (a, b) => isa::run(Map2(&f, a, b, out)),
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
        isa::run(Map3(&f, A::slice(a.values)?, B::slice(b.values)?, C::slice(c.values)?, out));
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
