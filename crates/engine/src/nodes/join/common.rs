//! What the workers of a process gather together, each some tiles of it, and then use together.
use crate::credit::Wake;
use crate::watch::lock;
use base::Failure;
use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

/// First a `B` that all workers of a process add to; when all of them have ended, a `T`.
pub struct Common<B, T> {
    gathered: Mutex<Gathered<B>>,
    made: OnceLock<T>,
    wakes: Mutex<Vec<Wake>>,
}

struct Gathered<B> {
    it: Option<B>,
    /// How many workers have not ended.
    open: usize,
}

impl<B, T> Common<B, T> {
    /// For so many workers.
    pub fn new(workers: usize, begin: B) -> Common<B, T> {
        let gathered = Mutex::new(Gathered { it: Some(begin), open: workers });
        Common { gathered, made: OnceLock::new(), wakes: Mutex::default() }
    }

    /// Adds to it.
    ///
    /// # Errors
    /// As `add`, and if all have ended.
    pub fn add(&self, add: impl FnOnce(&mut B) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut gathered = lock(&self.gathered);
        add(gathered.it.as_mut().ok_or_else(late)?)
    }

    /// One worker has ended. The last one makes the rest, and wakes the others.
    ///
    /// # Errors
    /// As `make`.
    pub fn end(&self, make: impl FnOnce(B) -> Result<T, Failure>) -> Result<(), Failure> {
        let it = {
            let mut gathered = lock(&self.gathered);
            gathered.open = gathered.open.saturating_sub(1);
            if gathered.open > 0 {
                return Ok(());
            }
            gathered.it.take().ok_or_else(late)?
        };
        let made = make(it)?;
        let first = self.made.set(made).is_ok();
        self.wake();
        if first { Ok(()) } else { Err(late()) }
    }

    /// What was made, when it is there.
    pub fn get(&self) -> Option<&T> {
        self.made.get()
    }

    /// What wakes a worker that waits for it.
    pub fn wake_by(&self, wake: Wake) {
        lock(&self.wakes).push(wake);
    }

    /// Wakes all workers.
    pub fn wake(&self) {
        lock(&self.wakes).iter().for_each(|wake| wake());
    }
}

fn late() -> Failure {
    Failure::internal("a worker adds to what is whole")
}

/// What the workers of a process have in common, by the node that it is of. When all have asked
/// for it, they alone hold it.
#[derive(Default)]
pub struct Commons {
    list: Mutex<HashMap<usize, Asked>>,
}

/// What they have in common, and how many of them have not asked for it.
type Asked = (Arc<dyn Any + Send + Sync>, usize);

impl Commons {
    /// That of a node, for one of so many workers; the first one makes it.
    ///
    /// # Errors
    /// If the node is of another kind.
    pub fn get<T: Any + Send + Sync>(
        &self,
        node: usize,
        workers: usize,
        make: impl FnOnce() -> T,
    ) -> Result<Arc<T>, Failure> {
        let mut list = lock(&self.list);
        let (common, left) =
            list.remove(&node).unwrap_or_else(|| (Arc::new(make()) as Arc<_>, workers));
        if left > 1 {
            list.insert(node, (common.clone(), left - 1));
        }
        let wrong = |_| Failure::internal("workers have other plans");
        common.downcast().map_err(wrong)
    }
}
