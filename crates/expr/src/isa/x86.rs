//! Vectors of x86-64: one register of AVX-512, or two of AVX2.
use super::vector::{Bits, Vector, WIDTH};
use std::arch::x86_64::*;

/// A vector of 512 bits.
#[derive(Clone, Copy)]
pub struct Wide(__m512d);

/// Its bits.
#[derive(Clone, Copy)]
pub struct WideBits(__m512i);

/// Two vectors of 256 bits.
#[derive(Clone, Copy)]
pub struct Pair(__m256d, __m256d);

/// Their bits.
#[derive(Clone, Copy)]
pub struct PairBits(__m256i, __m256i);

/// Instructions of the sets of the vector that they are used for.
macro_rules! on {
    ($body:expr) => {
        // SAFETY: there are vectors only in what `run_vectors` runs, which has seen that the
        // processor has their instruction set; what is read or written is an array of their size.
        unsafe { $body }
    };
}

impl Vector for Wide {
    const FUSED: bool = true;

    type Bits = WideBits;

    #[inline(always)]
    fn splat(x: f64) -> Self {
        on!(Wide(_mm512_set1_pd(x)))
    }

    #[inline(always)]
    fn load(from: &[f64; WIDTH]) -> Self {
        on!(Wide(_mm512_loadu_pd(from.as_ptr())))
    }

    #[inline(always)]
    fn load_singles(from: &[f32; WIDTH]) -> Self {
        on!(Wide(_mm512_cvtps_pd(_mm256_loadu_ps(from.as_ptr()))))
    }

    #[inline(always)]
    fn store(self, to: &mut [f64; WIDTH]) {
        on!(_mm512_storeu_pd(to.as_mut_ptr(), self.0));
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        on!(Wide(_mm512_add_pd(self.0, other.0)))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        on!(Wide(_mm512_sub_pd(self.0, other.0)))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        on!(Wide(_mm512_mul_pd(self.0, other.0)))
    }

    #[inline(always)]
    fn mul_sub(self, other: Self, third: Self) -> Self {
        on!(Wide(_mm512_fmsub_pd(self.0, other.0, third.0)))
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        on!(Wide(_mm512_max_pd(self.0, other.0)))
    }

    #[inline(always)]
    fn bits(self) -> WideBits {
        on!(WideBits(_mm512_castpd_si512(self.0)))
    }
}

impl Bits for WideBits {
    type Floats = Wide;

    #[inline(always)]
    fn splat(x: u64) -> Self {
        on!(WideBits(_mm512_set1_epi64(x as i64)))
    }

    #[inline(always)]
    fn store(self, to: &mut [u64; WIDTH]) {
        on!(_mm512_storeu_si512(to.as_mut_ptr().cast(), self.0));
    }

    #[inline(always)]
    fn floats(self) -> Wide {
        on!(Wide(_mm512_castsi512_pd(self.0)))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        on!(WideBits(_mm512_and_si512(self.0, other.0)))
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        on!(WideBits(_mm512_or_si512(self.0, other.0)))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        on!(WideBits(_mm512_sub_epi64(self.0, other.0)))
    }

    #[inline(always)]
    fn disjoint(self, other: Self) -> Self {
        on!(WideBits(_mm512_movm_epi64(_mm512_testn_epi64_mask(self.0, other.0))))
    }
}

impl Vector for Pair {
    const FUSED: bool = true;

    type Bits = PairBits;

    #[inline(always)]
    fn splat(x: f64) -> Self {
        on!(Pair(_mm256_set1_pd(x), _mm256_set1_pd(x)))
    }

    #[inline(always)]
    fn load(from: &[f64; WIDTH]) -> Self {
        let from = from.as_ptr();
        on!(Pair(_mm256_loadu_pd(from), _mm256_loadu_pd(from.add(4))))
    }

    #[inline(always)]
    fn load_singles(from: &[f32; WIDTH]) -> Self {
        let from = from.as_ptr();
        on!(Pair(_mm256_cvtps_pd(_mm_loadu_ps(from)), _mm256_cvtps_pd(_mm_loadu_ps(from.add(4)))))
    }

    #[inline(always)]
    fn store(self, to: &mut [f64; WIDTH]) {
        let to = to.as_mut_ptr();
        on!({
            _mm256_storeu_pd(to, self.0);
            _mm256_storeu_pd(to.add(4), self.1);
        });
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        on!(Pair(_mm256_add_pd(self.0, other.0), _mm256_add_pd(self.1, other.1)))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        on!(Pair(_mm256_sub_pd(self.0, other.0), _mm256_sub_pd(self.1, other.1)))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        on!(Pair(_mm256_mul_pd(self.0, other.0), _mm256_mul_pd(self.1, other.1)))
    }

    #[inline(always)]
    fn mul_sub(self, other: Self, third: Self) -> Self {
        on!(Pair(
            _mm256_fmsub_pd(self.0, other.0, third.0),
            _mm256_fmsub_pd(self.1, other.1, third.1)
        ))
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        on!(Pair(_mm256_max_pd(self.0, other.0), _mm256_max_pd(self.1, other.1)))
    }

    #[inline(always)]
    fn bits(self) -> PairBits {
        on!(PairBits(_mm256_castpd_si256(self.0), _mm256_castpd_si256(self.1)))
    }
}

impl Bits for PairBits {
    type Floats = Pair;

    #[inline(always)]
    fn splat(x: u64) -> Self {
        on!(PairBits(_mm256_set1_epi64x(x as i64), _mm256_set1_epi64x(x as i64)))
    }

    #[inline(always)]
    fn store(self, to: &mut [u64; WIDTH]) {
        let to: *mut __m256i = to.as_mut_ptr().cast();
        on!({
            _mm256_storeu_si256(to, self.0);
            _mm256_storeu_si256(to.add(1), self.1);
        });
    }

    #[inline(always)]
    fn floats(self) -> Pair {
        on!(Pair(_mm256_castsi256_pd(self.0), _mm256_castsi256_pd(self.1)))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        on!(PairBits(_mm256_and_si256(self.0, other.0), _mm256_and_si256(self.1, other.1)))
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        on!(PairBits(_mm256_or_si256(self.0, other.0), _mm256_or_si256(self.1, other.1)))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        on!(PairBits(_mm256_sub_epi64(self.0, other.0), _mm256_sub_epi64(self.1, other.1)))
    }

    #[inline(always)]
    fn disjoint(self, other: Self) -> Self {
        let PairBits(a, b) = self.and(other);
        on!(PairBits(
            _mm256_cmpeq_epi64(a, _mm256_setzero_si256()),
            _mm256_cmpeq_epi64(b, _mm256_setzero_si256())
        ))
    }
}
