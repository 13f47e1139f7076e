//! Zstandard as a filter of HDF5, number 32015 in The HDF Group's registry: so that the library
//! defines and reads variables compressed with it where no plugin is installed.
use super::hdf5::FILTER_ZSTD;
use hdf5_metno_sys::LOCK;
use hdf5_metno_sys::h5::{H5allocate_memory, H5free_memory};
use hdf5_metno_sys::h5z::{H5Z_FLAG_REVERSE, H5Z_class2_t, H5Zfilter_avail, H5Zregister};
use std::ffi::{c_uint, c_void};
use std::io::Read;
use std::sync::OnceLock;

/// The parameters of the filter if a file gives none: level 3.
const LEVEL: i32 = 3;

/// A class of filters that HDF5 may keep a pointer to.
struct Class(H5Z_class2_t);

// SAFETY: nothing writes to it, and its name is a constant.
unsafe impl Send for Class {}
// SAFETY: as above.
unsafe impl Sync for Class {}

static CLASS: Class = Class(H5Z_class2_t {
    version: 1,
    id: FILTER_ZSTD,
    encoder_present: 1,
    decoder_present: 1,
    name: c"Zstandard".as_ptr(),
    can_apply: None,
    set_local: None,
    filter: Some(filter),
});

/// Makes HDF5 know the filter; whether it does.
pub(super) fn register() -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    *KNOWN.get_or_init(|| {
        let _lock = LOCK.lock();
        super::hdf5::quiet();
        let class: *const H5Z_class2_t = &CLASS.0;
        // SAFETY: under the lock; the class lives as long as the process.
        unsafe { H5Zregister(class.cast::<c_void>()) >= 0 && H5Zfilter_avail(FILTER_ZSTD) > 0 }
    })
}

/// HDF5's contract: the bytes in `*buffer` are replaced by what becomes of them; the result is
/// how many those are, 0 on failure.
unsafe extern "C" fn filter(
    flags: c_uint,
    parameters: usize,
    values: *const c_uint,
    bytes: usize,
    size: *mut usize,
    buffer: *mut *mut c_void,
) -> usize {
    // SAFETY: HDF5 says so.
    let from = unsafe { std::slice::from_raw_parts((*buffer).cast::<u8>(), bytes) };
    let made = if flags & H5Z_FLAG_REVERSE != 0 {
        unpack(from)
    } else {
        // SAFETY: there are so many parameters.
        let level = if parameters > 0 { unsafe { *values as i32 } } else { LEVEL };
        zstd::bulk::compress(from, level).ok()
    };
    let Some(made) = made.filter(|m| !m.is_empty()) else { return 0 };
    // SAFETY: memory of the library's own allocator is replaced by the same.
    unsafe {
        let place = H5allocate_memory(made.len(), 0);
        if place.is_null() {
            return 0;
        }
        std::ptr::copy_nonoverlapping(made.as_ptr(), place.cast::<u8>(), made.len());
        H5free_memory(*buffer);
        *buffer = place;
        *size = made.len();
    }
    made.len()
}

/// The content of a frame, which need not say how long it is, and may lie about it.
fn unpack(from: &[u8]) -> Option<Vec<u8>> {
    // HDF5 has no chunks of 4 GiB or more.
    let most = 1 << 32;
    let mut made = Vec::new();
    let decoder = zstd::stream::read::Decoder::with_buffer(from).ok()?;
    decoder.take(most).read_to_end(&mut made).ok()?;
    Some(made)
}
