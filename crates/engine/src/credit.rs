//! Credits: how many tiles of a `Read` a worker may have in flight, or of a stage that makes tiles
//! of what it has held.
//!
//! A tile carries a credit, and so does whatever still holds its data; when the last copy is
//! dropped, in whatever thread or process, the credit goes back to where the tile came from.
//! Beyond its few credits a stage gives tiles on as long as the budget of state has room for them.
use crate::parcel::Item;
use crate::spill::{Budget, Loan};
use crate::watch::{Watch, lock};
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// What to do when a credit has come back: wakes an operator.
pub type Wake = Box<dyn Fn() + Send + Sync>;

/// The credits of one `Read` or stage in one worker.
pub struct Pool {
    free: AtomicUsize,
    /// Counts the tiles that are done, if these are such.
    watch: Option<Arc<Watch>>,
    wake: Wake,
}

impl Pool {
    /// A pool of so many credits for tiles that are read.
    pub fn new(credits: usize, watch: Arc<Watch>, wake: Wake) -> Arc<Pool> {
        Arc::new(Pool { free: AtomicUsize::new(credits.max(1)), watch: Some(watch), wake })
    }

    /// A pool of so many credits for tiles that a stage makes of what it has held.
    pub fn derived(credits: usize, wake: Wake) -> Arc<Pool> {
        Arc::new(Pool { free: AtomicUsize::new(credits.max(1)), watch: None, wake })
    }

    /// Whether [`Pool::take`] would give one.
    pub fn has_free(&self) -> bool {
        self.free.load(SeqCst) > 0
    }

    /// Takes a credit; only one thread ever takes.
    pub fn take(self: &Arc<Pool>) -> Option<Credit> {
        self.free.fetch_update(SeqCst, SeqCst, |free| free.checked_sub(1)).ok()?;
        Some(Credit { _slot: Arc::new(Slot::Local(self.clone())) })
    }

    /// A credit for so many bytes that the budget lends or, if it has no room, one of the few.
    pub fn lend(self: &Arc<Pool>, bytes: u64, budget: &Arc<Budget>) -> Option<Credit> {
        match budget.lend(bytes) {
            Some(loan) => Some(Credit { _slot: Arc::new(Slot::Lent(self.clone(), loan)) }),
            None => self.take(),
        }
    }
}

/// Gives tiles that have no credit this one.
pub fn sign(item: &mut Item, credit: &Credit) {
    match item {
        Item::Tile(parcel) => {
            parcel.credit.get_or_insert_with(|| credit.clone());
        }
        Item::To(_, item) => sign(item, credit),
        Item::Closed(_) | Item::Rows { .. } => {}
    }
}

/// Tickets of credits that are held in another process and can be given back there.
pub struct Returns {
    tickets: Mutex<Vec<Ticket>>,
    wake: Wake,
}

/// Which credit: the worker that holds it, and the number it has there.
pub type Ticket = (usize, u64);

impl Returns {
    /// None yet; `wake` is called when there are some.
    pub fn new(wake: Wake) -> Arc<Returns> {
        Arc::new(Returns { tickets: Mutex::default(), wake })
    }

    /// A credit that stands for one held elsewhere.
    pub fn credit(self: &Arc<Returns>, ticket: Ticket) -> Credit {
        Credit { _slot: Arc::new(Slot::Remote(self.clone(), ticket)) }
    }

    /// What has come back since the last call.
    pub fn drain(&self) -> Vec<Ticket> {
        std::mem::take(&mut *lock(&self.tickets))
    }
}

/// A share in a credit; it goes back when the last share is dropped.
#[derive(Clone)]
pub struct Credit {
    _slot: Arc<Slot>,
}

impl fmt::Debug for Credit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Credit")
    }
}

enum Slot {
    Local(Arc<Pool>),
    Lent(Arc<Pool>, Loan),
    Remote(Arc<Returns>, Ticket),
}

impl Drop for Slot {
    fn drop(&mut self) {
        match self {
            Slot::Local(pool) => {
                if let Some(watch) = &pool.watch {
                    watch.tile_done();
                }
                // Who saw a free one goes on by itself.
                if pool.free.fetch_add(1, SeqCst) == 0 {
                    (pool.wake)();
                }
            }
            Slot::Lent(pool, loan) => {
                loan.give_back();
                (pool.wake)();
            }
            Slot::Remote(returns, ticket) => {
                lock(&returns.tickets).push(*ticket);
                (returns.wake)();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_share_gives_the_credit_back() {
        let woken = Arc::new(AtomicUsize::new(0));
        let count = woken.clone();
        let watch = Arc::new(Watch::new());
        let pool = Pool::new(
            1,
            watch.clone(),
            Box::new(move || {
                count.fetch_add(1, SeqCst);
            }),
        );
        let credit = pool.take();
        assert!(credit.is_some() && pool.take().is_none());
        let share = credit.clone();
        drop(credit);
        assert!(!pool.has_free());
        drop(share);
        assert!(pool.has_free());
        assert_eq!((woken.load(SeqCst), watch.tiles_done()), (1, 1));
    }

    #[test]
    fn remote_credits_come_back_as_tickets() {
        let returns = Returns::new(Box::new(|| ()));
        drop(returns.credit((3, 7)));
        assert_eq!(returns.drain(), [(3, 7)]);
        assert!(returns.drain().is_empty());
    }
}
