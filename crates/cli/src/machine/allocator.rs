//! What the allocator of the C library does with memory that is freed.

/// Buffers up to this size come from memory that was freed before, in bytes; the most that glibc allows.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const REUSED: i32 = 32 << 20;

/// So many freed bytes at the end of a heap stay with the process.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT: i32 = 64 << 20;

/// Lets glibc keep freed memory for the next tile. It would give every large buffer back to the
/// kernel, which must clear each page that it hands out again: that costs more than to decode a
/// column. The most that is held at any time does not change. Call before threads start.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for (parameter, value) in [
        (libc::M_MMAP_THRESHOLD, REUSED),
        (libc::M_TRIM_THRESHOLD, KEPT),
        (libc::M_TOP_PAD, 1 << 20),
    ] {
        // SAFETY: it only sets a number of the allocator; one that it refuses changes nothing.
        unsafe { libc::mallopt(parameter, value) };
    }
}
