//! One child process: its pipes, what it says, what it writes on standard error.
use super::message::{Fate, Order, Word, write_line};
use base::{Failure, FailureKind};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

/// What happens to a child.
pub enum Event {
    /// It said something.
    Said(usize, Word),
    /// It wrote a line on standard error, or said something else than it should.
    Wrote(usize, String),
    /// Its output has ended: it is dead or about to be.
    Closed(usize),
}

/// A process of the run, as the launcher reaches it. It ends when this value goes.
pub trait Reach {
    /// Tells it something. That it is gone shows elsewhere.
    fn tell(&mut self, order: &Order);

    /// Lets it know that the launcher of process 0 is still there, if it could not know otherwise.
    fn assure(&mut self) {}

    /// Lets it go: the run has ended well.
    fn dismiss(&mut self);

    /// Tells it why the run has failed, if it outlives this value.
    fn end(&mut self, _why: &Failure) {}

    /// How it ended, if it ends within this time and that can be known.
    fn fate(&mut self, time: Duration) -> Option<Fate>;
}

/// A child that is killed and reaped when this value goes.
pub struct Process {
    child: Child,
    orders: Option<ChildStdin>,
}

impl Process {
    /// Starts a child; what happens to it comes through `events`, with its index.
    ///
    /// # Errors
    /// If the system starts no more processes.
    pub fn start(
        program: &Path,
        arguments: &[String],
        index: usize,
        events: Sender<Event>,
    ) -> Result<Process, Failure> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| {
                Failure::new(FailureKind::Peer, format!("process {index} cannot be started: {e}"))
            })?;
        let orders = child.stdin.take();
        if let Some(errors) = child.stderr.take() {
            let events = events.clone();
            thread::spawn(move || overhear(index, errors, &events));
        }
        if let Some(output) = child.stdout.take() {
            thread::spawn(move || listen(index, output, &events));
        }
        Ok(Process { child, orders })
    }
}

impl Reach for Process {
    fn tell(&mut self, order: &Order) {
        if let Some(orders) = &mut self.orders {
            drop(write_line(orders, order));
        }
    }

    /// Ends its input, so that it exits.
    fn dismiss(&mut self) {
        self.orders = None;
    }

    fn fate(&mut self, time: Duration) -> Option<Fate> {
        let end = Instant::now() + time;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status.into()),
                Err(_) => return None,
                Ok(None) if Instant::now() > end => return None,
                Ok(None) => thread::sleep(Duration::from_millis(2)),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if it is gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Passes on what a process says, and that it says no more.
pub fn listen(index: usize, output: impl Read, events: &Sender<Event>) {
    for line in BufReader::new(output).lines() {
        let Ok(line) = line else { break };
        let event = match serde_json::from_str(&line) {
            Ok(word) => Event::Said(index, word),
            Err(_) => Event::Wrote(index, line),
        };
        if events.send(event).is_err() {
            return;
        }
    }
    drop(events.send(Event::Closed(index)));
}

/// Passes on what a process writes on standard error.
fn overhear(index: usize, errors: impl Read, events: &Sender<Event>) {
    for line in BufReader::new(errors).split(b'\n') {
        let Ok(line) = line else { return };
        let line = String::from_utf8_lossy(&line).into_owned();
        if events.send(Event::Wrote(index, line)).is_err() {
            return;
        }
    }
}
