//! Memory comes in large pages, and what a tile gave back stays with the process, for the next
//! tile: a page that comes, or comes again, from the system costs more than to write it.

use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator, which asks for large pages where much is wanted at once: the first
/// write to each small page costs more than to write it.
pub struct LargePages;

/// Pieces of so many bytes have a large page of 2 MiB inside, wherever they begin.
const LARGE: usize = 4 << 20;

/// Says that a piece may have large pages.
#[cfg_attr(not(target_os = "linux"), expect(unused_variables))]
fn advise(piece: *mut u8, bytes: usize) {
    #[cfg(target_os = "linux")]
    if bytes >= LARGE && !piece.is_null() {
        use rustix::mm::{Advice, madvise};
        const PAGE: usize = 2 << 20;
        let before = piece.align_offset(PAGE);
        if let Some(pages) = bytes.checked_sub(before).map(|b| b / PAGE * PAGE) {
            // SAFETY: the range is inside the piece; the advice changes no byte. A system without
            // large pages refuses it, and nothing is different then.
            let _ =
                unsafe { madvise(piece.wrapping_add(before).cast(), pages, Advice::LinuxHugepage) };
        }
    }
}

// SAFETY: all pieces come from the system's allocator and go back to it as they came.
unsafe impl GlobalAlloc for LargePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the same promises.
        let piece = unsafe { System.alloc(layout) };
        advise(piece, layout.size());
        piece
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the same promises.
        let piece = unsafe { System.alloc_zeroed(layout) };
        advise(piece, layout.size());
        piece
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: the caller keeps the same promises.
        let piece = unsafe { System.realloc(piece, layout, bytes) };
        advise(piece, bytes);
        piece
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the same promises.
        unsafe { System.dealloc(piece, layout) }
    }
}

/// Tells the C library's allocator so, where there is one that can be told. By itself it would
/// give back all beyond twice the largest piece, which is a column, after every tile.
pub fn keep_freed() {
    keep(64 << 20);
}

/// Each thread of a process that may take so many bytes keeps no more than a part of them.
pub fn keep_less(bytes: u64, threads: usize) {
    let part = bytes / 16 / threads.max(1) as u64;
    if part < 64 << 20 {
        keep(part.max(1 << 20));
    }
}

/// Each thread keeps up to so many bytes, in pieces of up to half of that.
#[cfg_attr(not(all(target_os = "linux", target_env = "gnu")), expect(unused_variables))]
fn keep(bytes: u64) {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use std::ffi::c_int;
        unsafe extern "C" {
            fn mallopt(option: c_int, value: c_int) -> c_int;
        }
        // malloc.h
        const TRIM_THRESHOLD: c_int = -1;
        const MMAP_THRESHOLD: c_int = -3;
        let bytes = bytes.min(64 << 20) as c_int;
        // SAFETY: both options take bytes and are set under the allocator's own lock; what is
        // refused is left as it was.
        unsafe {
            mallopt(MMAP_THRESHOLD, bytes / 2);
            mallopt(TRIM_THRESHOLD, bytes);
        }
    }
}
