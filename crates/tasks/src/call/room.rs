//! How many programs a process can have at a time: each takes open files for its pipes and its end.
use rustix::process::{Resource, getrlimit};
use std::sync::OnceLock;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Open files of a program that runs: three pipes, and what tells its end.
const EACH: u64 = 4;

/// Open files that all else takes: inputs, outputs, the event loop, pipes of a start under way.
const OTHERS: u64 = 64;

/// So many programs can run at a time in this process; more than that wait, whatever `concurrency`
/// says.
pub fn most_at_once() -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let most = files.saturating_sub(OTHERS.min(files / 2)) / EACH;
    usize::try_from(most).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS)
}

/// Room for a program, as soon as there is some.
pub(super) async fn room() -> Option<SemaphorePermit<'static>> {
    static ROOM: OnceLock<Semaphore> = OnceLock::new();
    // It is never closed.
    ROOM.get_or_init(|| Semaphore::new(most_at_once())).acquire().await.ok()
}
