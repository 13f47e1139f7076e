//! Angles as a multiple of π/2 and a remainder in [-π/4, π/4], exact to about 2^-120.
use super::double::{fast_two_sum, two_product, two_sum};
use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

/// Larger angles are rare: they need [`reduce_rare`].
pub const LIMIT: f64 = (1_u64 << 36) as f64;

/// 1.5 · 2^52: adding it rounds to an integer, which the sum's low bits then hold.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// π/2 in three parts.
const HALF_PI: [f64; 3] = [FRAC_PI_2, 6.123233995736766e-17, -1.4973849048591698e-33];

/// An angle: `quadrant · π/2 + high + low`.
#[derive(Clone, Copy, Debug)]
pub struct Angle {
    /// Only its two lowest bits count.
    pub quadrant: u64,
    /// The remainder, rounded.
    pub high: f64,
    /// What rounding took away from it.
    pub low: f64,
}

/// The parts of an angle of at most [`LIMIT`] (Cody and Waite, with fused operations).
#[inline(always)]
pub fn reduce(x: f64) -> Angle {
    let shifted = x.mul_add(FRAC_2_PI, ROUND);
    let n = shifted - ROUND;
    // Exact: x and the product are multiples of 2^-53, their difference is below 1.
    let rest = (-n).mul_add(HALF_PI[0], x);
    let (p, p_low) = two_product(n, HALF_PI[1]);
    let (high, low) = two_sum(rest, -p);
    let low = (-n).mul_add(HALF_PI[2], low - p_low);
    Angle { quadrant: shifted.to_bits(), high, low }
}

/// The quadrant and remainder of an angle of at most [`LIMIT`], of which only as much matters
/// as a float32 has: the remainder is below 2^-29 for no float32 but 0.
#[inline(always)]
pub fn reduce32(x: f64) -> (u64, f64) {
    let shifted = x.mul_add(FRAC_2_PI, ROUND);
    let n = shifted - ROUND;
    let rest = (-n).mul_add(HALF_PI[1], (-n).mul_add(HALF_PI[0], x));
    (shifted.to_bits(), rest)
}

/// The bits of 2/π after the point, and 64 zeros before them.
const TWO_OVER_PI: [u64; 20] = [
    0x0000_0000_0000_0000,
    0xa2f9_836e_4e44_1529,
    0xfc27_57d1_f534_ddc0,
    0xdb62_9599_3c43_9041,
    0xfe51_63ab_debb_c561,
    0xb724_6e3a_424d_d2e0,
    0x0649_2eea_09d1_921c,
    0xfe1d_eb1c_b129_a73e,
    0xe882_35f5_2ebb_4484,
    0xe99c_7026_b45f_7e41,
    0x3991_d639_8353_39f4,
    0x9c84_5f8b_bdf9_283b,
    0x1ff8_97ff_de05_980f,
    0xef2f_118b_5a0a_6d1f,
    0x6d36_7ecf_27cb_09b7,
    0x4f46_3f66_9e5f_ea2d,
    0x7527_bac7_ebe5_f17b,
    0x3d07_39f7_8a52_92ea,
    0x6bfb_5fb1_1f8d_5d08,
    0x5603_3046_fc7b_6bab,
];

/// The parts of an angle larger than [`LIMIT`], NaN if it is infinite: the angle's integer times
/// those 192 bits of 2/π that decide the quadrant and what follows (Payne and Hanek 1983).
pub fn reduce_rare(x: f64) -> Angle {
    if !x.is_finite() {
        return Angle { quadrant: 0, high: f64::NAN, low: f64::NAN };
    }
    // x is integer · 2^(exponent - 1075). The 192 bits from here on are all that matter: those
    // before them contribute multiples of 4 quadrants.
    let integer = u128::from((x.to_bits() & ((1 << 52) - 1)) | (1 << 52));
    let exponent = ((x.to_bits() >> 52) & 0x7ff) as usize;
    let (word, shift) = ((exponent - 1013) / 64, (exponent - 1013) % 64);
    let bits = |i: usize| {
        let [a, b] = [word + i, word + i + 1].map(|w| u128::from(TWO_OVER_PI[w]));
        (((a << 64 | b) << shift) >> 64) & u128::from(u64::MAX)
    };
    let low = integer * bits(2);
    let middle = integer * bits(1) + (low >> 64);
    let high = integer.wrapping_mul(bits(0)).wrapping_add(middle >> 64);
    let (high, middle, low) = (high as u64, middle as u64, low as u64);
    // The point is after two bits. Rounded to the nearest quadrant, the rest is signed; its
    // negation is one unit of 2^-190 too small, far below what counts.
    let quadrant = (high >> 62) + ((high >> 61) & 1);
    let rest = u128::from(high << 2 | middle >> 62) << 64 | u128::from(middle << 2 | low >> 62);
    let below = rest >> 127 == 1;
    let (rest, tail) = if below { (!rest, !(low << 2)) } else { (rest, low << 2) };
    let zeros = rest.leading_zeros();
    let top = rest << zeros | (u128::from(tail) << 64 >> 1 >> (127 - zeros));
    let scale = f64::from_bits(u64::from(1023 - 53 - zeros) << 52);
    let f = (top >> 75) as f64 * scale;
    let f_low = ((top >> 22) as u64 & ((1 << 53) - 1)) as f64 * scale * f64::EPSILON * 0.5;
    let (p, p_low) = two_product(f, HALF_PI[0]);
    let (high, low) = fast_two_sum(p, f.mul_add(HALF_PI[1], f_low.mul_add(HALF_PI[0], p_low)));
    let quadrant = if x.is_sign_negative() { quadrant.wrapping_neg() } else { quadrant };
    match below == x.is_sign_positive() {
        true => Angle { quadrant, high: -high, low: -low },
        false => Angle { quadrant, high, low },
    }
}
