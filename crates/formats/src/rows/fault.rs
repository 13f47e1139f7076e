//! Mapped files that another program cuts short: looking behind their new end raises SIGBUS, which
//! would end the process without a word. Here it is noted, and the reader goes on with zeros until
//! it asks [`cut_short`].
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// A mapping that is watched. Never freed: a signal handler may look at it at any time.
pub(super) struct Watched {
    /// The addresses; both 0 if it is free to be used again.
    start: AtomicUsize,
    end: AtomicUsize,
    cut: AtomicBool,
    next: AtomicPtr<Watched>,
}

static ALL: AtomicPtr<Watched> = AtomicPtr::new(std::ptr::null_mut());

fn all() -> impl Iterator<Item = &'static Watched> {
    let at = |place: &AtomicPtr<Watched>| {
        // SAFETY: the pointers come from `Box::leak` in `watch` and are never freed.
        unsafe { place.load(Ordering::Acquire).as_ref::<'static>() }
    };
    std::iter::successors(at(&ALL), move |watched| at(&watched.next))
}

fn of(address: usize) -> Option<&'static Watched> {
    all().find(|w| {
        let (start, end) = (w.start.load(Ordering::Acquire), w.end.load(Ordering::Acquire));
        start <= address && address < end
    })
}

/// Watches a mapping until [`unwatch`].
pub(super) fn watch(start: usize, len: usize) -> &'static Watched {
    handler::install();
    let free = |w: &&Watched| {
        // A start that is no address keeps others from taking it, and holds nothing yet.
        w.end.load(Ordering::Acquire) == 0
            && w.start.compare_exchange(0, usize::MAX, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    };
    let watched = all().find(free).unwrap_or_else(push);
    watched.cut.store(false, Ordering::Release);
    watched.end.store(start.saturating_add(len), Ordering::Release);
    watched.start.store(start, Ordering::Release);
    watched
}

fn push() -> &'static Watched {
    let new: &'static mut Watched = Box::leak(Box::new(Watched {
        start: AtomicUsize::new(usize::MAX),
        end: AtomicUsize::new(0),
        cut: AtomicBool::new(false),
        next: AtomicPtr::new(std::ptr::null_mut()),
    }));
    let new: *mut Watched = new;
    let mut first = ALL.load(Ordering::Acquire);
    loop {
        // SAFETY: `new` was leaked above; until it is in the list nobody else has it, then all
        // share it.
        let shared: &'static Watched = unsafe { &*new };
        shared.next.store(first, Ordering::Release);
        match ALL.compare_exchange(first, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return shared,
            Err(other) => first = other,
        }
    }
}

/// Ends watching, before the mapping goes.
pub(super) fn unwatch(watched: &Watched) {
    watched.start.store(usize::MAX, Ordering::Release);
    watched.end.store(0, Ordering::Release);
    watched.start.store(0, Ordering::Release);
}

/// Whether the file of the mapping at an address has been found to be shorter than it was.
pub(super) fn cut_short(address: usize) -> bool {
    of(address).is_some_and(|w| w.cut.load(Ordering::Acquire))
}

#[cfg(target_os = "linux")]
mod handler {
    use super::{Ordering, of};
    use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
    use std::sync::OnceLock;

    /// What was done about the signal before.
    static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();
    /// Pages are larger on some machines; their sizes divide this.
    const PAGE: usize = 1 << 16;

    pub(super) fn install() {
        BEFORE.get_or_init(|| {
            // SAFETY: `sigaction` is plain data, for which zeros are valid.
            let mut before: libc::sigaction = unsafe { std::mem::zeroed() };
            // SAFETY: as above.
            let mut ours: libc::sigaction = unsafe { std::mem::zeroed() };
            ours.sa_sigaction = on_fault as *const () as usize;
            ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            // SAFETY: both point to what they should; the handler calls only what may be called
            // in one: atomics, a system call, and what was there before.
            unsafe { libc::sigaction(libc::SIGBUS, std::ptr::null(), &raw mut before) };
            // SAFETY: as above. What was there before is known by the time that this one runs,
            // or `pass_on` falls back to the default.
            unsafe { libc::sigaction(libc::SIGBUS, &raw const ours, std::ptr::null_mut()) };
            before
        });
    }

    extern "C" fn on_fault(
        signal: libc::c_int,
        info: *mut libc::siginfo_t,
        context: *mut libc::c_void,
    ) {
        // SAFETY: the system hands over a valid `siginfo_t`, which has an address for SIGBUS.
        let address = unsafe { (*info).si_addr() } as usize;
        let handled = of(address).is_some_and(|watched| {
            let end = watched.end.load(Ordering::Acquire);
            let start = watched.start.load(Ordering::Acquire);
            watched.cut.store(true, Ordering::Release);
            zeros((address & !(page() - 1)).max(start), end)
        });
        if !handled {
            pass_on(signal, info, context);
        }
    }

    fn page() -> usize {
        // A cached number of the auxiliary vector.
        rustix::param::page_size().min(PAGE)
    }

    /// Puts zeros in place of the rest of a mapping.
    fn zeros(start: usize, end: usize) -> bool {
        let (protection, flags) = (ProtFlags::READ, MapFlags::PRIVATE | MapFlags::FIXED);
        let len = end.saturating_sub(start);
        // SAFETY: the pages belong to a mapping of ours that lives while it is read, which is what
        // has raised the signal; it is only read, and each byte behind the first that cannot be
        // read lies behind the end of the file too.
        unsafe { mmap_anonymous(start as *mut _, len, protection, flags) }.is_ok()
    }

    /// Does what would have been done without this handler.
    fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
        let before = BEFORE.get();
        match before.map(|b| b.sa_sigaction) {
            Some(libc::SIG_IGN) | Some(libc::SIG_DFL) | None => {
                // SAFETY: the default action; the instruction that failed is run again and ends
                // the process.
                unsafe { libc::signal(signal, libc::SIG_DFL) };
            }
            Some(handler) => {
                // SAFETY: the address of a handler that was installed with `sigaction`; one that
                // takes the signal alone does not look at the other arguments.
                let handler: Handler = unsafe { std::mem::transmute::<usize, Handler>(handler) };
                handler(signal, info, context);
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod handler {
    pub(super) fn install() {}
}
