//! The side of the process that calls programs: begins its warden, and tells it what happens.
use super::messages::{Charges, Message};
use super::{VARIABLE, identity};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::Pid;
use std::ffi::OsString;
use std::io::{self, ErrorKind, PipeReader, PipeWriter, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A warden that dies sooner is not begun again before that.
const SOON: Duration = Duration::from_secs(1);

/// The program that is a warden, with its arguments.
static PROGRAM: OnceLock<(PathBuf, Vec<OsString>)> = OnceLock::new();

static CLIENT: Mutex<Option<Client>> = Mutex::new(None);

struct Client {
    charges: Charges,
    /// To the warden that lives now.
    pipe: Option<PipeWriter>,
    /// What the pipe had no room for.
    pending: Vec<u8>,
}

/// Says which program is to be begun as the warden: one that calls [`super::main`]. Without one there
/// is no warden.
pub fn provide(program: impl Into<PathBuf>, arguments: impl IntoIterator<Item = OsString>) {
    // The first word holds.
    let _ = PROGRAM.set((program.into(), arguments.into_iter().collect()));
}

/// Begins the warden, if that has not been done.
///
/// # Errors
/// If it cannot be begun: then no program should be.
pub(crate) fn ready() -> io::Result<()> {
    let mut client = client();
    if PROGRAM.get().is_none() || client.as_ref().is_some_and(|c| c.pipe.is_some()) {
        return Ok(());
    }
    let fresh = || Client {
        charges: Charges { identity: identity().to_owned(), ..Charges::default() },
        pipe: None,
        pending: Vec::new(),
    };
    client.get_or_insert_with(fresh).begin()
}

/// A process group has begun.
pub(crate) fn begun(group: Pid) {
    let group = group.as_raw_nonzero().get();
    tell(Message::Begun(group), |charges| charges.groups.insert(group));
}

/// A process group has ended.
pub(crate) fn ended(group: Pid) {
    let group = group.as_raw_nonzero().get();
    tell(Message::Ended(group), |charges| charges.groups.remove(&group));
}

/// A file with this name is to be removed if all ends.
///
/// # Errors
/// If there is no warden, and none can be begun.
pub(crate) fn staged(path: &Path) -> io::Result<()> {
    ready()?;
    tell(Message::Staged(path), |charges| charges.staged.insert(path.to_owned()));
    Ok(())
}

/// No longer.
pub(crate) fn unstaged(path: &Path) {
    tell(Message::Unstaged(path), |charges| charges.staged.remove(path));
}

fn client() -> MutexGuard<'static, Option<Client>> {
    CLIENT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tell(message: Message, note: impl FnOnce(&mut Charges) -> bool) {
    if let Some(client) = &mut *client() {
        note(&mut client.charges);
        message.write(&mut client.pending);
        client.send();
    }
}

impl Client {
    /// Begins a warden, and tells it all.
    fn begin(&mut self) -> io::Result<()> {
        let Some((program, arguments)) = PROGRAM.get() else { return Ok(()) };
        let (theirs, ours) = io::pipe()?;
        fcntl_setfl(&ours, fcntl_getfl(&ours)? | OFlags::NONBLOCK)?;
        // Before it is there, so that it knows all whenever this process is killed.
        self.pipe = Some(ours);
        self.pending.clear();
        self.charges.write(&mut self.pending);
        self.send();
        Client::spawn(program, arguments, theirs).inspect_err(|_| self.pipe = None)
    }

    fn spawn(program: &Path, arguments: &[OsString], pipe: PipeReader) -> io::Result<()> {
        let child = Command::new(program)
            .args(arguments)
            .env_remove(VARIABLE)
            .stdin(pipe)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Signals of a terminal, and those to the group of a program that calls us, are not for it.
            .process_group(0)
            .spawn()?;
        thread::Builder::new().name("warden".into()).spawn(move || watch(child))?;
        Ok(())
    }

    /// Sends what the pipe has room for. The rest goes with the next message; the loss would be small,
    /// since programs are also known by their environment.
    fn send(&mut self) {
        while let Some(pipe) = self.pipe.as_mut().filter(|_| !self.pending.is_empty()) {
            match pipe.write(&self.pending) {
                Ok(count) => drop(self.pending.drain(..count)),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                // It has died: who watches it begins the next, or the next call does.
                Err(_) => self.pipe = None,
            }
        }
    }
}

/// Waits for the end of a warden and begins the next.
fn watch(mut child: Child) {
    let begun = Instant::now();
    drop(child.wait());
    thread::sleep(SOON.saturating_sub(begun.elapsed()));
    if let Some(client) = &mut *client() {
        client.pipe = None;
        drop(client.begin());
    }
}
