//! Keeps panics of decoders on damaged bytes from ending more than the call.
use std::any::Any;
use std::cell::Cell;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread, now, would be caught and become an error about a damaged file:
/// a panic hook has nothing to say then.
pub fn panic_is_guarded() -> bool {
    GUARDED.get()
}

/// What `decode` returns; its error, or its panic, as a sentence.
pub(crate) fn guarded<T, E: Display>(decode: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    // Unwind safety: nothing that `decode` touches is used again after an error.
    GUARDED.set(true);
    let caught = catch_unwind(AssertUnwindSafe(decode));
    GUARDED.set(false);
    match caught {
        Ok(result) => result.map_err(|e| plain(&e.to_string()).to_string()),
        Err(payload) => Err(format!("the bytes make no sense ({})", message(&*payload))),
    }
}

/// A sentence without the kinds of errors that libraries put before it.
fn plain(mut text: &str) -> &str {
    const KINDS: [&str; 8] = [
        "Parser error: ",
        "Cast error: ",
        "Ipc error: ",
        "Arrow: ",
        "External: ",
        "Parquet error: ",
        "Parquet argument error: ",
        "EOF: ",
    ];
    while let Some(rest) = KINDS.iter().find_map(|kind| text.strip_prefix(kind)) {
        text = rest;
    }
    text
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no reason given")
}
