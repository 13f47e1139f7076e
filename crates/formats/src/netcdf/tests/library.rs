//! The NetCDF library as the judge of what we read.
use crate::netcdf::header::{NamedAttributes, Raw, RawAttribute};
use crate::netcdf::library::{call, check};
use crate::netcdf::zstd_filter;
use netcdf_sys::*;
use std::ffi::{CStr, CString, c_char, c_int};
use std::path::Path;
use std::ptr::null_mut;

fn raw(id: nc_type) -> Raw {
    match id {
        NC_BYTE => Raw::I8,
        NC_CHAR => Raw::Char,
        NC_SHORT => Raw::I16,
        NC_INT => Raw::I32,
        NC_FLOAT => Raw::F32,
        NC_DOUBLE => Raw::F64,
        NC_UBYTE => Raw::U8,
        NC_USHORT => Raw::U16,
        NC_UINT => Raw::U32,
        NC_INT64 => Raw::I64,
        NC_UINT64 => Raw::U64,
        NC_STRING => Raw::Text,
        _ => Raw::Other,
    }
}

/// A variable as the library has it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    group: c_int,
    id: c_int,
    pub(super) name: String,
    pub(super) raw: Raw,
    pub(super) dims: Vec<(String, u64)>,
    pub(super) attributes: NamedAttributes,
    pub(super) chunks: Option<Vec<u64>>,
}

/// An open file, closed when dropped. Every call holds the library's lock.
#[derive(Debug)]
pub(super) struct Judge {
    id: c_int,
}

/// Longer than any attribute that makes sense, in bytes: a damaged header says anything.
const LONGEST: usize = 64 << 20;

impl Judge {
    pub(super) fn open(path: &Path) -> Result<Judge, String> {
        use std::os::unix::ffi::OsStrExt;
        zstd_filter::register();
        // An absolute name is never taken for a web address.
        let path = std::path::absolute(path).map_err(|e| e.to_string())?;
        let name = CString::new(path.as_os_str().as_bytes()).map_err(|e| e.to_string())?;
        let mut id = 0;
        // SAFETY: the name ends with NUL and `id` lives through the call.
        call(|| unsafe { nc_open(name.as_ptr(), NC_NOWRITE, &mut id) })?;
        Ok(Judge { id })
    }

    /// Whether it is NetCDF-4, that is HDF5.
    pub(super) fn is_hdf5(&self) -> bool {
        let (mut format, mut mode) = (0, 0);
        // SAFETY: both places live through the call.
        let found = call(|| unsafe { nc_inq_format_extended(self.id, &mut format, &mut mode) });
        found.is_ok() && format == NC_FORMATX_NC_HDF5
    }

    /// The groups directly in a group, with their names.
    pub(super) fn inner(&self, group: c_int) -> Result<Vec<(String, c_int)>, String> {
        let mut count = 0;
        // SAFETY: without a place for ids only the count is written.
        call(|| unsafe { nc_inq_grps(group, &mut count, null_mut()) })?;
        let mut ids = vec![0; count.max(0) as usize];
        // SAFETY: there is room for `count` ids.
        call(|| unsafe { nc_inq_grps(group, null_mut(), ids.as_mut_ptr()) })?;
        // SAFETY: `read_name` offers room for the longest name.
        let name = |id: &c_int| read_name(|place| unsafe { nc_inq_grpname(*id, place) });
        ids.iter().map(|id| Ok((name(id)?, *id))).collect()
    }

    pub(super) fn root(&self) -> c_int {
        self.id
    }

    /// The variables of a group, in the file's order.
    pub(super) fn variables(&self, group: c_int) -> Result<Vec<Known>, String> {
        let mut count = 0;
        // SAFETY: without a place for ids only the count is written.
        call(|| unsafe { nc_inq_varids(group, &mut count, null_mut()) })?;
        let mut ids = vec![0; count.max(0) as usize];
        // SAFETY: there is room for `count` ids.
        call(|| unsafe { nc_inq_varids(group, null_mut(), ids.as_mut_ptr()) })?;
        ids.into_iter().map(|id| self.variable(group, id)).collect()
    }

