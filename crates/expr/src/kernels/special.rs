//! Functions of floats that the standard library lacks.

/// x in degrees, from radians.
#[inline(always)]
pub fn degrees(x: f64) -> f64 {
    x * (180.0 / std::f64::consts::PI)
}

/// x in radians, from degrees.
#[inline(always)]
pub fn radians(x: f64) -> f64 {
    x * (std::f64::consts::PI / 180.0)
}

/// x in degrees, from radians.
#[inline(always)]
pub fn degrees32(x: f32) -> f32 {
    x * (180.0 / std::f32::consts::PI)
}

/// x in radians, from degrees.
#[inline(always)]
pub fn radians32(x: f32) -> f32 {
    x * (std::f32::consts::PI / 180.0)
}
