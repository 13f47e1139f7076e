//! The few calls of the NetCDF library that reading needs. They return errors where the `netcdf`
//! crate unwraps, because a damaged file fails at any of them.
use super::hdf5::quiet;
use super::zstd_filter;
use netcdf_sys::*;
use std::ffi::{CStr, CString, c_char, c_int};
use std::path::Path;
use std::ptr::null_mut;

/// How a variable's values lie in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raw {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
    /// Single letters; the last dimension is the length of a text.
    Char,
    /// NC_STRING
    Text,
    /// Compound, enumeration, opaque or of variable length.
    Other,
}

impl Raw {
    fn from_nc(id: nc_type) -> Raw {
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

    /// Bytes of one value; 0 for those that are not numbers or letters.
    pub(super) fn width(self) -> usize {
        match self {
            Raw::I8 | Raw::U8 | Raw::Char => 1,
            Raw::I16 | Raw::U16 => 2,
            Raw::I32 | Raw::U32 | Raw::F32 => 4,
            Raw::I64 | Raw::U64 | Raw::F64 => 8,
            Raw::Text | Raw::Other => 0,
        }
    }

    /// The unsigned type of the same width, as the attribute `_Unsigned` asks for.
    pub(super) fn unsigned(self) -> Raw {
        match self {
            Raw::I8 => Raw::U8,
            Raw::I16 => Raw::U16,
            Raw::I32 => Raw::U32,
            Raw::I64 => Raw::U64,
            other => other,
        }
    }
}

/// The value of an attribute as the file has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum RawAttribute {
    Text(String),
    Ints(Vec<i128>),
    /// Numbers, and whether the file has them in single precision.
    Floats(Vec<f64>, bool),
}

/// Attributes in the file's order.
pub(super) type NamedAttributes = Vec<(String, RawAttribute)>;

/// A dimension of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RawDim {
    pub(super) name: String,
    pub(super) size: u64,
}

/// A group of an open file.
#[derive(Clone, Debug)]
pub(super) struct Group {
    id: c_int,
    /// Its path from the root, such as `/forecast`; the root's is empty.
    pub(super) path: String,
}

/// A variable and all that its header says.
#[derive(Clone, Debug)]
pub(super) struct RawVariable {
    pub(super) group: c_int,
    /// Its path from the root, such as `/forecast/t`.
    pub(super) path: String,
    pub(super) id: c_int,
    pub(super) name: String,
    pub(super) raw: Raw,
    pub(super) dims: Vec<RawDim>,
    pub(super) attributes: NamedAttributes,
    /// The shape of its chunks, if it is cut into chunks.
    pub(super) chunks: Option<Vec<u64>>,
}

impl RawVariable {
    pub(super) fn attribute(&self, name: &str) -> Option<&RawAttribute> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.attribute(name) {
            Some(RawAttribute::Text(text)) => Some(text),
            _ => None,
        }
    }
}

/// An open file, closed when dropped. Every call holds the library's lock.
#[derive(Debug)]
pub(super) struct NcFile {
    id: c_int,
}

/// Longer than any attribute that makes sense, in bytes: a damaged header says anything.
const LONGEST: usize = 64 << 20;

fn check(code: c_int) -> Result<(), String> {
    if code == NC_NOERR {
        return Ok(());
    }
    // SAFETY: nc_strerror returns a constant text for any code.
    let text = unsafe { CStr::from_ptr(nc_strerror(code)) };
    Err(text.to_string_lossy().into_owned())
}

/// Calls the library under its lock.
pub(super) fn call(f: impl FnOnce() -> c_int) -> Result<(), String> {
    let _lock = libnetcdf_lock.lock();
    quiet();
    check(f())
}

impl NcFile {
    pub(super) fn open(path: &Path) -> Result<NcFile, String> {
        use std::os::unix::ffi::OsStrExt;
        zstd_filter::register();
        // An absolute name is never taken for a web address.
        let path = std::path::absolute(path).map_err(|e| e.to_string())?;
        let name = CString::new(path.as_os_str().as_bytes()).map_err(|e| e.to_string())?;
        let mut id = 0;
        // SAFETY: the name ends with NUL and `id` lives through the call.
        call(|| unsafe { nc_open(name.as_ptr(), NC_NOWRITE, &mut id) })?;
        Ok(NcFile { id })
    }

    /// Whether it is NetCDF-4, that is HDF5.
    pub(super) fn is_hdf5(&self) -> bool {
        let (mut format, mut mode) = (0, 0);
        // SAFETY: both places live through the call.
        let found = call(|| unsafe { nc_inq_format_extended(self.id, &mut format, &mut mode) });
        found.is_ok() && format == NC_FORMATX_NC_HDF5
    }

