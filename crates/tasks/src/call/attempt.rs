//! One start of a program: from its start to its end, however it ends.
use super::pipes::{Flood, Output, Pipes};
use super::process::Process;
use crate::work::Stop;
use futures::FutureExt;
use futures::future::FusedFuture;
use std::future::Future;
use std::io;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// How long the pipes of a program that has ended may be held open by what it has left running.
const HELD: Duration = Duration::from_secs(1);

/// How long a program may take to end when all ends.
const STOPPED: Duration = Duration::from_millis(300);

/// What bounds a start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) timeout: Option<Duration>,
    /// Between SIGTERM and SIGKILL.
    pub(super) grace: Duration,
    /// Bytes of standard output and of standard error.
    pub(super) bytes: (usize, usize),
}

/// What came of a start.
pub(super) struct Outcome {
    pub(super) end: End,
    pub(super) status: Option<ExitStatus>,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: String,
    pub(super) seconds: f64,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By itself, or by a signal that was not ours.
    Exited,
    TimedOut,
    Stopped,
    /// It has written more than it may.
    Flooded,
    /// It has ended, but what it has left running holds its pipes open.
    Held,
}

/// Starts a program and waits for its end.
///
/// # Errors
/// If it cannot be started.
pub(super) async fn attempt(
    command: &mut Command,
    input: Option<&[u8]>,
    bounds: Bounds,
    stop: &mut Stop,
) -> io::Result<Outcome> {
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let begun = Instant::now();
    let mut process = Process::start(command)?;
    let pipes = process.child().map(Pipes::of).transpose()?;
    let mut output = Output::default();
    let end = {
        let exchange = async {
            match pipes {
                Some(pipes) => {
                    pipes.exchange(input.unwrap_or_default(), &mut output, bounds.bytes).await
                }
                None => Ok(()),
            }
        };
        let mut exchange = std::pin::pin!(exchange.fuse());
        let end = tokio::select! {
            end = through(&mut process, exchange.as_mut()) => end,
            () = after(bounds.timeout) => End::TimedOut,
            () = stopped(stop) => End::Stopped,
        };
        let grace = if end == End::Stopped { STOPPED } else { bounds.grace };
        if end != End::Exited {
            let open = async {
                if !exchange.is_terminated() {
                    exchange.await.ok();
                }
            };
            process.end(grace.min(bounds.grace), open).await;
        }
        end
    };
    let seconds = begun.elapsed().as_secs_f64();
    let Output { stdout, stderr } = output;
    let stderr = stderr.text(bounds.bytes.1);
    Ok(Outcome { end, status: process.reap(), stdout, stderr, seconds })
}

/// Waits for the end of the program and of what it writes.
async fn through(
    process: &mut Process,
    mut exchange: impl Future<Output = Result<(), Flood>> + Unpin,
) -> End {
    tokio::select! {
        done = &mut exchange => match done {
            Ok(()) => process.exited().await,
            Err(Flood) => return End::Flooded,
        },
        () = process.exited() => match timeout(HELD, exchange).await {
            Ok(Ok(())) => {}
            Ok(Err(Flood)) => return End::Flooded,
            Err(_) => return End::Held,
        },
    }
    End::Exited
}

async fn after(time: Option<Duration>) {
    match time {
        Some(time) => sleep(time).await,
        None => std::future::pending().await,
    }
}

/// Comes when all is to end; never, if whoever would say so is gone.
pub(super) async fn stopped(stop: &mut Stop) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}
