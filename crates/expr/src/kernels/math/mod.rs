//! Elementary functions: branch-free, so that plain loops over them become vectors. Each is
//! within 1 ulp of the true value, by its own code: no result depends on the host's libm.
pub mod angle;
pub mod apply;
pub mod arcsine;
pub mod arctangent;
pub mod double;
pub mod hypot;
#[cfg(test)]
mod oracle;
pub mod sine;
pub mod tangent;