    /// The groups of a path such as `forecast/surface`, the root first.
    pub(super) fn groups(&self, path: &str) -> Option<Vec<Group>> {
        let (mut id, mut path_to) = (self.id, String::new());
        let mut groups = vec![Group { id, path: path_to.clone() }];
        for part in path.split('/').filter(|p| !p.is_empty()) {
            let name = CString::new(part).ok()?;
            let mut inner = 0;
            // SAFETY: the name ends with NUL and `inner` lives through the call.
            call(|| unsafe { nc_inq_grp_ncid(id, name.as_ptr(), &mut inner) }).ok()?;
            id = inner;
            path_to = format!("{path_to}/{part}");
            groups.push(Group { id, path: path_to.clone() });
        }
        Some(groups)
    }

    /// The names of the groups directly in a group.
    pub(super) fn inner_groups(&self, group: &Group) -> Result<Vec<String>, String> {
        let group = group.id;
        let mut count = 0;
        // SAFETY: without a place for ids only the count is written.
        call(|| unsafe { nc_inq_grps(group, &mut count, null_mut()) })?;
        let mut ids = vec![0; count.max(0) as usize];
        // SAFETY: there is room for `count` ids.
        call(|| unsafe { nc_inq_grps(group, null_mut(), ids.as_mut_ptr()) })?;
        // SAFETY: `read_name` offers room for the longest name.
        let name = |id: &c_int| read_name(|place| unsafe { nc_inq_grpname(*id, place) });
        ids.iter().map(name).collect()
    }

    /// The variables of a group, in the file's order.
    pub(super) fn variables(&self, group: &Group) -> Result<Vec<RawVariable>, String> {
        let (path, group) = (&group.path, group.id);
        let mut count = 0;
        // SAFETY: without a place for ids only the count is written.
        call(|| unsafe { nc_inq_varids(group, &mut count, null_mut()) })?;
        let mut ids = vec![0; count.max(0) as usize];
        // SAFETY: there is room for `count` ids.
        call(|| unsafe { nc_inq_varids(group, null_mut(), ids.as_mut_ptr()) })?;
        ids.into_iter().map(|id| self.variable(group, path, id)).collect()
    }

    fn variable(&self, group: c_int, path: &str, id: c_int) -> Result<RawVariable, String> {
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
        let path = format!("{path}/{name}");
        let chunks = self.chunks(group, id, dim_ids.len());
        let raw = Raw::from_nc(kind);
        Ok(RawVariable { group, path, id, name, raw, dims: dims?, attributes, chunks })
    }

    fn dimension(&self, group: c_int, id: c_int) -> Result<RawDim, String> {
        // SAFETY: `read_name` offers room for the longest name.
        let name = read_name(|place| unsafe { nc_inq_dimname(group, id, place) })?;
        let mut size = 0;
        // SAFETY: the place lives through the call.
        call(|| unsafe { nc_inq_dimlen(group, id, &mut size) })?;
        Ok(RawDim { name, size: size as u64 })
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
    pub(super) fn attributes(&self, group: &Group) -> Result<NamedAttributes, String> {
        attributes(group.id, NC_GLOBAL)
    }

    /// Whether values of a variable that were never written read as its fill value: not where
    /// whoever made it said that nothing is filled.
    pub(super) fn fills(&self, variable: &RawVariable) -> bool {
        let (group, id, mut not) = (variable.group, variable.id, 0);
        // SAFETY: without a place for the fill value only whether there is one is written.
        call(|| unsafe { nc_inq_var_fill(group, id, &mut not, null_mut()) }).is_ok() && not == 0
    }

    /// The values of a box, row-major, in the machine's byte order, into `out`, which must have
    /// room for exactly that many.
    pub(super) fn read(
        &self,
        variable: &RawVariable,
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
        variable: &RawVariable,
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

impl Drop for NcFile {
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
    let raw = Raw::from_nc(kind);
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
    Ok(Some(interpret(raw, &bytes)))
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

macro_rules! numbers {
    ($bytes:expr, $t:ty, $to:ty) => {{
        let size = size_of::<$t>();
        let value = |c: &[u8]| Some(<$t>::from_ne_bytes(c.try_into().ok()?) as $to);
        $bytes.chunks_exact(size).filter_map(value).collect()
    }};
}

fn interpret(raw: Raw, bytes: &[u8]) -> RawAttribute {
    use RawAttribute::{Floats, Ints};
    match raw {
        Raw::I8 => Ints(numbers!(bytes, i8, i128)),
        Raw::U8 => Ints(numbers!(bytes, u8, i128)),
        Raw::I16 => Ints(numbers!(bytes, i16, i128)),
        Raw::U16 => Ints(numbers!(bytes, u16, i128)),
        Raw::I32 => Ints(numbers!(bytes, i32, i128)),
        Raw::U32 => Ints(numbers!(bytes, u32, i128)),
        Raw::I64 => Ints(numbers!(bytes, i64, i128)),
        Raw::U64 => Ints(numbers!(bytes, u64, i128)),
        Raw::F32 => Floats(numbers!(bytes, f32, f64), true),
        Raw::F64 => Floats(numbers!(bytes, f64, f64), false),
        Raw::Char | Raw::Text | Raw::Other => {
            let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |i| i + 1);
            RawAttribute::Text(String::from_utf8_lossy(&bytes[..end]).into_owned())
        }
    }
}
