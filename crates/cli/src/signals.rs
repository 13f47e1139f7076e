//! SIGINT, SIGTERM and SIGUSR1, which Slurm can send before the wall time: the first ends the run
//! in good order, the second at once.
use base::{Failure, FailureKind};
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// What comes so soon after the first signal is the same one: `timeout` sends it to the process and
/// to its group.
const ECHO: Duration = Duration::from_millis(300);

/// The signal that has come, if one has.
#[derive(Clone, Default)]
pub struct Signals {
    number: Arc<AtomicUsize>,
}

impl Signals {
    /// Notes signals from now on.
    ///
    /// # Errors
    /// If the system does not let signals be caught.
    pub fn watch() -> Result<Signals, Failure> {
        let signals = Signals::default();
        let failed = |e| Failure::internal(format!("cannot watch signals: {e}"));
        let come = Arc::new(AtomicBool::new(false));
        for (signal, exit) in [(SIGINT, 130), (SIGTERM, 143), (SIGUSR1, 143)] {
            signal_hook::flag::register_conditional_shutdown(signal, exit, come.clone())
                .and_then(|_| {
                    let number = signals.number.clone();
                    signal_hook::flag::register_usize(signal, number, signal as usize)
                })
                .map_err(failed)?;
        }
        let mut heard = iterator::Signals::new([SIGINT, SIGTERM, SIGUSR1]).map_err(failed)?;
        let wait = move || {
            if heard.forever().next().is_some() {
                thread::sleep(ECHO);
                come.store(true, Ordering::SeqCst);
            }
        };
        thread::Builder::new().name("signals".into()).spawn(wait).map_err(failed)?;
        Ok(signals)
    }

    /// Lets signals pass: the launcher, which gets them too, decides for its children.
    ///
    /// # Errors
    /// If the system does not let signals be caught.
    pub fn ignore() -> Result<(), Failure> {
        for signal in [SIGINT, SIGTERM, SIGUSR1] {
            signal_hook::flag::register(signal, Arc::default())
                .map_err(|e| Failure::internal(format!("cannot ignore signals: {e}")))?;
        }
        Ok(())
    }

    /// The end of the run that the signal asks for.
    pub fn failure(&self) -> Option<Failure> {
        match self.number.load(Ordering::SeqCst) as i32 {
            SIGINT => Some(Failure::new(FailureKind::Interrupted, "interrupted")),
            SIGTERM => Some(Failure::new(FailureKind::Terminated, "terminated")),
            SIGUSR1 => Some(Failure::new(FailureKind::Terminated, "terminated by SIGUSR1")),
            _ => None,
        }
    }
}
