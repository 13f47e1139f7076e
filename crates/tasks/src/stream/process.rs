//! A started program with its pipes and its process group.
use super::Program;
use crate::call::process::Process as Running;
use crate::warden;
use rustix::process::{Pid, Signal, kill_process_group};
use std::future::ready;
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};
use std::time::Duration;
use tokio::net::unix::pipe::{Receiver, Sender};

/// What a pipe holds, if the system lets it: as much as it lets anybody. Of its own it is 64 KiB,
/// and both sides would wait for each other sixteen times as often.
const PIPE: i32 = 1 << 20;

/// A running program.
pub struct Process {
    /// What waits for its end, and ends its group.
    pub running: Running,
    /// Its standard input, until that ends.
    pub input: Option<Sender>,
    /// Its standard output.
    pub output: Receiver,
    /// Its standard error.
    pub errors: Receiver,
}

impl Process {
    /// Starts it, in a process group of its own. To be called inside of the event loop.
    ///
    /// # Errors
    /// If the system does not start it: a sentence.
    pub fn start(program: &Program) -> Result<Process, String> {
        let cannot = |e: io::Error| format!("cannot start `{}`: {e}", program.words[0]);
        let ((theirs_in, input), (output, theirs_out), (errors, theirs_err)) =
            (pipe().map_err(cannot)?, pipe().map_err(cannot)?, pipe().map_err(cannot)?);
        warden::ready().map_err(cannot)?;
        let mut command = Command::new(&program.file);
        command.arg0(&program.words[0]).args(&program.arguments);
        command.env(warden::VARIABLE, warden::identity());
        command.stdin(OwnedFd::from(theirs_in));
        command.stdout(OwnedFd::from(theirs_out)).stderr(OwnedFd::from(theirs_err));
        let running = Running::start(&mut command).map_err(cannot)?;
        // With it go our copies of its ends of the pipes: only so does the end of each show.
        drop(command);
        Ok(Process {
            running,
            input: Some(Sender::from_owned_fd(input.into()).map_err(cannot)?),
            output: Receiver::from_owned_fd(output.into()).map_err(cannot)?,
            errors: Receiver::from_owned_fd(errors.into()).map_err(cannot)?,
        })
    }

    /// The process group.
    pub fn group(&self) -> Pid {
        self.running.group()
    }

    /// Ends it and all that it has started. How it ended.
    pub async fn end(mut self) -> Option<ExitStatus> {
        self.running.end(Duration::ZERO, ready(())).await;
        self.running.reap()
    }
}

/// Ends all of a process group.
pub fn kill(group: Pid) {
    // What has ended already need not be ended.
    let _ = kill_process_group(group, Signal::KILL);
}

/// How a program ended, in words that follow its name.
pub fn told(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    enlarge(writer.as_raw_fd());
    Ok((reader, writer))
}

/// Makes a pipe larger; one that stays as it is does the same, more slowly.
#[cfg_attr(not(target_os = "linux"), expect(unused_variables))]
fn enlarge(pipe: RawFd) {
    #[cfg(target_os = "linux")]
    // SAFETY: the descriptor is open, and the call changes nothing but the size of its pipe.
    unsafe {
        libc::fcntl(pipe, libc::F_SETPIPE_SZ, PIPE);
    }
}
