//! A program that runs, with all processes of its group.
use crate::warden;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::pin::Pin;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::time::timeout;

/// How long a killed program may take to go, before it is left to a thread that waits for it.
const KILLED: Duration = Duration::from_secs(2);

/// A program that runs in a process group of its own. The group never outlives this value.
///
/// The program is only reaped when its group has been ended, so that the group's number is that of
/// no other group as long as it is used.
pub(crate) struct Process {
    child: Option<Child>,
    group: Pid,
    exit: Exit,
}

/// What tells that the program has ended.
enum Exit {
    /// It becomes readable.
    Descriptor(AsyncFd<OwnedFd>),
    /// A thread waits.
    Thread(Pin<Box<dyn Future<Output = ()> + Send>>),
    Ended,
}

impl Process {
    /// Starts it.
    pub(crate) fn start(command: &mut Command) -> io::Result<Process> {
        warden::ready()?;
        let child = command.process_group(0).spawn()?;
        let group = Pid::from_child(&child);
        warden::begun(group);
        Ok(Process { exit: Exit::of(group), child: Some(child), group })
    }

    /// Its group.
    pub(crate) fn group(&self) -> Pid {
        self.group
    }

    /// The ends of its pipes.
    pub(crate) fn child(&mut self) -> Option<&mut Child> {
        self.child.as_mut()
    }

    /// Comes when the program has ended, whatever its children do.
    pub(crate) async fn exited(&mut self) {
        match &mut self.exit {
            Exit::Descriptor(fd) => drop(fd.readable().await),
            Exit::Thread(wait) => wait.await,
            Exit::Ended => return,
        }
        self.exit = Exit::Ended;
    }

    /// To all processes of the group. One that is gone has no use for it.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.child.is_some() {
            let _ = kill_process_group(self.group, signal);
        }
    }

    /// Ends the group: asks, waits at most `grace` for the program and for `pipes`, which its
    /// children may hold open, and kills.
    pub(crate) async fn end(&mut self, grace: Duration, pipes: impl Future) {
        self.signal(Signal::TERM);
        drop(timeout(grace, async { tokio::join!(self.exited(), pipes) }).await);
        self.signal(Signal::KILL);
        drop(timeout(KILLED, self.exited()).await);
    }

    /// How the program has ended, when it has; asks what is left of its group to end.
    pub(crate) fn reap(mut self) -> Option<ExitStatus> {
        if !matches!(self.exit, Exit::Ended) {
            return None;
        }
        self.signal(Signal::TERM);
        let status = self.child.take()?.wait().ok();
        warden::ended(self.group);
        status
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        if let Some(mut child) = self.child.take() {
            let group = self.group;
            let wait = move || {
                drop(child.wait());
                warden::ended(group);
            };
            drop(std::thread::Builder::new().name("reaper".into()).spawn(wait));
        }
    }
}

impl Exit {
    fn of(pid: Pid) -> Exit {
        match descriptor(pid) {
            Ok(fd) => Exit::Descriptor(fd),
            Err(_) => {
                let wait = move || {
                    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
                    while matches!(waitid(WaitId::Pid(pid), options), Err(Errno::INTR)) {}
                };
                let thread = tokio::task::spawn_blocking(wait);
                Exit::Thread(Box::pin(async { drop(thread.await) }))
            }
        }
    }
}

#[cfg(target_os = "linux")]
fn descriptor(pid: Pid) -> io::Result<AsyncFd<OwnedFd>> {
    use rustix::process::{PidfdFlags, pidfd_open};
    use tokio::io::Interest;
    let fd = pidfd_open(pid, PidfdFlags::empty())?;
    // SAFETY: the descriptor is open, and is closed only when this is dropped.
    let registered = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
    Ok(registered?)
}

/// Only Linux has them.
#[cfg(not(target_os = "linux"))]
fn descriptor(_: Pid) -> io::Result<AsyncFd<OwnedFd>> {
    Err(io::ErrorKind::Unsupported.into())
}
