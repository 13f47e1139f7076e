//! How many downloads the process can have in flight with the open files that it may have.
use base::{Code, Warning};
use rustix::process::{Resource, getrlimit};
use std::fs;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tokio::sync::{Semaphore, SemaphorePermit};

/// A connection, the file that it goes into, and one more for a look at what is there.
const EACH: usize = 3;
/// Files that the rest of the process may come to need.
const OTHERS: usize = 64;

/// Downloads of all steps of the process.
struct Slots {
    free: Semaphore,
    /// How many there are.
    all: usize,
    /// Open files that the process may have.
    files: u64,
}

fn slots() -> &'static Slots {
    static SLOTS: OnceLock<Slots> = OnceLock::new();
    SLOTS.get_or_init(|| {
        let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let open = fs::read_dir("/proc/self/fd").map_or(OTHERS, Iterator::count);
        let all = fitting(files, open);
        Slots { free: Semaphore::new(all), all, files }
    })
}

/// How many fit beside the files that are open.
fn fitting(files: u64, open: usize) -> usize {
    let left = usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(open + OTHERS);
    (left / EACH).clamp(1, Semaphore::MAX_PERMITS)
}

/// Whether rows of a step have had to wait because there are too few, and whether that was told.
#[derive(Debug, Default)]
pub(super) struct Waited {
    waited: AtomicBool,
    told: AtomicBool,
}

impl Waited {
    /// A slot, as soon as there is one; `None` never comes: they are not closed.
    pub(super) async fn slot(&self) -> Option<SemaphorePermit<'static>> {
        if let Ok(slot) = slots().free.try_acquire() {
            return Some(slot);
        }
        self.waited.store(true, Relaxed);
        slots().free.acquire().await.ok()
    }

    /// The warning, once.
    pub(super) fn met(&self) -> Option<Warning> {
        if !self.waited.load(Relaxed) || self.told.swap(true, Relaxed) {
            return None;
        }
        let Slots { all, files, .. } = slots();
        let message =
            format!("no more than {all} downloads are in flight: {files} open files are allowed");
        let warning = Warning::new(Code::FewerInFlight, message);
        Some(warning.help("`ulimit -n` with a larger number before the run allows more"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_a_third_of_the_files_that_are_left() {
        assert_eq!(fitting(1024, 60), 300);
        assert_eq!(fitting(64, 60), 1);
        assert_eq!(fitting(u64::MAX, 10), Semaphore::MAX_PERMITS);
    }
}
