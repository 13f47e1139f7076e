//! Runs what was fused: all passes over one piece of the block, then over the next.
use super::fuse::{Fused, Operand};
use crate::kernels::forms::{self, Form, Kernel, MOST};
use crate::kernels::{Arg, Element, Register};
use base::{DType, Failure};

/// Values in a piece: those of some intermediate values stay in the first cache.
const PIECE: usize = 512;

/// A piece of an intermediate value, or of a single one that is repeated; in whole cache lines.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Piece<T>([T; PIECE]);

/// The place of a piece, empty while a pass writes to it.
type Slot<T> = Option<Box<Piece<T>>>;

/// The pieces of a worker.
#[derive(Debug, Default)]
pub struct Pieces {
    double: Vec<Slot<f64>>,
    single: Vec<Slot<f32>>,
}

impl Pieces {
    /// Bytes of memory in use.
    pub fn bytes(&self) -> usize {
        self.double.len() * size_of::<Piece<f64>>() + self.single.len() * size_of::<Piece<f32>>()
    }
}

/// Fills `len` values of the register, missing wherever one of the arguments is.
pub fn run(
    fused: &Fused,
    arguments: &[Arg],
    pieces: &mut Pieces,
    out: &mut Register,
    len: usize,
) -> Result<(), Failure> {
    out.reset(len);
    let values = &mut out.values;
    match fused.dtype {
        DType::Float32 => {
            let out = &mut f32::slice_mut(values)?[..len];
            fill(fused, |form| form.single, arguments, &mut pieces.single, out)?;
        }
        _ => {
            let out = &mut f64::slice_mut(values)?[..len];
            fill(fused, |form| form.double, arguments, &mut pieces.double, out)?;
        }
    }
    out.propagate(arguments, len);
    Ok(())
}

fn fill<T: Element>(
    fused: &Fused,
    kernel: impl Fn(&Form) -> &'static dyn Kernel<T>,
    arguments: &[Arg],
    pieces: &mut Vec<Slot<T>>,
    out: &mut [T],
) -> Result<(), Failure> {
    let arguments: Result<Vec<&[T]>, Failure> =
        arguments.iter().map(|a| T::slice(a.values)).collect();
    let arguments = arguments?;
    let count = fused.intermediates + arguments.len();
    while pieces.len() < count {
        pieces.push(Some(Box::new(Piece([T::default(); PIECE]))));
    }
    let (made, repeated) = pieces.split_at_mut(fused.intermediates);
    // Single values are repeated, so that all passes are over vectors.
    for (argument, piece) in arguments.iter().zip(repeated.iter_mut()) {
        if let ([one], Some(piece)) = (argument, piece) {
            forms::fill(&mut piece.0, *one);
        }
    }
    // The second piece starts with a cache line, and so do those behind it.
    let line = out.as_ptr().align_offset(align_of::<Piece<T>>()) % PIECE;
    let (mut start, mut next, len) = (0, if line == 0 { PIECE } else { line }, out.len());
    while start < len {
        let (n, out) = (next.min(len) - start, &mut out[start..next.min(len)]);
        for (i, pass) in fused.passes.iter().enumerate() {
            // Never the place of an argument.
            let mut to = made[pass.to].take();
            let mut from: [&[T]; MOST] = [&[]; MOST];
            for (from, operand) in from.iter_mut().zip(&pass.arguments) {
                *from = match *operand {
                    Operand::Made(i) => values(&made[i], n),
                    Operand::Argument(i) => match arguments[i] {
                        [_] => values(&repeated[i], n),
                        each => &each[start..start + n],
                    },
                };
            }
            let to_values = match &mut to {
                Some(piece) if i + 1 < fused.passes.len() => &mut piece.0[..n],
                _ => &mut *out,
            };
            kernel(pass.form).run(from, to_values);
            made[pass.to] = to;
        }
        (start, next) = (start + n, next + PIECE);
    }
    Ok(())
}

fn values<T>(piece: &Slot<T>, n: usize) -> &[T] {
    piece.as_ref().map_or(&[], |piece| &piece.0[..n])
}
