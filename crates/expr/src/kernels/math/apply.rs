//! Functions of floats, with two paths: one for common arguments, branch-free, of which loops
//! make vectors; and one for rare arguments, which a second pass over the same block puts right.
//! A block without rare arguments pays a comparison for each value.
//!
//! Of NaN, which has many forms, only one comes out: which of them operations give depends on
//! how they are compiled, and results are the same bits with all instruction sets.
use crate::isa::{self, Isa, Loop};
use crate::kernels::map::{slices2, step};
use crate::kernels::{Element, Kernel, slices1};

/// float32 and float64.
pub trait Float: Element {
    /// The same value; if NaN, always with the same bits.
    fn one_nan(self) -> Self;
}

macro_rules! float {
    ($($t:ty)*) => {$(
        impl Float for $t {
            #[inline(always)]
            fn one_nan(self) -> $t {
                if self.is_nan() { <$t>::NAN } else { self }
            }
        }
    )*};
}

float! { f32 f64 }

/// A function of one float. Any `Fn(T) -> T` without rare arguments is one.
pub trait Unary<T>: Copy + Send + Sync + 'static {
    /// The value, except for rare arguments, for which anything may come out.
    /// Implementations are `#[inline(always)]`, as in [`Loop::run`].
    fn common(self, x: T) -> T;

    /// Whether an argument needs [`Unary::rare`]. Not NaN, which fields of data are full of.
    #[inline(always)]
    fn is_rare(self, _x: T) -> bool {
        false
    }

    /// The value for a rare argument.
    fn rare(self, x: T) -> T {
        self.common(x)
    }
}

impl<T, F: Fn(T) -> T + Copy + Send + Sync + 'static> Unary<T> for F {
    #[inline(always)]
    fn common(self, x: T) -> T {
        self(x)
    }
}

/// A function of two floats. Any `Fn(T, T) -> T` without rare arguments is one.
pub trait Binary<T>: Copy + Send + Sync + 'static {
    /// As [`Unary::common`].
    fn common(self, x: T, y: T) -> T;

    /// As [`Unary::is_rare`].
    #[inline(always)]
    fn is_rare(self, _x: T, _y: T) -> bool {
        false
    }

    /// As [`Unary::rare`].
    fn rare(self, x: T, y: T) -> T {
        self.common(x, y)
    }
}

impl<T, F: Fn(T, T) -> T + Copy + Send + Sync + 'static> Binary<T> for F {
    #[inline(always)]
    fn common(self, x: T, y: T) -> T {
        self(x, y)
    }
}

struct Unaries<'a, F, T>(F, &'a [T], &'a mut [T]);

impl<T: Float, F: Unary<T>> Loop for Unaries<'_, F, T> {
    /// Whether some argument is rare.
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let Unaries(f, x, out) = self;
        let mut rare = false;
        for (o, x) in out.iter_mut().zip(x) {
            *o = f.common(*x).one_nan();
            rare |= f.is_rare(*x);
        }
        rare
    }
}

struct Binaries<'a, F, T>(F, &'a [T], &'a [T], &'a mut [T]);

impl<T: Float, F: Binary<T>> Loop for Binaries<'_, F, T> {
    /// Whether some pair of arguments is rare.
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let Binaries(f, x, y, out) = self;
        let mut rare = false;
        match (x, y) {
            ([x], y) => {
                for (o, y) in out.iter_mut().zip(y) {
                    *o = f.common(*x, *y).one_nan();
                    rare |= f.is_rare(*x, *y);
                }
            }
            (x, [y]) => {
                for (o, x) in out.iter_mut().zip(x) {
                    *o = f.common(*x, *y).one_nan();
                    rare |= f.is_rare(*x, *y);
                }
            }
            (x, y) => {
                for ((o, x), y) in out.iter_mut().zip(x).zip(y) {
                    *o = f.common(*x, *y).one_nan();
                    rare |= f.is_rare(*x, *y);
                }
            }
        }
        rare
    }
}

/// The values of `f` with this instruction set, for as many arguments as `out` is long.
pub fn unary_with<T: Float>(isa: Isa, f: impl Unary<T>, x: &[T], out: &mut [T]) {
    if isa::run_with(isa, Unaries(f, x, out)) {
        put_right(out, |i| f.is_rare(x[i]).then(|| f.rare(x[i])));
    }
}

/// The same for pairs of arguments, of which either may be single.
pub fn binary_with<T: Float>(isa: Isa, f: impl Binary<T>, x: &[T], y: &[T], out: &mut [T]) {
    let (sx, sy) = (step(x, out.len()), step(y, out.len()));
    if isa::run_with(isa, Binaries(f, x, y, out)) {
        let pair = |i: usize| (x[i * sx], y[i * sy]);
        put_right(out, |i| {
            let (x, y) = pair(i);
            f.is_rare(x, y).then(|| f.rare(x, y))
        });
    }
}

#[cold]
#[inline(never)]
fn put_right<T: Float>(out: &mut [T], rare: impl Fn(usize) -> Option<T>) {
    for (i, o) in out.iter_mut().enumerate() {
        if let Some(value) = rare(i) {
            *o = value.one_nan();
        }
    }
}

/// The kernel of a function of one float.
pub fn unary<T: Float>(f: impl Unary<T>) -> Kernel {
    slices1(move |x: &[T], out| {
        let (values, rest) = out.split_at_mut(x.len().min(out.len()));
        unary_with(Isa::chosen(), f, x, values);
        repeat(values, rest);
    })
}

/// The kernel of a function of two floats.
pub fn binary<T: Float>(f: impl Binary<T>) -> Kernel {
    slices2(move |x: &[T], y: &[T], out| {
        let (values, rest) = out.split_at_mut(x.len().max(y.len()).min(out.len()));
        binary_with(Isa::chosen(), f, x, y, values);
        repeat(values, rest);
    })
}

/// One value stands for all.
fn repeat<T: Float>(values: &[T], rest: &mut [T]) {
    if let [value] = values {
        rest.fill(*value);
    }
}