    fn variable(&self, group: c_int, id: c_int) -> Result<Known, String> {
        // SAFETY: `read_name` offers room for the longest name.
        let name = read_name(|place| unsafe { nc_inq_varname(group, id, place) })?;
        let (mut kind, mut rank) = (0, 0);
        // SAFETY: both places live through the calls.
        call(|| unsafe { nc_inq_vartype(group, id, &mut kind) })?;
        // SAFETY: as above.
        call(|| unsafe { nc_inq_varndims(group, id, &mut rank) })?;
        let mut dim_ids = vec![0; rank.max(0) as usize];
        // SAFETY: there is room for `rank` ids.
        call(|| unsafe { nc_inq_vardimid(group, id, dim_ids.as_mut_ptr()) })?;
        let dims: Result<Vec<_>, _> = dim_ids.iter().map(|d| self.dimension(group, *d)).collect();
        let attributes = attributes(group, id)?;
        let chunks = self.chunks(group, id, dim_ids.len());
        let raw = raw(kind);
        Ok(Known { group, id, name, raw, dims: dims?, attributes, chunks })
    }

    fn dimension(&self, group: c_int, id: c_int) -> Result<(String, u64), String> {
        // SAFETY: `read_name` offers room for the longest name.
        let name = read_name(|place| unsafe { nc_inq_dimname(group, id, place) })?;
        let mut size = 0;
        // SAFETY: the place lives through the call.
        call(|| unsafe { nc_inq_dimlen(group, id, &mut size) })?;
        Ok((name, size as u64))
    }

    fn chunks(&self, group: c_int, id: c_int, rank: usize) -> Option<Vec<u64>> {
        let mut storage = 0;
        let mut shape = vec![0usize; rank];
        if rank == 0 || !self.is_hdf5() {
            return None;
        }
        // SAFETY: there is room for as many sizes as the variable has dimensions.
        call(|| unsafe { nc_inq_var_chunking(group, id, &mut storage, shape.as_mut_ptr()) })
            .ok()?;
        let whole = storage == NC_CHUNKED && shape.iter().all(|n| *n > 0);
        whole.then(|| shape.iter().map(|n| *n as u64).collect())
    }

    /// The attributes of a group.
    pub(super) fn attributes(&self, group: c_int) -> Result<NamedAttributes, String> {
        attributes(group, NC_GLOBAL)
    }

    /// The values of a box, row-major, in the machine's byte order, into `out`, which must have
    /// room for exactly that many.
    pub(super) fn read(
        &self,
        variable: &Known,
        origin: &[u64],
        shape: &[usize],
        out: &mut [u8],
    ) -> Result<(), String> {
        let points: usize = shape.iter().product();
        if out.len() != points * variable.raw.width() || shape.len() != variable.dims.len() {
            return Err("the library was asked for another number of values".to_string());
        }
        if out.is_empty() {
            return Ok(());
        }
        let start: Vec<usize> = origin.iter().map(|o| *o as usize).collect();
        let (group, id) = (variable.group, variable.id);
        let to = out.as_mut_ptr().cast();
        // SAFETY: `out` has room for the product of `shape` values of the variable's own type.
        call(|| unsafe { nc_get_vara(group, id, start.as_ptr(), shape.as_ptr(), to) })
    }

