//! A fixed-point number as wide as its values need: the superaccumulator behind [`super::ExactSum`].
use super::Bytes;
use num_bigint::{BigInt, BigUint, Sign};

/// Additions after which carries are propagated: 2^30 · 2^32 stays far below an `i64`'s limit.
const MOST_PENDING: u32 = 1 << 30;

/// The places that products of `f64` can reach, with room for 2^64 of them.
const PLACES: std::ops::Range<i32> = -68..70;

/// Infinities and NaN seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Specials {
    pub nan: bool,
    pub plus: bool,
    pub minus: bool,
}

/// Σ limbs[i] · 2^(32 (low + i)), with carries kept in the limbs until there may be too many
/// (Neal 2015, "Fast exact summation using small and large superaccumulators").
#[derive(Clone, Debug, Default)]
pub(super) struct Wide {
    limbs: Vec<i64>,
    low: i32,
    pending: u32,
    pub specials: Specials,
}

impl Wide {
    /// A number of these limbs, each below 2^53 in size, from this place on.
    pub fn of(low: i32, limbs: Vec<i64>) -> Wide {
        Wide { limbs, low, pending: 1 << 20, specials: Specials::default() }
    }

    /// Adds any value.
    pub fn add(&mut self, x: f64) {
        match parts(x) {
            Some((negative, m, exponent)) => self.add_part(negative, m, exponent),
            None if x.is_nan() => self.specials.nan = true,
            None if x > 0.0 => self.specials.plus = true,
            None => self.specials.minus = true,
        }
    }

    /// Adds the product of any two values: 106 bits, in two parts.
    pub fn add_product(&mut self, x: f64, y: f64) {
        match (parts(x), parts(y)) {
            (Some((a, m, e)), Some((b, n, f))) => {
                let (negative, product) = (a != b, u128::from(m) * u128::from(n));
                self.add_part(negative, product as u64, e + f);
                self.add_part(negative, (product >> 64) as u64, e + f + 64);
            }
            // With an infinity or NaN the product is one.
            _ => self.add(x * y),
        }
    }

    /// Adds ±m · 2^exponent.
    fn add_part(&mut self, negative: bool, m: u64, exponent: i32) {
        if m == 0 {
            return;
        }
        let shifted = u128::from(m) << exponent.rem_euclid(32);
        let at = self.room(exponent.div_euclid(32), 3);
        for (i, limb) in self.limbs[at..at + 3].iter_mut().enumerate() {
            let digit = (shifted >> (32 * i)) as u32 as i64;
            *limb += if negative { -digit } else { digit };
        }
        self.count();
    }

    fn count(&mut self) {
        self.pending += 1;
        if self.pending >= MOST_PENDING {
            self.carry();
        }
    }

    /// Makes room for `n` limbs from `place` on and answers where they start.
    fn room(&mut self, place: i32, n: usize) -> usize {
        if self.limbs.is_empty() {
            self.low = place;
        }
        if place < self.low {
            let more = (self.low - place) as usize;
            self.limbs.splice(0..0, std::iter::repeat_n(0, more));
            self.low = place;
        }
        let at = (place - self.low) as usize;
        if self.limbs.len() < at + n {
            self.limbs.resize(at + n, 0);
        }
        at
    }

    /// Propagates carries: then all limbs but the last are in 0..2^32, and the last in ±2^32.
    fn carry(&mut self) {
        self.pending = 0;
        let mut carry = 0i64;
        let last = self.limbs.len().saturating_sub(1);
        for (i, limb) in self.limbs.iter_mut().enumerate() {
            *limb += carry;
            carry = 0;
            if i < last || limb.unsigned_abs() >> 32 != 0 {
                carry = *limb >> 32;
                *limb &= 0xffff_ffff;
            }
        }
        if carry != 0 {
            self.limbs.push(carry);
        }
        while self.limbs.last() == Some(&0) {
            self.limbs.pop();
        }
    }

    /// Adds all that another holds.
    pub fn merge(&mut self, mut other: Wide) {
        other.carry();
        self.specials.nan |= other.specials.nan;
        self.specials.plus |= other.specials.plus;
        self.specials.minus |= other.specials.minus;
        if !other.limbs.is_empty() {
            let at = self.room(other.low, other.limbs.len());
            for (limb, more) in self.limbs[at..].iter_mut().zip(&other.limbs) {
                *limb += more;
            }
            self.count();
        }
    }

    /// The finite part as `m · 2^exponent`.
    pub fn value(mut self) -> (BigInt, i32) {
        self.carry();
        let negative = self.limbs.last().is_some_and(|top| *top < 0);
        if negative {
            self.limbs.iter_mut().for_each(|limb| *limb = -*limb);
            self.carry();
        }
        let digits = self.limbs.iter().map(|limb| *limb as u32).collect();
        let sign = if negative { Sign::Minus } else { Sign::Plus };
        (BigInt::from_biguint(sign, BigUint::new(digits)), 32 * self.low)
    }

    /// Bytes of memory that it holds.
    pub fn bytes(&self) -> usize {
        size_of::<Wide>() + self.limbs.capacity() * 8
    }

    /// Writes specials, first place, number of limbs, limbs.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut wide = self.clone();
        wide.carry();
        let Specials { nan, plus, minus } = wide.specials;
        out.push(u8::from(nan) | u8::from(plus) << 1 | u8::from(minus) << 2);
        // `PLACES` bounds both to a byte.
        out.extend([wide.low as i8 as u8, wide.limbs.len() as u8]);
        wide.limbs.iter().for_each(|limb| out.extend(limb.to_le_bytes()));
    }

    /// Reads what [`Wide::write`] wrote.
    pub fn read(bytes: &mut Bytes) -> Option<Wide> {
        let [flags, low, count] = bytes.array()?;
        let (low, count) = (i32::from(low as i8), usize::from(count));
        let end = low + count as i32;
        let specials =
            Specials { nan: flags & 1 != 0, plus: flags & 2 != 0, minus: flags & 4 != 0 };
        let limbs: Option<Vec<i64>> = (0..count).map(|_| bytes.i64()).collect();
        let limbs = limbs?;
        let small = limbs.iter().all(|limb| limb.unsigned_abs() >> 32 == 0);
        let fits = flags < 8 && PLACES.contains(&low) && end <= PLACES.end && small;
        fits.then_some(Wide { limbs, low, pending: 1, specials })
    }
}

/// Sign, significand and exponent of a finite value.
fn parts(x: f64) -> Option<(bool, u64, i32)> {
    let bits = x.to_bits();
    let (field, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
    match field {
        0x7ff => None,
        0 => Some((x.is_sign_negative(), fraction, -1074)),
        _ => Some((x.is_sign_negative(), fraction | 1 << 52, field - 1075)),
    }
}
