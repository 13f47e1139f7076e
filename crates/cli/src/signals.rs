//! Signals: while nothing has begun the first one ends the process at once; later the first ends
//! the run in good order, the second at once.
use crate::say;
use base::{Failure, FailureKind};
use engine::panics::no_thread;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGXCPU, SIGXFSZ};
use signal_hook::{iterator, low_level};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

/// What comes so soon after the first signal is the same one: `timeout` sends it to the process and
/// to its group.
const ECHO: Duration = Duration::from_millis(300);

/// A signal that ends a run.
struct Ending {
    number: i32,
    kind: FailureKind,
    words: &'static str,
}

/// Slurm can send SIGUSR1 before the wall time; SIGHUP comes when a terminal is closed, SIGXCPU at
/// the limit of processor time.
const ENDINGS: [Ending; 5] = [
    Ending { number: SIGINT, kind: FailureKind::Interrupted, words: "interrupted" },
    Ending { number: SIGTERM, kind: FailureKind::Terminated, words: "terminated" },
    Ending { number: SIGUSR1, kind: FailureKind::Terminated, words: "terminated by SIGUSR1" },
    Ending { number: SIGHUP, kind: FailureKind::Terminated, words: "terminated by SIGHUP" },
    Ending { number: SIGXCPU, kind: FailureKind::Terminated, words: "terminated by SIGXCPU" },
];

/// The signal that has come, if one has.
#[derive(Clone, Default)]
pub struct Signals {
    number: Arc<AtomicUsize>,
}

/// Those of this process.
static WATCHED: OnceLock<Signals> = OnceLock::new();

/// Whether nothing has begun that would have to be ended in good order.
static IDLE: Mutex<bool> = Mutex::new(true);

/// Files and folders that are to go with the process, each with its inode.
static TEMPORARY: Mutex<BTreeSet<(PathBuf, u64)>> = Mutex::new(BTreeSet::new());

impl Signals {
    /// Notes signals from the first call on. Until [`Signals::begin`] the first ends the process.
    ///
    /// # Errors
    /// If the system does not let signals be caught.
    pub fn watch() -> Result<Signals, Failure> {
        if let Some(signals) = WATCHED.get() {
            return Ok(signals.clone());
        }
        let signals = Signals::default();
        let failed = |e| Failure::internal(format!("cannot watch signals: {e}"));
        tolerate_limits().map_err(failed)?;
        let come = Arc::new(AtomicBool::new(false));
        let caught = || ENDINGS.iter().filter(|e| e.number != SIGHUP || !ignores_hangups());
        for Ending { number, kind, .. } in caught() {
            let exit = kind.exit_code().into();
            signal_hook::flag::register_conditional_shutdown(*number, exit, come.clone())
                .and_then(|_| {
                    let noted = signals.number.clone();
                    signal_hook::flag::register_usize(*number, noted, *number as usize)
                })
                .map_err(failed)?;
        }
        let mut heard = iterator::Signals::new(caught().map(|e| e.number)).map_err(failed)?;
        let noted = signals.clone();
        let wait = move || {
            if heard.forever().next().is_some() {
                noted.end_if_idle();
                thread::sleep(ECHO);
                come.store(true, Ordering::SeqCst);
            }
        };
        thread::Builder::new().name("signals".into()).spawn(wait).map_err(no_thread)?;
        Ok(WATCHED.get_or_init(|| signals).clone())
    }

    /// In a process of a run: lets signals pass. The launcher, which gets them too, decides.
    ///
    /// # Errors
    /// If the system does not let signals be caught.
    pub fn ignore() -> Result<(), Failure> {
        let pass = |e: &Ending| signal_hook::flag::register(e.number, Arc::default()).map(drop);
        let passed = ENDINGS.iter().filter(|e| e.number != SIGXCPU).try_for_each(pass);
        passed
            .and_then(|()| tolerate_limits())
            .map_err(|e| Failure::internal(format!("cannot ignore signals: {e}")))
    }

    /// From now on something is under way that ends in good order: who does it asks for
    /// [`Signals::failure`].
    pub fn begin(&self) {
        *lock(&IDLE) = false;
    }

    /// What was begun has ended.
    pub fn end(&self) {
        *lock(&IDLE) = true;
        self.end_if_idle();
    }

    /// Does something that leaves nothing behind, however it ends: a signal ends the process
    /// meanwhile, even if `work` waits for something that never comes.
    pub fn promptly<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = std::mem::replace(&mut *lock(&IDLE), true);
        self.end_if_idle();
        let done = work();
        *lock(&IDLE) = before;
        done
    }

    /// The end of the run that the signal asks for.
    pub fn failure(&self) -> Option<Failure> {
        let number = self.number.load(Ordering::SeqCst) as i32;
        let ending = ENDINGS.iter().find(|ending| ending.number == number)?;
        Some(Failure::new(ending.kind, ending.words))
    }

    /// Ends the process if a signal has come and nothing has begun. The thread that does the work
    /// may be stuck: nothing is waited for.
    fn end_if_idle(&self) {
        let idle = lock(&IDLE);
        if let Some(failure) = self.failure().filter(|_| *idle) {
            say::error(&failure.message);
            lock(&TEMPORARY).iter().for_each(|(path, inode)| remove(path, *inode));
            low_level::exit(failure.kind.exit_code().into());
        }
    }
}

/// A file or a folder that goes with this value, or with the process if a signal ends it.
pub struct Temporary(PathBuf, u64);

impl Temporary {
    /// Of this name; it has just been made.
    pub fn new(path: PathBuf) -> Temporary {
        let inode = path.symlink_metadata().map_or(0, |m| m.ino());
        lock(&TEMPORARY).insert((path.clone(), inode));
        Temporary(path, inode)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let Temporary(path, inode) = self;
        lock(&TEMPORARY).remove(&(path.clone(), *inode));
        remove(path, *inode);
    }
}

/// Removes what was made under this name, not what has taken its place. In a folder that only this
/// user can write to nobody else has put anything, and links in it are not followed. What cannot
/// be removed stays.
fn remove(path: &Path, inode: u64) {
    let Some(made) = path.symlink_metadata().ok().filter(|m| m.ino() == inode) else { return };
    match made.is_dir() {
        true => drop(std::fs::remove_dir_all(path)),
        false => drop(std::fs::remove_file(path)),
    }
}

/// A file that would be longer than the limit for files is an error of who writes, not a signal
/// that kills.
fn tolerate_limits() -> std::io::Result<()> {
    signal_hook::flag::register(SIGXFSZ, Arc::default()).map(drop)
}

/// Whether the process was started to outlive its terminal, as by `nohup`.
fn ignores_hangups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let bits = ignored.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    bits.is_some_and(|bits| bits & 1 << (SIGHUP - 1) != 0)
}

fn lock<T>(mutex: &'static Mutex<T>) -> MutexGuard<'static, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
