//! Memory that the allocator keeps goes back to the system.

/// Gives back what is free. The allocator keeps it for what is asked for next, which saves time as
/// long as there is enough; state that has been written to a file was too much.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        unsafe extern "C" {
            fn malloc_trim(pad: usize) -> std::ffi::c_int;
        }
        // SAFETY: it may be called at any time by any thread, and touches only what is free.
        unsafe {
            malloc_trim(0);
        }
    }
}
