//! Memory that a tile gave back stays with the process, for the next tile: a page that goes back
//! to the system and comes again costs more than to write it.

/// Tells the C library's allocator so, where there is one that can be told. By itself it would
/// give back all beyond twice the largest piece, which is a column, after every tile.
pub fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use std::ffi::c_int;
        unsafe extern "C" {
            fn mallopt(option: c_int, value: c_int) -> c_int;
        }
        // malloc.h
        const TRIM_THRESHOLD: c_int = -1;
        const MMAP_THRESHOLD: c_int = -3;
        // SAFETY: no other thread runs yet; both options take bytes, and what is refused is left
        // as it was.
        unsafe {
            mallopt(MMAP_THRESHOLD, 32 << 20);
            mallopt(TRIM_THRESHOLD, 64 << 20);
        }
    }
}
