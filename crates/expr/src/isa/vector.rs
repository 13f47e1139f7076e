//! [`Vector`]: eight numbers side by side, for kernels whose loops the compiler does not make
//! vectors of by itself, or not always: those that carry several sums from one turn to the next.

/// The numbers of a vector.
pub const WIDTH: usize = 8;

/// Eight `f64`, each operation of which is done on all and rounded as IEEE 754 says.
///
/// A value of a type exists only where the processor has its instructions: in what
/// [`run_vectors`](super::run_vectors) runs.
pub trait Vector: Copy {
    /// Whether the hardware has a fused multiply-add.
    const FUSED: bool;

    /// The bits of the numbers, or other integers.
    type Bits: Bits<Floats = Self>;

    /// The same number eight times.
    fn splat(x: f64) -> Self;

    /// These numbers.
    fn load(from: &[f64; WIDTH]) -> Self;

    /// These numbers.
    fn load_singles(from: &[f32; WIDTH]) -> Self;

    /// Writes the numbers.
    fn store(self, to: &mut [f64; WIDTH]);

    /// `self + other`
    fn add(self, other: Self) -> Self;

    /// `self - other`
    fn sub(self, other: Self) -> Self;

    /// `self * other`
    fn mul(self, other: Self) -> Self;

    /// `self * other - third`, rounded once: slow if not [`Vector::FUSED`].
    fn mul_sub(self, other: Self, third: Self) -> Self;

    /// `self` where it is larger than the other, else, and where it is NaN, the other.
    fn larger(self, other: Self) -> Self;

    /// The bits.
    fn bits(self) -> Self::Bits;
}

/// Eight `u64`.
pub trait Bits: Copy {
    /// The numbers that these may be the bits of.
    type Floats;

    /// The same integer eight times.
    fn splat(x: u64) -> Self;

    /// Writes the integers.
    fn store(self, to: &mut [u64; WIDTH]);

    /// The numbers with these bits.
    fn floats(self) -> Self::Floats;

    /// `self & other`
    fn and(self, other: Self) -> Self;

    /// `self | other`
    fn or(self, other: Self) -> Self;

    /// `self - other`, without carry.
    fn sub(self, other: Self) -> Self;

    /// All bits where `self & other` has none, else none.
    fn disjoint(self, other: Self) -> Self;
}

/// A vector for any processor.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub struct Portable<const FUSED: bool>([f64; WIDTH]);

/// Its bits.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub struct PortableBits<const FUSED: bool>([u64; WIDTH]);

/// What a function makes of the elements of two arrays.
#[inline(always)]
fn zip<T: Copy, R>(a: [T; WIDTH], b: [T; WIDTH], f: impl Fn(T, T) -> R) -> [R; WIDTH] {
    std::array::from_fn(|l| f(a[l], b[l]))
}

impl<const FUSED: bool> Vector for Portable<FUSED> {
    const FUSED: bool = FUSED;

    type Bits = PortableBits<FUSED>;

    #[inline(always)]
    fn splat(x: f64) -> Self {
        Portable([x; WIDTH])
    }

    #[inline(always)]
    fn load(from: &[f64; WIDTH]) -> Self {
        Portable(*from)
    }

    #[inline(always)]
    fn load_singles(from: &[f32; WIDTH]) -> Self {
        Portable(from.map(f64::from))
    }

    #[inline(always)]
    fn store(self, to: &mut [f64; WIDTH]) {
        *to = self.0;
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Portable(zip(self.0, other.0, |a, b| a + b))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Portable(zip(self.0, other.0, |a, b| a - b))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Portable(zip(self.0, other.0, |a, b| a * b))
    }

    #[inline(always)]
    fn mul_sub(self, other: Self, third: Self) -> Self {
        Portable(std::array::from_fn(|l| self.0[l].mul_add(other.0[l], -third.0[l])))
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        Portable(zip(self.0, other.0, |a, b| if a > b { a } else { b }))
    }

    #[inline(always)]
    fn bits(self) -> PortableBits<FUSED> {
        PortableBits(self.0.map(f64::to_bits))
    }
}

impl<const FUSED: bool> Bits for PortableBits<FUSED> {
    type Floats = Portable<FUSED>;

    #[inline(always)]
    fn splat(x: u64) -> Self {
        PortableBits([x; WIDTH])
    }

    #[inline(always)]
    fn store(self, to: &mut [u64; WIDTH]) {
        *to = self.0;
    }

    #[inline(always)]
    fn floats(self) -> Portable<FUSED> {
        Portable(self.0.map(f64::from_bits))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        PortableBits(zip(self.0, other.0, |a, b| a & b))
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        PortableBits(zip(self.0, other.0, |a, b| a | b))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        PortableBits(zip(self.0, other.0, u64::wrapping_sub))
    }

    #[inline(always)]
    fn disjoint(self, other: Self) -> Self {
        PortableBits(zip(self.0, other.0, |a, b| if a & b == 0 { u64::MAX } else { 0 }))
    }
}
