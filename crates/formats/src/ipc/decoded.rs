//! Batches that are decoded, so that one of many tiles is not decoded for each of them: each
//! thread keeps the last one that it read, and finds those of the others.
use arrow_array::ArrayRef;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// Columns of a batch: its place in the input, and theirs.
type Key = (usize, Vec<usize>);
/// What whoever comes first puts in, and others wait for.
type Slot = Arc<Mutex<Option<Arc<Vec<ArrayRef>>>>>;

/// The batches that the threads of a process have read last.
#[derive(Default)]
pub(super) struct Decoded(Mutex<HashMap<ThreadId, (Key, Slot)>>);

impl Decoded {
    /// Columns of a batch, decoded if no thread has them.
    pub(super) fn get(
        &self,
        batch: usize,
        columns: &[usize],
        decode: impl FnOnce() -> Result<Vec<ArrayRef>, String>,
    ) -> Result<Arc<Vec<ArrayRef>>, String> {
        let slot = self.slot((batch, columns.to_vec()));
        let mut slot = lock(&slot);
        if let Some(arrays) = &*slot {
            return Ok(arrays.clone());
        }
        let arrays = Arc::new(decode()?);
        *slot = Some(arrays.clone());
        Ok(arrays)
    }

    /// The place for a batch, from now on that of this thread too.
    fn slot(&self, key: Key) -> Slot {
        let mut all = lock(&self.0);
        let found = all.values().find(|(known, _)| *known == key).map(|(_, slot)| slot.clone());
        let slot = found.unwrap_or_default();
        all.insert(thread::current().id(), (key, slot.clone()));
        slot
    }
}

/// A thread that panicked has put nothing in.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_batch_is_decoded_once_by_all_threads_and_kept_by_each() {
        let (decoded, count) = (Decoded::default(), AtomicUsize::new(0));
        let read = |batch: usize| {
            let decode = || {
                count.fetch_add(1, Ordering::Relaxed);
                Ok(Vec::new())
            };
            decoded.get(batch, &[0, 1], decode).unwrap();
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..100).for_each(|tile| read(tile / 50)));
            }
        });
        assert!(count.load(Ordering::Relaxed) <= 5, "{count:?}");
        assert!(decoded.get(7, &[0], || Err("damaged".into())).is_err());
        assert!(decoded.get(7, &[0], || Ok(Vec::new())).is_ok());
    }
}
