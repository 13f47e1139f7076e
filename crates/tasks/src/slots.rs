//! How many programs and downloads the process can have in flight with the open files that it may
//! have.
use base::{Code, Warning};
use rustix::process::{Resource, getrlimit};
use std::fs;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Files that the rest of the process may come to need.
const OTHERS: usize = 64;

/// What takes open files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A program: three pipes, and what tells its end.
    Program,
    /// A download: a connection, the file that it goes into, and one more for a look at what is there.
    Download,
}

impl Kind {
    /// Open files of one.
    fn files(self) -> usize {
        match self {
            Kind::Program => 4,
            Kind::Download => 3,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Program => "programs",
            Kind::Download => "downloads",
        }
    }

    fn slots(self) -> &'static Slots {
        static SLOTS: [OnceLock<Slots>; 2] = [OnceLock::new(), OnceLock::new()];
        SLOTS[self as usize].get_or_init(|| {
            let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
            let open = fs::read_dir("/proc/self/fd").map_or(OTHERS, Iterator::count);
            let all = fitting(files, open, self.files());
            Slots { free: Semaphore::new(all), all, files }
        })
    }
}

/// Those of a kind, of all steps of the process.
struct Slots {
    free: Semaphore,
    /// How many there are.
    all: usize,
    /// Open files that the process may have.
    files: u64,
}

/// How many of `each` files fit beside those that are open.
fn fitting(files: u64, open: usize, each: usize) -> usize {
    let left = usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(open + OTHERS);
    (left / each).clamp(1, Semaphore::MAX_PERMITS)
}

/// Whether rows of a step have had to wait because there are too few, and whether that was told.
#[derive(Debug)]
pub struct Waited {
    kind: Kind,
    waited: AtomicBool,
    told: AtomicBool,
}

impl Waited {
    /// None has waited yet.
    pub fn new(kind: Kind) -> Waited {
        Waited { kind, waited: AtomicBool::new(false), told: AtomicBool::new(false) }
    }

    /// A slot, as soon as there is one; `None` never comes: they are not closed.
    pub async fn slot(&self) -> Option<SemaphorePermit<'static>> {
        let free = &self.kind.slots().free;
        if let Ok(slot) = free.try_acquire() {
            return Some(slot);
        }
        self.waited.store(true, Relaxed);
        free.acquire().await.ok()
    }

    /// The warning, once.
    pub fn met(&self) -> Option<Warning> {
        if !self.waited.load(Relaxed) || self.told.swap(true, Relaxed) {
            return None;
        }
        let (Slots { all, files, .. }, name) = (self.kind.slots(), self.kind.name());
        let message =
            format!("no more than {all} {name} are in flight: {files} open files are allowed");
        let warning = Warning::new(Code::FewerInFlight, message);
        Some(warning.help("`ulimit -n` with a larger number before the run allows more"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_a_part_of_the_files_that_are_left() {
        assert_eq!(fitting(1024, 60, 3), 300);
        assert_eq!(fitting(64, 60, 4), 1);
        assert_eq!(fitting(u64::MAX, 10, 4), Semaphore::MAX_PERMITS);
    }
}
