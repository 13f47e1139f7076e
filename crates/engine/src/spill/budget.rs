//! The bytes of state that a process may hold, and who holds them.
//!
//! Half of the budget is split evenly between all that hold state: this much each has for itself,
//! whatever the others do. The other half is lent to whoever asks first. So all of them together
//! never hold more than the budget, and one that is alone has more than half of it.
use super::Folder;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// What the stages of a process may hold.
#[derive(Debug)]
pub struct Budget {
    limit: u64,
    /// How many there are that may hold something.
    shares: AtomicU64,
    /// What is held beyond the shares.
    lent: AtomicU64,
    /// Where the rest goes.
    folder: Folder,
    written: AtomicU64,
}

impl Budget {
    /// So many bytes; what does not fit goes to files in a folder.
    pub fn new(limit: u64, folder: Folder) -> Arc<Budget> {
        let (shares, lent, written) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Budget { limit, shares, lent, folder, written })
    }

    /// A part of it. All that will hold state take theirs before the first of them holds any.
    pub fn share(self: &Arc<Budget>) -> Share {
        self.shares.fetch_add(1, SeqCst);
        Share { budget: self.clone(), loan: Loan { budget: self.clone(), bytes: 0 } }
    }

    /// Whether so many bytes could be lent.
    pub fn has_room(&self, bytes: u64) -> bool {
        self.lent.load(SeqCst).saturating_add(bytes) <= self.room()
    }

    /// Lends so many bytes, if there is room.
    pub fn lend(self: &Arc<Budget>, bytes: u64) -> Option<Loan> {
        let lend = |lent: u64| lent.checked_add(bytes).filter(|lent| *lent <= self.room());
        self.lent.fetch_update(SeqCst, SeqCst, lend).ok()?;
        Some(Loan { budget: self.clone(), bytes })
    }

    /// What all of them together may hold.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// What is not in shares.
    fn room(&self) -> u64 {
        self.limit - self.limit / 2
    }

    /// So much at a time of what is in files may be in memory, by one of so many at once, beside
    /// what is held: see [`Share::chunk`] for the least.
    pub fn part(&self, of: usize) -> u64 {
        (self.limit / 16 / of.max(1) as u64).clamp(1 << 18, 1 << 26)
    }

    /// Where files are.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Counts bytes that were written to files.
    pub fn wrote(&self, bytes: u64) {
        self.written.fetch_add(bytes, SeqCst);
    }

    /// Bytes that were written to files.
    pub fn written(&self) -> u64 {
        self.written.load(SeqCst)
    }
}

/// Bytes that were lent; when this is dropped, they are given back.
#[derive(Debug)]
pub struct Loan {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Loan {
    /// Gives them back now.
    pub fn give_back(&mut self) {
        self.budget.lent.fetch_sub(std::mem::take(&mut self.bytes), SeqCst);
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// What one stage holds; when it is dropped, nothing.
#[derive(Debug)]
pub struct Share {
    budget: Arc<Budget>,
    loan: Loan,
}

impl Share {
    /// The budget that this is a part of.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// The bytes that it may hold whatever the others do. It only ever grows.
    pub fn own(&self) -> u64 {
        self.budget.limit / 2 / self.budget.shares.load(SeqCst).max(1)
    }

    /// Bytes of a chunk of a file before it is compressed: large enough for a disk, and small
    /// enough that one of each of some runs fits.
    pub fn chunk(&self) -> usize {
        (self.own() / 16).clamp(1 << 16, 1 << 20) as usize
    }

    /// Whether so many bytes may be held instead of those before. If not, nothing has changed, and
    /// something is to be let go of.
    pub fn hold(&mut self, bytes: u64) -> bool {
        let beyond = bytes.saturating_sub(self.own());
        if let Some(less) = self.loan.bytes.checked_sub(beyond) {
            self.budget.lent.fetch_sub(less, SeqCst);
            self.loan.bytes = beyond;
            return true;
        }
        match self.budget.lend(beyond - self.loan.bytes) {
            Some(mut more) => {
                self.loan.bytes += std::mem::take(&mut more.bytes);
                true
            }
            None => false,
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.shares.fetch_sub(1, SeqCst);
    }
}

/// When to weigh what a stage holds, where that takes time: whenever a sixteenth has come in.
#[derive(Debug, Default)]
pub struct Weigh {
    weight: u64,
    since: u64,
}

impl Weigh {
    /// Whether to weigh again, so many bytes having come in.
    pub fn due(&mut self, bytes: u64) -> bool {
        const LEAST: u64 = 1 << 18;
        self.since += bytes;
        self.since >= LEAST.max(self.weight / 16)
    }

    /// What it weighed.
    pub fn weighed(&mut self, bytes: u64) {
        *self = Weigh { weight: bytes, since: 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_budget_is_held() {
        let budget = Budget::new(800, Folder::new("/nowhere"));
        let mut shares: Vec<Share> = (0..4).map(|_| budget.share()).collect();
        assert_eq!(shares[0].own(), 100);
        // Its own, and all that is lent.
        assert!(shares[0].hold(500) && !shares[0].hold(501));
        assert!(shares[1].hold(100) && !shares[1].hold(101));
        assert!(shares[0].hold(300) && shares[1].hold(300) && !shares[2].hold(101));
        drop(shares.remove(0));
        assert!(shares[1].hold(300) && !shares[1].hold(801));
        shares.truncate(1);
        assert!(shares[0].hold(800));
    }

    #[test]
    fn what_is_heavy_is_weighed_seldom() {
        let mut weigh = Weigh::default();
        assert!(!weigh.due(1000) && weigh.due(1 << 18));
        weigh.weighed(1 << 30);
        assert!(!weigh.due(1 << 20) && weigh.due(1 << 26));
    }
}
