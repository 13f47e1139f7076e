//! Pairs of functions of one argument that cost together little more than one of them.
use super::math::apply::Float;
use super::math::sine::{is_rare, sin_cos, sin_cos_rare, sin_cos32};
use super::{Arg, Register};
use crate::Values;
use crate::isa::{self, Loop};
use base::Failure;

/// Two functions, and the kernel that fills a register for each.
#[derive(Debug)]
pub struct Twins {
    /// Their names.
    pub names: [&'static str; 2],
    /// Their values, in this order.
    pub kernel: fn(&Arg, [&mut Register; 2], usize) -> Result<(), Failure>,
}

impl Twins {
    /// Fills both registers, and sets which values are missing.
    ///
    /// # Errors
    /// If the values are not floats: a mistake of the compiler of programs.
    pub fn run(&self, x: &Arg, [a, b]: [&mut Register; 2], len: usize) -> Result<(), Failure> {
        a.reset(len);
        b.reset(len);
        (self.kernel)(x, [&mut *a, &mut *b], len)?;
        a.propagate(&[*x], len);
        b.propagate(&[*x], len);
        Ok(())
    }
}

/// All pairs.
pub static TWINS: &[Twins] = &[Twins { names: ["sin", "cos"], kernel: sine_and_cosine }];

fn sine_and_cosine(x: &Arg, out: [&mut Register; 2], len: usize) -> Result<(), Failure> {
    match x.values {
        Values::Float32(_) => fill(SinCos32, x, out, len),
        _ => fill(SinCos, x, out, len),
    }
}

/// Two functions at once; as [`super::math::apply::Unary`].
trait Both<T>: Copy {
    fn common(self, x: T) -> (T, T);
    fn is_rare(self, x: T) -> bool;
    fn rare(self, x: T) -> (T, T);
}

#[derive(Clone, Copy)]
struct SinCos;

impl Both<f64> for SinCos {
    #[inline(always)]
    fn common(self, x: f64) -> (f64, f64) {
        sin_cos(x)
    }

    #[inline(always)]
    fn is_rare(self, x: f64) -> bool {
        is_rare(x)
    }

    fn rare(self, x: f64) -> (f64, f64) {
        sin_cos_rare(x)
    }
}

#[derive(Clone, Copy)]
struct SinCos32;

impl Both<f32> for SinCos32 {
    #[inline(always)]
    fn common(self, x: f32) -> (f32, f32) {
        sin_cos32(x)
    }

    #[inline(always)]
    fn is_rare(self, x: f32) -> bool {
        is_rare(f64::from(x))
    }

    fn rare(self, x: f32) -> (f32, f32) {
        let (sine, cosine) = sin_cos_rare(f64::from(x));
        (sine as f32, cosine as f32)
    }
}

/// Fills both registers.
fn fill<T: Float>(
    f: impl Both<T>,
    x: &Arg,
    [a, b]: [&mut Register; 2],
    len: usize,
) -> Result<(), Failure> {
    let x = T::slice(x.values)?;
    let a = &mut T::slice_mut(&mut a.values)?[..len];
    let b = &mut T::slice_mut(&mut b.values)?[..len];
    let count = x.len().min(len);
    if isa::run(Fill(f, x, &mut a[..count], &mut b[..count])) {
        put_right(f, x, &mut a[..count], &mut b[..count]);
    }
    // One value stands for all.
    if let ([_], [first, ..], [second, ..]) = (x, &*a, &*b) {
        let (first, second) = (*first, *second);
        a.fill(first);
        b.fill(second);
    }
    Ok(())
}

struct Fill<'a, F, T>(F, &'a [T], &'a mut [T], &'a mut [T]);

impl<T: Float, F: Both<T>> Loop for Fill<'_, F, T> {
    /// Whether some argument is rare.
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let Fill(f, x, a, b) = self;
        let mut rare = false;
        for ((x, a), b) in x.iter().zip(a).zip(b) {
            let (first, second) = f.common(*x);
            (*a, *b) = (first.one_nan(), second.one_nan());
            rare |= f.is_rare(*x);
        }
        rare
    }
}

#[cold]
#[inline(never)]
fn put_right<T: Float>(f: impl Both<T>, x: &[T], a: &mut [T], b: &mut [T]) {
    for ((x, a), b) in x.iter().zip(a).zip(b).filter(|((x, _), _)| f.is_rare(**x)) {
        let (first, second) = f.rare(*x);
        (*a, *b) = (first.one_nan(), second.one_nan());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::isa::Isa;
    use crate::kernels::Element;
    use crate::kernels::math::apply::unary_with;
    use crate::kernels::math::sine::{Cos, Sin};
    use base::DType;

    #[test]
    fn agree_with_one_at_a_time() {
        let mut x: Vec<f64> = (-500..500).map(|i| f64::from(i) * 0.37).collect();
        x.extend([0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -5e-324, 1e12]);
        x.extend((0..400).map(|i| 1.5f64.powi(i) * if i % 2 == 0 { 1.0 } else { -1.0 }));
        let singles: Vec<f32> = x.iter().map(|x| *x as f32).collect();
        let (n, isa) = (x.len(), Isa::chosen());
        let mut expected = [vec![0.0; n], vec![0.0; n]];
        unary_with(isa, Sin, &x, &mut expected[0]);
        unary_with(isa, Cos, &x, &mut expected[1]);
        let mut expected32 = [vec![0.0f32; n], vec![0.0f32; n]];
        unary_with(isa, Sin, &singles, &mut expected32[0]);
        unary_with(isa, Cos, &singles, &mut expected32[1]);
        let [mut a, mut b] = [Register::new(DType::Float64), Register::new(DType::Float64)];
        let arg = Arg { values: Values::Float64(&x), validity: None };
        TWINS[0].run(&arg, [&mut a, &mut b], n).unwrap();
        for (register, expected) in [a, b].iter().zip(&expected) {
            let found = f64::slice(register.values.values()).unwrap();
            assert!(found.iter().zip(expected).all(|(f, e)| f.to_bits() == e.to_bits()));
        }
        let [mut a, mut b] = [Register::new(DType::Float32), Register::new(DType::Float32)];
        let arg = Arg { values: Values::Float32(&singles), validity: None };
        TWINS[0].run(&arg, [&mut a, &mut b], n).unwrap();
        for (register, expected) in [a, b].iter().zip(&expected32) {
            let found = f32::slice(register.values.values()).unwrap();
            assert!(found.iter().zip(expected).all(|(f, e)| f.to_bits() == e.to_bits()));
        }
    }
}
