//! Starts of a program until one ends well, or often enough.
use super::Call;
use super::attempt::{Bounds, End, Outcome, attempt, stopped};
use super::fault::Fault;
use super::staged::Staged;
use super::start::Start;
use super::stdout::{self, Parsed};
use crate::work::Stop;
use crate::{Made, warden};
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How long to try to start a program if the system has no more processes or open files: some of
/// ours will have ended by then.
const BUSY: Duration = Duration::from_secs(60);

/// Larger outputs are read beside the event loop.
const LARGE: usize = 64 << 10;

/// What came of the last of the starts.
pub(super) struct Done {
    /// Minus the signal, if one has ended it. `None`: it could not be started.
    pub(super) exit: Option<i64>,
    pub(super) seconds: Option<f64>,
    pub(super) stderr: Option<String>,
    pub(super) attempts: i64,
    pub(super) result: Result<(Parsed, Vec<Made>), String>,
}

impl Call {
    /// Starts it until it ends well.
    pub(super) async fn until_done(&self, mut start: Start, rows: usize, stop: &mut Stop) -> Done {
        let staged = match Staged::prepare(&mut start, &self.spec, |path| self.may_replace(path)) {
            Ok(staged) => staged,
            Err(why) => return Done::unstarted(why),
        };
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (outcome, result) = self.once(&start, &staged, rows, stop).await;
            let again = result.as_ref().is_err_and(Fault::may_pass)
                && u32::try_from(attempts).is_ok_and(|n| n <= self.spec.retries);
            if again && self.waited(attempts, stop).await {
                staged.clear();
                continue;
            }
            let result = result.map_err(|fault| fault.to_string());
            return Done { attempts, ..Done::of(outcome, result) };
        }
    }

    /// False if all has ended meanwhile.
    async fn waited(&self, failures: i64, stop: &mut Stop) -> bool {
        let failures = u32::try_from(failures).unwrap_or(u32::MAX);
        tokio::select! {
            () = sleep(self.spec.waits.after(failures)) => true,
            () = stopped(stop) => false,
        }
    }

    async fn once(
        &self,
        start: &Start,
        staged: &Staged,
        rows: usize,
        stop: &mut Stop,
    ) -> (Option<Outcome>, Result<(Parsed, Vec<Made>), Fault>) {
        let mut outcome = match self.begin(start, stop).await {
            Ok(outcome) => outcome,
            Err(fault) => return (None, Err(fault)),
        };
        let program = &start.program;
        if let Some(fault) = Fault::of(program, &outcome, &self.spec) {
            return (Some(outcome), Err(fault));
        }
        let written = std::mem::take(&mut outcome.stdout);
        let parsed = self.parsed(written, rows).await;
        let result = parsed
            .map_err(|why| Fault::output(program, &why, &outcome.stderr))
            .and_then(|parsed| Ok((parsed, staged.finish(program).map_err(Fault::Passing)?)));
        (Some(outcome), result)
    }

    async fn parsed(&self, bytes: Vec<u8>, rows: usize) -> Result<Parsed, String> {
        let (kind, batch) = (self.spec.stdout.clone(), self.spec.batch > 1);
        if bytes.len() < LARGE {
            return stdout::parse(&kind, &bytes, rows, batch);
        }
        let parse = move || stdout::parse(&kind, &bytes, rows, batch);
        let parsed = tokio::task::spawn_blocking(parse).await;
        parsed.unwrap_or_else(|e| Err(format!("its output cannot be read: {e}")))
    }

    /// Starts it, again and again as long as the system has no room for it.
    async fn begin(&self, start: &Start, stop: &mut Stop) -> Result<Outcome, Fault> {
        let folder = start.folder.as_deref().map(Path::new);
        let path = self.contents.program(&start.program, folder).map_err(Fault::Lasting)?;
        let bounds = Bounds {
            timeout: self.spec.timeout,
            grace: self.spec.grace,
            bytes: (self.spec.most_stdout, self.spec.most_stderr),
        };
        let input = start.stdin.as_deref().map(str::as_bytes);
        let _slot = tokio::select! {
            slot = self.waited.slot() => slot,
            () = stopped(stop) => return Err(Fault::stopped(&start.program)),
        };
        let (begun, mut wait) = (Instant::now(), Duration::from_millis(5));
        loop {
            match attempt(&mut command(start, &path), input, bounds, stop).await {
                Ok(outcome) => return Ok(outcome),
                Err(e) if is_busy(&e) && begun.elapsed() < BUSY => {
                    tokio::select! {
                        () = sleep(wait) => wait = (wait * 2).min(Duration::from_millis(100)),
                        () = stopped(stop) => return Err(Fault::stopped(&start.program)),
                    }
                }
                Err(e) => return Err(Fault::unstarted(start, &path, &e)),
            }
        }
    }
}

fn command(start: &Start, path: &Path) -> Command {
    let mut command = Command::new(path);
    command.arg0(&start.program).args(&start.arguments).env(warden::VARIABLE, warden::identity());
    command.envs(start.env.iter().map(|(name, value)| (name, value)));
    if let Some(folder) = &start.folder {
        command.current_dir(folder);
    }
    command
}

/// Too many processes or open files, too little memory, or a program that is being written.
fn is_busy(e: &io::Error) -> bool {
    use rustix::io::Errno;
    let busy = [Errno::AGAIN, Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::TXTBSY];
    e.raw_os_error().is_some_and(|code| busy.iter().any(|b| b.raw_os_error() == code))
}

impl Done {
    /// Nothing was run.
    fn unstarted(why: String) -> Done {
        Done { exit: None, seconds: None, stderr: None, attempts: 0, result: Err(why) }
    }

    fn of(outcome: Option<Outcome>, result: Result<(Parsed, Vec<Made>), String>) -> Done {
        match outcome {
            None => Done { result, ..Done::unstarted(String::new()) },
            Some(outcome) => Done {
                exit: outcome.status.and_then(exit),
                seconds: Some(outcome.seconds),
                stderr: Some(outcome.stderr),
                attempts: 0,
                result,
            },
        }
    }
}

fn exit(status: ExitStatus) -> Option<i64> {
    status.code().or_else(|| status.signal().map(|signal| -signal)).map(i64::from)
}

impl Fault {
    /// What is wrong with how it ended, if anything.
    fn of(program: &str, outcome: &Outcome, spec: &super::Spec) -> Option<Fault> {
        match outcome.end {
            End::Exited => Fault::exit(program, outcome.status, &outcome.stderr, &spec.ok),
            End::TimedOut => Some(Fault::timed_out(program, spec.timeout, &outcome.stderr)),
            End::Stopped => Some(Fault::stopped(program)),
            End::Flooded => Some(Fault::flooded(program, spec.most_stdout)),
            End::Held => Some(Fault::held(program)),
        }
    }
}
