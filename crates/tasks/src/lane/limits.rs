//! What all starts of a process share.
use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};

/// How much of what a process has each start takes while it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Cores.
    pub cores: u32,
    /// Bytes of memory.
    pub memory: u64,
}

/// What all starts of a process share.
#[derive(Debug)]
pub struct Limits {
    cores: Semaphore,
    megabytes: Semaphore,
    /// The same in numbers.
    pub has: Needs,
}

/// The unit in which memory is taken.
const MEGABYTE: u64 = 1 << 20;

impl Limits {
    /// A process with so many cores and bytes.
    pub fn new(has: Needs) -> Limits {
        let megabytes = (has.memory / MEGABYTE).min(u64::from(u32::MAX >> 3)) as usize;
        let cores = Semaphore::new(has.cores.max(1) as usize);
        Limits { cores, megabytes: Semaphore::new(megabytes), has }
    }

    /// Takes cores and memory, in this order, so that nobody waits in a circle.
    pub(super) async fn acquire(
        &self,
        needs: Needs,
    ) -> Result<[SemaphorePermit<'_>; 2], AcquireError> {
        let cores = self.cores.acquire_many(needs.cores).await?;
        let megabytes = u32::try_from(needs.memory.div_ceil(MEGABYTE)).unwrap_or(u32::MAX);
        Ok([cores, self.megabytes.acquire_many(megabytes).await?])
    }
}
