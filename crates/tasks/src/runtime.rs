//! The event loop of the process: one, beside the workers, begun when first needed.
use std::sync::OnceLock;
use tokio::runtime::{Builder, Handle, Runtime};

/// The event loop.
///
/// # Errors
/// If the system gives no threads: a sentence.
pub fn handle() -> Result<Handle, String> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let begin = || {
        // reqwest and object_store bring no cryptography of their own.
        drop(rustls::crypto::ring::default_provider().install_default());
        let threads = std::thread::available_parallelism().map_or(2, usize::from).min(4);
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(threads).thread_name("tasks").enable_all();
        builder.build().map_err(|e| format!("cannot begin the event loop: {e}"))
    };
    let runtime = RUNTIME.get_or_init(begin);
    runtime.as_ref().map(|r| r.handle().clone()).map_err(Clone::clone)
}