    /// The texts of a box of a string variable, row-major.
    pub(super) fn read_texts(
        &self,
        variable: &Known,
        origin: &[u64],
        shape: &[usize],
    ) -> Result<Vec<String>, String> {
        let points: usize = shape.iter().product();
        let start: Vec<usize> = origin.iter().map(|o| *o as usize).collect();
        let mut places: Vec<*mut c_char> = vec![null_mut(); points];
        let (group, id) = (variable.group, variable.id);
        let _lock = libnetcdf_lock.lock();
        // SAFETY: there is room for the product of `shape` pointers, which the library fills.
        check(unsafe {
            nc_get_vara_string(group, id, start.as_ptr(), shape.as_ptr(), places.as_mut_ptr())
        })?;
        let texts = places.iter().map(|p| to_text(*p)).collect();
        // SAFETY: the pointers are the library's own.
        check(unsafe { nc_free_string(places.len(), places.as_mut_ptr()) })?;
        Ok(texts)
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        // SAFETY: the id is of an open file that nobody else closes.
        let _ = call(|| unsafe { nc_close(self.id) });
    }
}

/// A text of the library; null is empty.
fn to_text(place: *const c_char) -> String {
    if place.is_null() {
        return String::new();
    }
    // SAFETY: the library's texts end with NUL.
    unsafe { CStr::from_ptr(place) }.to_string_lossy().into_owned()
}

/// The attributes of a variable, or of the group itself if `variable` is `NC_GLOBAL`.
fn attributes(group: c_int, variable: c_int) -> Result<NamedAttributes, String> {
    let mut count = 0;
    // SAFETY: the place lives through the call.
    call(|| unsafe { nc_inq_varnatts(group, variable, &mut count) })?;
    let mut list = Vec::new();
    for i in 0..count {
        // SAFETY: `read_name` offers room for the longest name.
        let name = read_name(|place| unsafe { nc_inq_attname(group, variable, i, place) })?;
        if let Some(value) = read_attribute(group, variable, &name)? {
            list.push((name, value));
        }
    }
    Ok(list)
}

fn read_name(f: impl FnOnce(*mut c_char) -> c_int) -> Result<String, String> {
    let mut place = [0 as c_char; NC_MAX_NAME as usize + 1];
    call(|| f(place.as_mut_ptr()))?;
    let bytes: Vec<u8> = place.iter().map(|c| *c as u8).take_while(|c| *c != 0).collect();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// An attribute's value; `None` if it is of a type of the file's own.
fn read_attribute(
    group: c_int,
    variable: c_int,
    name: &str,
) -> Result<Option<RawAttribute>, String> {
    let key = CString::new(name).map_err(|e| e.to_string())?;
    let (mut kind, mut len) = (0, 0);
    // SAFETY: the name ends with NUL, both places live through the call.
    call(|| unsafe { nc_inq_att(group, variable, key.as_ptr(), &mut kind, &mut len) })?;
    let raw = raw(kind);
    if raw == Raw::Other || len > LONGEST {
        return Ok(None);
    }
    if raw == Raw::Text {
        return read_strings(group, variable, &key, len).map(Some);
    }
    let mut bytes = vec![0u8; len * raw.width()];
    if len > 0 {
        let to = bytes.as_mut_ptr().cast();
        // SAFETY: there is room for `len` values of the attribute's type.
        call(|| unsafe { nc_get_att(group, variable, key.as_ptr(), to) })?;
    }
    Ok(Some(crate::netcdf::header::interpret(raw, &bytes, cfg!(target_endian = "big"))))
}

fn read_strings(
    group: c_int,
    variable: c_int,
    key: &CStr,
    len: usize,
) -> Result<RawAttribute, String> {
    let mut places: Vec<*mut c_char> = vec![null_mut(); len];
    let _lock = libnetcdf_lock.lock();
    // SAFETY: there is room for `len` pointers.
    check(unsafe { nc_get_att_string(group, variable, key.as_ptr(), places.as_mut_ptr()) })?;
    let texts: Vec<String> = places.iter().map(|p| to_text(*p)).collect();
    // SAFETY: the pointers are the library's own.
    check(unsafe { nc_free_string(len, places.as_mut_ptr()) })?;
    Ok(RawAttribute::Text(texts.join(", ")))
}
