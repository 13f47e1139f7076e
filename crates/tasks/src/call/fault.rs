//! Why a call failed, as a sentence for the user.
use super::start::Start;
use std::fmt;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

/// So much of the end of standard error stands in a sentence.
const SAID: usize = 300;

/// Why a call failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// Another try may do.
    Passing(String),
    /// No other try would do.
    Lasting(String),
}

impl Fault {
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Fault::Passing(_))
    }

    /// What is wrong with an exit code, if anything.
    pub(super) fn exit(
        program: &str,
        status: Option<ExitStatus>,
        stderr: &str,
        ok: &[i32],
    ) -> Option<Fault> {
        let why = match status {
            Some(status) => match (status.code(), status.signal()) {
                (Some(code), _) if ok.contains(&code) => return None,
                (Some(code), _) => format!("`{program}` has ended with exit code {code}"),
                (_, signal) => format!("`{program}` was ended by {}", named(signal)),
            },
            None => format!("`{program}` was killed, and has not ended"),
        };
        Some(Fault::Passing(with_end_of(stderr, why)))
    }

    pub(super) fn timed_out(program: &str, timeout: Option<Duration>, stderr: &str) -> Fault {
        let seconds = timeout.unwrap_or_default().as_secs_f64();
        let why = format!("`{program}` has taken longer than {seconds} s, and was ended");
        Fault::Passing(with_end_of(stderr, why))
    }

    pub(super) fn stopped(program: &str) -> Fault {
        Fault::Lasting(format!("`{program}` was stopped before its end"))
    }

    pub(super) fn flooded(program: &str, most: usize) -> Fault {
        let most = match most {
            0..=1_048_575 => format!("{most} bytes"),
            _ => format!("{} MiB", most >> 20),
        };
        Fault::Lasting(format!(
            "`{program}` has written more than {most} to its standard output, and was ended: files \
             hold more"
        ))
    }

    pub(super) fn held(program: &str) -> Fault {
        Fault::Lasting(format!(
            "`{program}` has ended, but a process that it has left running kept its output open, and \
             was ended: its output may be incomplete"
        ))
    }

    /// Something about its output.
    pub(super) fn output(program: &str, why: &str, stderr: &str) -> Fault {
        let why =
            why.strip_prefix("its output").map(|rest| format!("the output of `{program}`{rest}"));
        Fault::Passing(with_end_of(stderr, why.unwrap_or_default()))
    }

    /// Why it could not be started.
    pub(super) fn unstarted(start: &Start, path: &Path, e: &io::Error) -> Fault {
        use rustix::io::Errno;
        let program = &start.program;
        let folder = start.folder.as_deref().map(Path::new);
        let is = |errno: Errno| e.raw_os_error() == Some(errno.raw_os_error());
        let why = if folder.is_some_and(|folder| !folder.is_dir()) {
            let folder = folder.unwrap_or(path).display();
            format!("the folder `{folder}` for `{program}` does not exist")
        } else if is(Errno::TOOBIG) {
            let bytes: usize = start.arguments.iter().map(String::len).sum();
            format!(
                "the arguments of `{program}` are too long for the system ({bytes} bytes): a smaller \
                 batch or its standard input would do"
            )
        } else if is(Errno::NOEXEC) {
            format!(
                "`{program}` is neither a program nor a script whose first line begins with `#!`"
            )
        } else if is(Errno::NOENT) && path.exists() {
            format!("the interpreter that `{program}` names in its first line does not exist")
        } else {
            format!("cannot start `{program}`: {e}")
        };
        Fault::Lasting(why)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Fault::Passing(why) | Fault::Lasting(why) => f.write_str(why),
        }
    }
}

/// A signal by name, as far as programs usually die of it.
fn named(signal: Option<i32>) -> String {
    let signal = signal.unwrap_or(0);
    let name = match signal {
        libc::SIGSEGV => "SIGSEGV, a fault in its use of memory",
        libc::SIGABRT => "SIGABRT, which it sent itself",
        libc::SIGKILL => "SIGKILL, as the system does when memory runs out",
        libc::SIGTERM => "SIGTERM",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGILL => "SIGILL",
        libc::SIGPIPE => "SIGPIPE",
        _ => return format!("signal {signal}"),
    };
    format!("signal {signal} ({name})")
}

/// The sentence, and the last lines that the program said.
fn with_end_of(stderr: &str, why: String) -> String {
    let said = stderr.trim();
    if said.is_empty() {
        return why;
    }
    let mut from = said.len().saturating_sub(SAID);
    while !said.is_char_boundary(from) {
        from += 1;
    }
    let dots = if from > 0 && !said.starts_with('…') { "…" } else { "" };
    format!("{why}; it said: {dots}{}", &said[from..])
}
