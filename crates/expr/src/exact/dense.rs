//! A fixed-point number over the whole range of `f64`, for values that few terms cannot hold.
use super::ExactSum;
use super::lanes::Summand;
use super::wide::Wide;

/// Limbs of 32 bits: 2098 bits of a sum, its sign, and room for carries.
const LIMBS: usize = 68;
/// The place of the first limb in a [`Wide`], in limbs.
const LOW: i32 = -34;
/// Values after which carries are propagated: a value adds less than 2^53 to a limb.
const MOST_PENDING: u32 = 1 << 9;

/// Σ limbs[i] · 2^(32 (i + LOW)), as in Neal 2015.
pub(super) struct Dense {
    limbs: [i64; LIMBS],
    pending: u32,
    /// Infinities and NaN, to be told to the sum.
    specials: Vec<f64>,
}

impl Default for Dense {
    fn default() -> Dense {
        Dense { limbs: [0; LIMBS], pending: 0, specials: Vec::new() }
    }
}

impl Dense {
    /// Adds values.
    #[inline(always)]
    pub fn add_all<T: Summand>(&mut self, values: &[T]) {
        for values in values.chunks(MOST_PENDING as usize) {
            if self.pending + values.len() as u32 > MOST_PENDING {
                self.carry();
            }
            self.pending += values.len() as u32;
            for x in values {
                self.add(x.f64());
            }
        }
    }

    #[inline(always)]
    fn add(&mut self, x: f64) {
        let bits = x.to_bits();
        let (field, fraction) = ((bits >> 52 & 0x7ff) as u32, bits & ((1 << 52) - 1));
        if field == 0x7ff {
            self.specials.push(x);
            return;
        }
        let m = fraction | u64::from(field != 0) << 52;
        // m · 2^(field - 1075), or 2^-1074 if the field is 0; limbs begin at 2^-1088.
        let position = field.max(1) + 13;
        let (limb, shift) = ((position >> 5) as usize, position & 31);
        let negative = bits as i64 >> 63;
        let signed = |part: u64| (part as i64 ^ negative) - negative;
        self.limbs[limb] += signed(m << shift & 0xffff_ffff);
        self.limbs[limb + 1] += signed(m >> (32 - shift));
    }

    /// Propagates carries: then all limbs but the last are in 0..2^32.
    fn carry(&mut self) {
        let mut carry = 0;
        for limb in &mut self.limbs[..LIMBS - 1] {
            *limb += carry;
            carry = *limb >> 32;
            *limb &= 0xffff_ffff;
        }
        self.limbs[LIMBS - 1] += carry;
        self.pending = 0;
    }

    /// Moves all into a sum.
    pub fn fold(mut self, sum: &mut ExactSum) {
        self.carry();
        self.specials.iter().for_each(|x| sum.add(*x));
        let zeros = self.limbs.iter().take_while(|limb| **limb == 0).count();
        let used = self.limbs.iter().rposition(|limb| *limb != 0).map_or(zeros, |last| last + 1);
        if zeros < used {
            sum.add_wide(Wide::of(LOW + zeros as i32, self.limbs[zeros..used].to_vec()));
        }
    }
}
