//! Panics become failures: a worker or a link that panics ends the run, with no noise on stderr.
use crate::watch::Watch;
use base::{Failure, FailureKind};
use std::any::Any;
use std::cell::RefCell;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::{Arc, Once};

/// What a thread does for a run.
pub enum Role {
    /// Runs a dataflow; its panics are caught by [`catch`].
    Worker,
    /// Sends to or receives from another process, on one of timely's own threads: nothing
    /// catches its panics, so the hook turns them into failures.
    Link {
        /// Where to report.
        watch: Arc<Watch>,
        /// The process at the other end.
        process: usize,
    },
}

thread_local! {
    static ROLE: RefCell<Option<Role>> = const { RefCell::new(None) };
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Says what this thread does; [`install`] must have been called.
pub fn enter(role: Role) {
    ROLE.with(|r| *r.borrow_mut() = Some(role));
}

/// Puts the hook in place, once; threads without a role keep the hook that was there before.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let known = ROLE.try_with(|role| match role.try_borrow() {
                Ok(role) => role.as_ref().map(|role| note(role, info)).is_some(),
                Err(_) => false,
            });
            if !known.unwrap_or(false) {
                before(info);
            }
        }));
    });
}

fn note(role: &Role, info: &PanicHookInfo) {
    match role {
        Role::Worker => {
            let place = info.location().map_or(String::new(), |l| format!(" at {l}"));
            PLACE.with(|p| *p.borrow_mut() = place);
        }
        Role::Link { watch, process } => {
            let text = message(info.payload());
            let cause = text.rsplit(": ").next().unwrap_or_default();
            let text = format!("lost the link to process {process}: {cause}");
            watch.fail(Failure::new(FailureKind::Peer, text));
        }
    }
}

/// How the standard library says that the system starts no more threads.
const NO_THREAD: &str = "failed to spawn thread: ";

/// The system starts no more threads: there is no room for their stacks, or a limit on their number.
pub fn no_thread(why: impl Display) -> Failure {
    let message =
        format!("the system starts no more threads: use fewer (-w), or allow more: {why}");
    Failure::new(FailureKind::Memory, message)
}

/// Runs something that may panic; a panic is a mistake in Tidemill, with the place in the source.
///
/// # Errors
/// What `work` returns, or the panic.
pub fn catch<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let place = PLACE.with(|p| std::mem::take(&mut *p.borrow_mut()));
        let text = message(&*payload);
        Err(match text.strip_prefix(NO_THREAD) {
            Some(why) => no_thread(why),
            None => Failure::internal(format!("panicked{place}: {text}")),
        })
    })
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;

    #[test]
    fn a_panic_is_an_internal_failure() {
        install();
        enter(Role::Worker);
        let failure = catch::<()>(|| panic!("oh {}", 1)).err();
        let failure = failure.unwrap_or_else(|| Failure::data(""));
        assert_eq!(failure.kind, FailureKind::Internal);
        assert!(failure.message.contains("panics.rs") && failure.message.ends_with(": oh 1"));
    }

    #[test]
    fn a_link_names_the_process() {
        install();
        let watch = Arc::new(Watch::new());
        let role = Role::Link { watch: watch.clone(), process: 2 };
        let thread = std::thread::spawn(move || {
            enter(role);
            panic!("timely communication error: reading data: socket closed")
        });
        assert!(thread.join().is_err());
        let failure = watch.failure().unwrap_or_else(|| Failure::data(""));
        assert_eq!(failure.kind, FailureKind::Peer);
        assert_eq!(failure.message, "lost the link to process 2: socket closed");
    }
}
