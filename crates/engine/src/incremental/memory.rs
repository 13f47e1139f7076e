//! What records take of a process's memory, and how much they may.
use super::flow::Record;
use base::{Failure, FailureKind};
use std::sync::atomic::{AtomicU64, Ordering};

/// The worker that has made a record and differential dataflow hold the same state; where keys hardly
/// repeat among files, sums of some files are as large, in each step. So many bytes for each record,
/// beside those of its state,
const EACH: u64 = 300;

/// and these so often.
const TIMES: u64 = 3;

/// The memory of the records of a process.
#[derive(Debug)]
pub struct Memory {
    bytes: AtomicU64,
    most: u64,
}

impl Memory {
    /// So many bytes, at most.
    pub fn new(most: u64) -> Memory {
        Memory { bytes: AtomicU64::new(0), most }
    }

    /// Counts records that have come,
    pub fn take(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// and such as have gone.
    pub fn give_back(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes that are taken, about.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The failure, if it is more than there may be.
    pub fn exceeded(&self) -> Option<Failure> {
        (self.bytes() > self.most).then(|| {
            let size = |bytes: u64| format!("{} MiB", bytes.div_ceil(1 << 20));
            let message = format!(
                "what is known of what the files give to the keys of the reductions takes more than \
                 {} in a process",
                size(self.most)
            );
            Failure::new(FailureKind::Memory, message)
        })
    }
}

/// The bytes that records take, about.
pub fn weight(records: &[Record]) -> u64 {
    let each = |(_, (_, state)): &Record| EACH + TIMES * state.held() as u64;
    records.iter().map(each).sum()
}
