//! The few calls of the NetCDF library that defining a file needs. The `netcdf` crate does not let
//! filters be named, nor its handle be used beside it.
use super::library::call;
use super::zstd_filter;
use netcdf_sys::*;
use std::ffi::{CString, c_char, c_int, c_uint, c_void};
use std::path::Path;
use std::ptr::null;

/// A file being defined; closed when dropped. Every call holds the library's lock.
pub(super) struct NewFile {
    id: c_int,
}

/// Numbers of an attribute, in the type that the file gets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Numbers<'a> {
    Bytes(&'a [i8]),
    Ints(&'a [i32]),
    Longs(&'a [i64]),
    Floats(&'a [f32]),
    Doubles(&'a [f64]),
}

fn c_text(text: &str) -> Result<CString, String> {
    CString::new(text).map_err(|_| format!("{text:?} has a zero byte"))
}

impl NewFile {
    /// Makes an empty NetCDF-4 file, in the place of what is there.
    pub(super) fn create(path: &Path) -> Result<NewFile, String> {
        use std::os::unix::ffi::OsStrExt;
        let name = CString::new(path.as_os_str().as_bytes()).map_err(|e| e.to_string())?;
        let mut id = 0;
        // SAFETY: the name ends with NUL and `id` lives through the call.
        call(|| unsafe { nc_create(name.as_ptr(), NC_NETCDF4 | NC_CLOBBER, &mut id) })?;
        Ok(NewFile { id })
    }

    /// Adds a dimension; one of size 0 is unlimited.
    pub(super) fn dimension(&self, name: &str, size: usize) -> Result<c_int, String> {
        let name = c_text(name)?;
        let mut id = 0;
        // SAFETY: the name ends with NUL and `id` lives through the call.
        call(|| unsafe { nc_def_dim(self.id, name.as_ptr(), size, &mut id) })?;
        Ok(id)
    }

    /// Adds a variable along dimensions.
    pub(super) fn variable(
        &self,
        name: &str,
        kind: nc_type,
        dims: &[c_int],
    ) -> Result<c_int, String> {
        let name = c_text(name)?;
        let (rank, mut id) = (dims.len() as c_int, 0);
        // SAFETY: the name ends with NUL, there are `rank` dimensions, `id` lives through the call.
        call(|| unsafe { nc_def_var(self.id, name.as_ptr(), kind, rank, dims.as_ptr(), &mut id) })?;
        Ok(id)
    }

    /// Cuts a variable into chunks of this shape, one size for each of its dimensions.
    pub(super) fn chunks(&self, variable: c_int, shape: &[usize]) -> Result<(), String> {
        let rank = self.rank(variable)?;
        if rank != shape.len() {
            return Err(format!("chunks of {} dimensions for {rank}", shape.len()));
        }
        // SAFETY: there are as many sizes as dimensions.
        call(|| unsafe { nc_def_var_chunking(self.id, variable, NC_CHUNKED, shape.as_ptr()) })
    }

    fn rank(&self, variable: c_int) -> Result<usize, String> {
        let mut rank = 0;
        // SAFETY: `rank` lives through the call.
        call(|| unsafe { nc_inq_varndims(self.id, variable, &mut rank) })?;
        Ok(rank.max(0) as usize)
    }

    /// Compresses a variable with deflate, bytes shuffled first.
    pub(super) fn deflate(&self, variable: c_int, level: c_int) -> Result<(), String> {
        // SAFETY: no memory is handed over.
        call(|| unsafe { nc_def_var_deflate(self.id, variable, 1, 1, level) })
    }

    /// Compresses a variable with Zstandard, bytes shuffled first.
    pub(super) fn zstd(&self, variable: c_int, level: c_uint) -> Result<(), String> {
        if !zstd_filter::register() {
            return Err("the HDF5 library takes no filter for Zstandard".to_string());
        }
        // SAFETY: no memory is handed over.
        call(|| unsafe { nc_def_var_deflate(self.id, variable, 1, 0, 0) })?;
        let filter = super::hdf5::FILTER_ZSTD as c_uint;
        // SAFETY: there is one parameter.
        call(|| unsafe { nc_def_var_filter(self.id, variable, filter, 1, &level) })
    }

    /// Leaves values that are not written as they lie, instead of filling them.
    pub(super) fn no_fill(&self, variable: c_int) -> Result<(), String> {
        // SAFETY: without a fill value none is read.
        call(|| unsafe { nc_def_var_fill(self.id, variable, NC_NOFILL, null()) })
    }

    /// Gives a variable, or the file, a text.
    pub(super) fn text(
        &self,
        variable: Option<c_int>,
        name: &str,
        text: &str,
    ) -> Result<(), String> {
        let (name, at) = (c_text(name)?, variable.unwrap_or(NC_GLOBAL));
        let from = text.as_ptr().cast::<c_char>();
        // SAFETY: the name ends with NUL; there are as many letters as said.
        call(|| unsafe { nc_put_att_text(self.id, at, name.as_ptr(), text.len(), from) })
    }

    /// Gives a variable, or the file, numbers.
    pub(super) fn numbers(
        &self,
        variable: Option<c_int>,
        name: &str,
        list: Numbers,
    ) -> Result<(), String> {
        let (name, at) = (c_text(name)?, variable.unwrap_or(NC_GLOBAL));
        let (kind, len, from): (_, _, *const c_void) = match list {
            Numbers::Bytes(list) => (NC_BYTE, list.len(), list.as_ptr().cast()),
            Numbers::Ints(list) => (NC_INT, list.len(), list.as_ptr().cast()),
            Numbers::Longs(list) => (NC_INT64, list.len(), list.as_ptr().cast()),
            Numbers::Floats(list) => (NC_FLOAT, list.len(), list.as_ptr().cast()),
            Numbers::Doubles(list) => (NC_DOUBLE, list.len(), list.as_ptr().cast()),
        };
        // SAFETY: the name ends with NUL; there are `len` numbers of this type.
        call(|| unsafe { nc_put_att(self.id, at, name.as_ptr(), kind, len, from) })
    }

    /// Writes a zero as the first value of a variable of numbers of `rank` dimensions.
    pub(super) fn zero_first(&self, variable: c_int, rank: usize) -> Result<(), String> {
        let (first, zero) = (vec![0usize; rank], 0u64);
        let from: *const c_void = (&raw const zero).cast();
        // SAFETY: no number is longer than eight bytes, and zero is zero in each type.
        call(|| unsafe { nc_put_var1(self.id, variable, first.as_ptr(), from) })
    }

    /// Writes everything out.
    pub(super) fn close(self) -> Result<(), String> {
        let id = self.id;
        std::mem::forget(self);
        // SAFETY: the id is of an open file that nobody else closes.
        call(|| unsafe { nc_close(id) })
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // SAFETY: the id is of an open file that nobody else closes.
        let _ = call(|| unsafe { nc_close(self.id) });
    }
}
