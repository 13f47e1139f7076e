//! The few calls of HDF5 below NetCDF-4: where the bytes of a variable lie, and chunks as they are.
use hdf5_metno_sys::{LOCK, h5::*, h5d::*, h5e::*, h5f::*, h5i::hid_t, h5p::*, h5s::*, h5t::*};
use std::ffi::{CString, c_void};
use std::path::Path;
use std::ptr::null_mut;
use std::sync::Arc;

unsafe extern "C" {
    // Since HDF5 1.10.2; the bindings leave it out.
    fn H5Fincrement_filesize(file: hid_t, by: hsize_t) -> herr_t;
}

/// An open HDF5 file, closed when dropped, after its datasets.
#[derive(Debug)]
pub(super) struct H5File {
    id: hid_t,
}

/// An open dataset. Every call holds the library's lock.
#[derive(Debug)]
pub(super) struct Dataset {
    id: hid_t,
    _file: Arc<H5File>,
}

/// How a dataset lies in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// In one piece from this byte on, of so many bytes.
    Contiguous { offset: u64, bytes: u64 },
    /// In chunks of this shape.
    Chunked(Vec<u64>),
    /// In a way that only the library reads.
    Other,
}

pub(super) const FILTER_DEFLATE: i32 = 1;
pub(super) const FILTER_SHUFFLE: i32 = 2;
/// Zstandard, in The HDF Group's registry of filters.
pub(super) const FILTER_ZSTD: i32 = 32015;

/// Keeps HDF5 from printing errors in this thread; each thread has a setting of its own.
pub(super) fn quiet() {
    let _lock = LOCK.lock();
    // SAFETY: under the lock; no callback is set.
    unsafe {
        H5open();
        H5Eset_auto2(H5E_DEFAULT, None, null_mut());
    }
}

/// Calls HDF5 under its lock.
fn locked<T>(f: impl FnOnce() -> T) -> T {
    let _lock = LOCK.lock();
    quiet();
    f()
}

impl H5File {
    /// Opens a file. Another handle of this process may have it open, with a close degree that
    /// must be the same: so each is tried.
    pub(super) fn open(path: &Path, write: bool) -> Option<Arc<H5File>> {
        use H5F_close_degree_t::*;
        use std::os::unix::ffi::OsStrExt;
        let name = CString::new(path.as_os_str().as_bytes()).ok()?;
        let flags = if write { H5F_ACC_RDWR } else { H5F_ACC_RDONLY };
        let open = |degree| {
            // SAFETY: the name ends with NUL; the property list is closed after use.
            unsafe {
                let list = H5Pcreate(*H5P_CLS_FILE_ACCESS);
                H5Pset_fclose_degree(list, degree);
                let id = H5Fopen(name.as_ptr(), flags, list);
                H5Pclose(list);
                id
            }
        };
        let degrees = [H5F_CLOSE_SEMI, H5F_CLOSE_STRONG, H5F_CLOSE_WEAK];
        let id = locked(|| degrees.into_iter().map(open).find(|id| *id >= 0))?;
        Some(Arc::new(H5File { id }))
    }

    /// Writes out what the library still holds back.
    /// Takes what others have written behind the end of the file into it, instead of cutting it off.
    pub(super) fn take_all(&self) -> bool {
        // SAFETY: the file is open.
        locked(|| unsafe { H5Fincrement_filesize(self.id, 0) >= 0 }) && self.flush()
    }

    pub(super) fn flush(&self) -> bool {
        // SAFETY: the id is open.
        locked(|| unsafe { H5Fflush(self.id, H5F_SCOPE_GLOBAL) >= 0 })
    }

    /// The dataset of this path, if there is one.
    pub(super) fn dataset(self: &Arc<Self>, path: &str) -> Option<Dataset> {
        let name = CString::new(path).ok()?;
        // SAFETY: the file is open and the name ends with NUL.
        let id = locked(|| unsafe { H5Dopen2(self.id, name.as_ptr(), H5P_DEFAULT) });
        (id >= 0).then(|| Dataset { id, _file: self.clone() })
    }
}

impl Drop for H5File {
    fn drop(&mut self) {
        // SAFETY: the id is open and nobody else closes it.
        locked(|| unsafe { H5Fclose(self.id) });
    }
}

impl Dataset {
    /// Bytes of one value, and whether its first byte is the highest.
    pub(super) fn value(&self) -> (usize, bool) {
        // SAFETY: the type is open until it is closed here.
        locked(|| unsafe {
            let kind = H5Dget_type(self.id);
            let found = (H5Tget_size(kind), H5Tget_order(kind) == H5T_ORDER_BE);
            H5Tclose(kind);
            found
        })
    }

    /// How it lies in the file.
    pub(super) fn layout(&self, rank: usize) -> Layout {
        // SAFETY: the property list is open until it is closed here.
        locked(|| unsafe {
            let list = H5Dget_create_plist(self.id);
            let layout = match H5Pget_layout(list) {
                H5D_CONTIGUOUS if H5Pget_external_count(list) == 0 => {
                    let offset = H5Dget_offset(self.id);
                    let bytes = H5Dget_storage_size(self.id);
                    match offset {
                        u64::MAX => Layout::Other,
                        _ => Layout::Contiguous { offset, bytes },
                    }
                }
                H5D_CHUNKED => chunk_shape(list, rank),
                _ => Layout::Other,
            };
            H5Pclose(list);
            layout
        })
    }

    /// How many chunks have been written.
    pub(super) fn chunk_count(&self) -> Option<u64> {
        // SAFETY: the space is open until it is closed here.
        locked(|| unsafe {
            let space = H5Dget_space(self.id);
            let mut count: hsize_t = 0;
            let found = H5Dget_num_chunks(self.id, space, &mut count);
            H5Sclose(space);
            (found >= 0).then_some(count)
        })
    }

    /// First byte and length in the file of the chunk that starts at `origin`.
    pub(super) fn chunk_place(&self, origin: &[u64]) -> Option<(u64, u64)> {
        let (mut mask, mut offset, mut bytes) = (0, 0, 0);
        // SAFETY: `origin` has as many values as the dataset has dimensions.
        let found = locked(|| unsafe {
            let at = origin.as_ptr();
            H5Dget_chunk_info_by_coord(self.id, at, &mut mask, &mut offset, &mut bytes)
        });
        (found >= 0 && offset != HADDR_UNDEF).then_some((offset, bytes))
    }

    /// Puts a filtered chunk in its place.
    pub(super) fn write_chunk(&self, origin: &[u64], data: &[u8]) -> bool {
        let from = data.as_ptr().cast::<c_void>();
        // SAFETY: `origin` has as many values as the dataset has dimensions.
        locked(|| unsafe {
            H5Dwrite_chunk(self.id, H5P_DEFAULT, 0, origin.as_ptr(), data.len(), from) >= 0
        })
    }
}

/// # Safety
/// `list` must be an open property list of a dataset's creation; the lock must be held.
unsafe fn chunk_shape(list: hid_t, rank: usize) -> Layout {
    let mut shape = vec![0; rank];
    // SAFETY: there is room for `rank` sizes.
    let found = unsafe { H5Pget_chunk(list, rank as i32, shape.as_mut_ptr()) };
    match found == rank as i32 && shape.iter().all(|n| *n > 0) {
        true => Layout::Chunked(shape),
        false => Layout::Other,
    }
}

impl Drop for Dataset {
    fn drop(&mut self) {
        // SAFETY: the id is open and nobody else closes it.
        locked(|| unsafe { H5Dclose(self.id) });
    }
}
