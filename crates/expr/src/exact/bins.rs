//! Sums of values of similar size in two bins per lane: rounding to multiples of fixed powers of
//! two, of which the sums are exact (Demmel and Nguyen 2013, "Fast reproducible floating-point
//! summation").
use super::lanes::{CHUNK, GROUP, LANES, Summand, nothing};

/// Bits that the sum of one lane of a chunk may have more than a value: 2^8 values, and one.
const GROWTH: u32 = (CHUNK / LANES).ilog2() + 2;
/// Values of at least 2^(`LARGEST` - 1022) are left over.
const LARGEST: u32 = 2030;

/// Bits of the lower part of a total.
const PART: u64 = 30;

/// The sums of a chunk. The first bin starts as 1.5 · 2^k and stays between 2^k and 2^(k + 1),
/// so that adding a value rounds it to a multiple of the same power of two; what rounding takes
/// away goes to the second, which does the same further down.
#[derive(Clone, Copy)]
pub(super) struct Bins {
    first: [f64; LANES],
    second: [f64; LANES],
    start: [f64; 2],
    usable: bool,
}

impl Bins {
    /// Empty bins that fit these values, at most [`CHUNK`].
    #[inline(always)]
    pub fn of<T: Summand>(chunk: &[T]) -> Bins {
        let mut largest = [0.0; LANES];
        let (groups, rest) = chunk.as_chunks::<LANES>();
        for group in groups {
            for l in 0..LANES {
                let x = group[l].f64().abs();
                // Not NaN, which is left over whatever the bins are.
                largest[l] = if x > largest[l] { x } else { largest[l] };
            }
        }
        for x in rest {
            let x = x.f64().abs();
            largest[0] = if x > largest[0] { x } else { largest[0] };
        }
        let mut most = 0.0;
        for x in largest {
            most = if x > most { x } else { most };
        }
        // Small ones are taken for larger, so that both starts are normal numbers.
        let field = ((most.to_bits() >> 52) as u32).max(100);
        let usable = field < LARGEST;
        let first = field.min(LARGEST) + 1 + GROWTH;
        let second = first - 53 + GROWTH;
        let start = [first, second].map(|field| f64::from_bits(u64::from(field) << 52 | 1 << 51));
        Bins { first: [start[0]; LANES], second: [start[1]; LANES], start, usable }
    }

    /// Adds a group of the chunk, or changes nothing and says so if something is left over.
    #[inline(always)]
    pub fn add<T: Summand>(&mut self, group: &[T; GROUP]) -> bool {
        let Bins { mut first, mut second, .. } = *self;
        let mut left = [0; LANES];
        for chunk in group.as_chunks::<LANES>().0 {
            for l in 0..LANES {
                let x = chunk[l].f64();
                let sum = first[l] + x;
                let rest = x - (sum - first[l]);
                first[l] = sum;
                let sum = second[l] + rest;
                let rest = rest - (sum - second[l]);
                second[l] = sum;
                left[l] |= rest.to_bits();
            }
        }
        let fits = self.usable && nothing(&left);
        if fits {
            (self.first, self.second) = (first, second);
        }
        fits
    }

    /// Values whose sum is that of all that was added.
    #[inline(always)]
    pub fn sums(self) -> [f64; 4] {
        let [a, b] = total(&self.first, self.start[0]);
        let [c, d] = total(&self.second, self.start[1]);
        [a, b, c, d]
    }
}

/// The sum of what a bin has in all lanes, in two parts. Between two powers of two the bits of a
/// number count units in its last place, so that integers add them up: 2^52 from each lane.
#[inline(always)]
fn total(bin: &[f64; LANES], start: f64) -> [f64; 2] {
    let start = start.to_bits();
    let mut units = 0;
    for x in bin {
        units += x.to_bits().wrapping_sub(start) as i64;
    }
    let unit = |shift| f64::from_bits(((start >> 52) - 52 + shift) << 52);
    [(units >> PART) as f64 * unit(PART), (units & ((1 << PART) - 1)) as f64 * unit(0)]
}
