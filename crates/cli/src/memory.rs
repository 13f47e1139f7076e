//! Memory comes in large pages, and what a tile gave back stays with the process, for the next
//! tile: a page that comes, or comes again, from the system costs more than to write it.

use crate::machine::is_limited;
use base::FailureKind;
use signal_hook::consts::SIGABRT;
use signal_hook::low_level;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

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
        let piece = noted(unsafe { System.alloc(layout) }, layout.size());
        advise(piece, layout.size());
        piece
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the same promises.
        let piece = noted(unsafe { System.alloc_zeroed(layout) }, layout.size());
        advise(piece, layout.size());
        piece
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: the caller keeps the same promises.
        let piece = noted(unsafe { System.realloc(piece, layout, bytes) }, bytes);
        advise(piece, bytes);
        piece
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the same promises.
        unsafe { System.dealloc(piece, layout) }
    }
}

/// Bytes that the system did not give when it was last asked for too many; 0 if it never was.
static REFUSED: AtomicUsize = AtomicUsize::new(0);

fn noted(piece: *mut u8, bytes: usize) -> *mut u8 {
    if piece.is_null() {
        REFUSED.store(bytes, Relaxed);
    }
    piece
}

/// To be called first.
pub fn prepare() {
    keep_freed();
    if is_limited() {
        share_arena();
    }
    end_in_words();
}

/// All threads share one arena: each would set address space aside for its own.
fn share_arena() {
    // malloc.h
    const ARENA_MAX: i32 = -8;
    tell_allocator(ARENA_MAX, 1);
}

/// What is said when memory is lacking, after the number of bytes.
const NO_MEMORY: &[u8] =
    b"error: there is no more memory: use smaller tiles (--tile), fewer threads (-w), or allow more\n";

/// Whoever needs memory and gets none aborts the process: then it is to end with a sentence and the
/// exit code for it. Other aborts stay what they are.
fn end_in_words() {
    let end = || {
        if REFUSED.load(Relaxed) > 0 {
            // It may be gone; there is nothing else to tell it to.
            let _ = rustix::io::write(rustix::stdio::stderr(), NO_MEMORY);
            low_level::exit(FailureKind::Memory.exit_code().into());
        }
    };
    // SAFETY: the action loads an atomic number, writes constant bytes and exits, all of which may
    // be done in a signal handler.
    let caught = unsafe { low_level::register(SIGABRT, end) };
    // Without it the process aborts, as it would have.
    drop(caught);
}

/// Tells the C library's allocator so, where there is one that can be told. By itself it would
/// give back all beyond twice the largest piece, which is a column, after every tile.
fn keep_freed() {
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
fn keep(bytes: u64) {
    // malloc.h
    const TRIM_THRESHOLD: i32 = -1;
    const MMAP_THRESHOLD: i32 = -3;
    let bytes = bytes.min(64 << 20) as i32;
    tell_allocator(MMAP_THRESHOLD, bytes / 2);
    tell_allocator(TRIM_THRESHOLD, bytes);
}

/// Sets an option of the C library's allocator, where there is one that has options.
#[cfg_attr(not(all(target_os = "linux", target_env = "gnu")), expect(unused_variables))]
fn tell_allocator(option: i32, value: i32) {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use std::ffi::c_int;
        unsafe extern "C" {
            fn mallopt(option: c_int, value: c_int) -> c_int;
        }
        // SAFETY: options take numbers and are set under the allocator's own lock; what is
        // refused is left as it was.
        unsafe { mallopt(option, value) };
    }
}
