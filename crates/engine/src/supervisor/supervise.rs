//! The launcher's side of a run with several processes.
use super::cause::{Inquiry, Suspect};
use super::message::{Assignment, Order, Word, failure};
use super::process::{Event, Process};
use crate::links::Secret;
use base::{Failure, FailureKind};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Time between two looks for signals.
const GLANCE: Duration = Duration::from_millis(20);

/// A child speaks several times a second; one that says nothing for so long is lost.
const SILENCE: Duration = Duration::from_secs(30);

/// So long a child whose output ended, or that was dismissed, may take to be gone.
const EXIT_TIME: Duration = Duration::from_secs(2);

/// The processes to start.
#[derive(Clone, Debug)]
pub struct Crew {
    /// How many.
    pub processes: usize,
    /// The run.
    pub run_id: String,
    /// The work, handed to each of them.
    pub job: Value,
    /// The program that they run.
    pub program: PathBuf,
    /// Its arguments: nothing secret.
    pub arguments: Vec<String>,
}

/// What is told while they run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Tiles done by all processes together.
    Tiles(u64),
    /// A line that a process wrote, of interest since it failed.
    Line(usize, String),
}

/// What a run that ended well gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What each process said when it had finished.
    pub finished: Vec<Value>,
    /// What process 0 said when the outputs had their names.
    pub written: Value,
}

/// Starts all processes and waits for their end. `stop` is asked often whether the run is to be
/// ended. However this function ends, no process is left; outputs that are staged may be.
///
/// # Errors
/// The first cause: what a process reports, or that it is gone; or what `stop` says.
pub fn supervise(
    crew: &Crew,
    stop: &dyn Fn() -> Option<Failure>,
    news: &mut dyn FnMut(News),
) -> Result<Outcome, Failure> {
    let secret = Secret::random()?.to_hex();
    let (send, events) = channel();
    let mut watch = Watch::default();
    for index in 0..crew.processes {
        let mut process = Process::start(&crew.program, &crew.arguments, index, send.clone())?;
        process.tell(&Order::Start(Assignment {
            index,
            processes: crew.processes,
            run_id: crew.run_id.clone(),
            secret: secret.clone(),
            parent: std::process::id(),
            job: crew.job.clone(),
        }));
        watch.people.push(Person::new(process));
    }
    drop(send);
    watch.until_written(&events, stop, news)
}

/// A process, and what is known of it.
struct Person {
    process: Process,
    address: Option<SocketAddr>,
    tiles: u64,
    finished: Option<Value>,
    heard: Instant,
}

impl Person {
    fn new(process: Process) -> Person {
        Person { process, address: None, tiles: 0, finished: None, heard: Instant::now() }
    }
}

#[derive(Default)]
struct Watch {
    people: Vec<Person>,
    inquiry: Inquiry,
    written: Option<Value>,
}

impl Watch {
    fn until_written(
        mut self,
        events: &Receiver<Event>,
        stop: &dyn Fn() -> Option<Failure>,
        news: &mut dyn FnMut(News),
    ) -> Result<Outcome, Failure> {
        let mut last_look = Instant::now();
        loop {
            if let Some(failure) = stop() {
                return Err(failure);
            }
            if let Ok(event) = events.recv_timeout(GLANCE) {
                self.hear(event, news);
            }
            self.miss_the_silent(&mut last_look);
            if let Some(written) = self.written.take() {
                return Ok(self.dismiss(written));
            }
            if let Some(suspect) = self.inquiry.verdict() {
                return Err(self.accuse(suspect, news));
            }
        }
    }

    fn hear(&mut self, event: Event, news: &mut dyn FnMut(News)) {
        match event {
            Event::Said(index, word) => self.hear_word(index, word, news),
            Event::Babbled(index, line) => news(News::Line(index, line)),
            Event::Closed(index) => {
                let status = self.people[index].process.wait(EXIT_TIME);
                self.inquiry.ended(index, status);
            }
        }
    }

    fn hear_word(&mut self, index: usize, word: Word, news: &mut dyn FnMut(News)) {
        let person = &mut self.people[index];
        person.heard = Instant::now();
        match word {
            Word::Listening(address) => {
                person.address = Some(address);
                self.introduce_all();
            }
            Word::Alive { tiles } => {
                person.tiles = tiles;
                news(News::Tiles(self.people.iter().map(|p| p.tiles).sum()));
            }
            Word::Finished(result) => {
                person.finished = Some(result);
                if self.people.iter().all(|p| p.finished.is_some()) && !self.inquiry.is_open() {
                    self.people[0].process.tell(&Order::Commit);
                }
            }
            Word::Written(what) => self.written = Some(what),
            Word::Failed { kind, message, context } => {
                self.inquiry.reported(index, failure(&kind, message, context));
            }
        }
    }

    /// As soon as all listen, each is told where the others do.
    fn introduce_all(&mut self) {
        let addresses: Option<Vec<SocketAddr>> = self.people.iter().map(|p| p.address).collect();
        if let Some(addresses) = addresses {
            for person in &mut self.people {
                person.process.tell(&Order::Addresses(addresses.clone()));
            }
        }
    }

    fn miss_the_silent(&mut self, last_look: &mut Instant) {
        // If the launcher itself was stopped for a while, so were the others: start anew.
        if last_look.elapsed() > Duration::from_secs(2) {
            self.people.iter_mut().for_each(|p| p.heard = Instant::now());
        }
        *last_look = Instant::now();
        let silent = |p: &Person| p.heard.elapsed() > SILENCE;
        if let Some(index) = self.people.iter().position(silent) {
            self.inquiry.silent(index, SILENCE);
        }
    }

    fn dismiss(mut self, written: Value) -> Outcome {
        self.people.iter_mut().for_each(|p| p.process.dismiss());
        for person in &mut self.people {
            person.process.wait(EXIT_TIME);
        }
        let finished = self.people.into_iter().map(|p| p.finished.unwrap_or_default()).collect();
        Outcome { finished, written }
    }

    /// The failure, after the last lines of the process that has it, unless it explains itself.
    fn accuse(&self, suspect: &Suspect, news: &mut dyn FnMut(News)) -> Failure {
        if matches!(suspect.failure.kind, FailureKind::Peer | FailureKind::Internal) {
            for line in self.people[suspect.process].process.last_lines() {
                news(News::Line(suspect.process, line));
            }
        }
        suspect.failure.clone()
    }
}
