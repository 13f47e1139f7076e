//! Waiting, in a worker, for what runs in the event loop.
use std::future::Future;
use std::sync::mpsc::sync_channel;

/// Runs a future in the event loop; this thread waits, and nothing else does.
///
/// # Errors
/// If there is no event loop, or the future panics.
pub fn wait<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, String> {
    let (done, end) = sync_channel(1);
    crate::runtime::handle()?.spawn(async move {
        // Who asked may be gone.
        let _ = done.send(work.await);
    });
    end.recv().map_err(|_| "a request to a store has ended without an answer".to_owned())
}
