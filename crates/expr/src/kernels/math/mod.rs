//! Elementary functions: branch-free, so that plain loops over them become vectors. Each is
//! within 1 ulp of the true value, by its own code: no result depends on the host's libm.
pub mod apply;
pub mod double;
pub mod hypot;
#[cfg(test)]
mod oracle;
