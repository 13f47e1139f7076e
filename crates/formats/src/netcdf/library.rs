//! Calls of the NetCDF library, which only writes; under its lock, and errors as sentences.
use super::hdf5::quiet;
use netcdf_sys::*;
use std::ffi::{CStr, c_int};

/// Calls the library under its lock.
pub(super) fn call(f: impl FnOnce() -> c_int) -> Result<(), String> {
    let _lock = libnetcdf_lock.lock();
    quiet();
    check(f())
}

pub(super) fn check(code: c_int) -> Result<(), String> {
    if code == NC_NOERR {
        return Ok(());
    }
    // SAFETY: nc_strerror returns a constant text for any code.
    let text = unsafe { CStr::from_ptr(nc_strerror(code)) };
    Err(text.to_string_lossy().into_owned())
}
