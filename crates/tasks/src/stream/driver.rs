//! Keeps a program going: starts it, talks to it, starts it again if it fails.
use super::answers::Answers;
use super::process::{Process, told};
use super::program::Program;
use super::runner::{Link, Said};
use super::tail::Tail;
use super::talk::{Why, rest};
use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use futures::FutureExt;
use rustix::process::Signal;
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// A program whose pipes are closed is given so long to end itself.
pub(super) const MOMENT: Duration = Duration::from_secs(2);
/// Before a program is started again for the first time; then twice as long, and so on,
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Serves a link until its worker wants no more, or the program has failed too often.
pub(super) async fn drive(program: Arc<Program>, link: Arc<Link>) {
    let mut driver = Driver {
        program,
        link: link.clone(),
        sent: VecDeque::new(),
        attempts: 0,
        said: Said::default(),
    };
    let end = AssertUnwindSafe(driver.run()).catch_unwind().await;
    link.group(None);
    link.end(end.unwrap_or_else(|_| Err("could not be talked to".to_owned())));
}

/// A batch that waits for its answer.
pub(super) struct Sent {
    pub(super) batch: RecordBatch,
    /// Its bytes, as the program is given them.
    pub(super) pieces: Vec<Buffer>,
}

/// A program and its work.
pub(super) struct Driver {
    pub(super) program: Arc<Program>,
    pub(super) link: Arc<Link>,
    /// What has no answer yet, of what the program was given.
    pub(super) sent: VecDeque<Sent>,
    /// How often the first of these was tried.
    pub(super) attempts: u32,
    pub(super) said: Said,
}

impl Driver {
    async fn run(&mut self) -> Result<Said, String> {
        loop {
            while self.sent.is_empty() {
                match self.link.next() {
                    Some(batch) => self.sent.push_back(Sent { batch, pieces: Vec::new() }),
                    None if self.link.stopped() || self.link.closing() => {
                        return Ok(self.said.clone());
                    }
                    None => self.link.news().await,
                }
            }
            let why = match self.process().await {
                Ok(()) => return Ok(self.said.clone()),
                Err(why) => why,
            };
            self.attempts += 1;
            if self.attempts > self.program.retries || self.link.stopped() {
                return Err(match self.attempts {
                    1 => why,
                    n => format!("{why}\n({n} attempts)"),
                });
            }
            self.said.again += 1;
            self.wait().await;
        }
    }

    /// Waits before the program is started again.
    async fn wait(&self) {
        let time = FIRST_WAIT.saturating_mul(1 << (self.attempts - 1).min(16)).min(LONGEST_WAIT);
        let end = Instant::now() + time;
        while !self.link.stopped() && Instant::now() < end {
            tokio::select! {
                () = self.link.news() => {}
                () = sleep_until(end) => {}
            }
        }
    }

    /// Runs one process, to the end of all work or its own.
    async fn process(&mut self) -> Result<(), String> {
        let mut process = Process::start(&self.program)?;
        self.link.group(Some(process.group()));
        let (mut tail, mut talk) = (Tail::default(), Answers::new(&self.program));
        let done = match self.talk(&mut process, &mut talk, &mut tail).await {
            Ok(()) => self.farewell(&mut process, &mut talk, &mut tail).await,
            Err(why) => Err(why),
        };
        // A program that has closed its pipes is about to end, most likely.
        let by_itself = match done {
            Err(Why::Gone(_)) => timeout(MOMENT, process.running.exited()).await.is_ok(),
            _ => !self.said.forced,
        };
        process.running.signal(Signal::KILL);
        // Something that it started and that has left the group may hold the other end open.
        let _ = timeout(MOMENT, rest(&process.errors, &mut tail)).await;
        self.link.group(None);
        let ended = process.end().await.filter(|_| by_itself);
        let why = match (done, ended) {
            (Ok(()), Some(status)) if !status.success() => {
                Some(format!("{}, though all was answered", told(status)))
            }
            (Ok(()), _) => None,
            (Err(Why::Stopped), _) => Some("was stopped".to_owned()),
            (Err(Why::Wrong(why)), _) => Some(why),
            (Err(Why::Gone(doing)), Some(status)) => Some(format!("{} {doing}", told(status))),
            (Err(Why::Gone(doing)), None) => Some(format!("closed its pipes {doing}")),
        };
        self.said.lines += tail.lines();
        if tail.lines() > 0 {
            self.said.last = tail.last();
        }
        match (why, tail.end()) {
            (None, _) => Ok(()),
            (Some(why), end) if end.is_empty() => Err(why),
            (Some(why), end) => Err(format!("{why}; its standard error:\n{end}")),
        }
    }
}
