//! Counter-based random numbers: the number depends on the seed and the index, on nothing else.

/// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
#[inline(always)]
fn mix(mut z: u64) -> u64 {
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// Where the stream of a seed starts.
pub fn start(seed: i64) -> u64 {
    mix((seed as u64).wrapping_add(0x9e37_79b9_7f4a_7c15))
}

/// The number at `index` in the stream: uniform in [0, 1), a multiple of 2^-53.
#[inline(always)]
pub fn uniform(start: u64, index: i64) -> f64 {
    let step = (index as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mix(start.wrapping_add(step)) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}
