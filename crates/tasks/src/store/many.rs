//! Things that wait, done side by side by threads that do nothing else.
use std::sync::atomic::{AtomicUsize, Ordering};

/// Things that are done at a time.
const AT_ONCE: usize = 32;

/// Does something with each of some things, many at a time; what comes of them is in their order.
pub fn side_by_side<I: Sync, T: Send>(all: &[I], act: impl Fn(&I) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(thing) = all.get(at) else { return done };
            done.push((at, act(thing)));
        }
    };
    let mut done: Vec<(usize, T)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE.min(all.len())).map(|_| scope.spawn(work)).collect();
        let results = threads.into_iter().map(|thread| thread.join());
        // A panic goes on where it would have without threads.
        results.flat_map(|done| done.unwrap_or_else(|e| std::panic::resume_unwind(e))).collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, made)| made).collect()
}
