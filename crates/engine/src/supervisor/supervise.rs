//! The launcher's side of a run with several processes.
use super::cause::{Inquiry, Suspect};
use super::message::{Assignment, Order, Word};
use super::process::{Event, Process, Reach};
use super::remote::{Joined, Remote};
use super::{ALIVE, EXIT_TIME, GLANCE, SILENCE};
use crate::links::{DEADLINE, Secret};
use base::{Failure, FailureKind};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// The processes of a run.
pub struct Group {
    /// How many are started on this machine: the first ones.
    pub here: usize,
    /// Those of other launchers, which have joined.
    pub joined: Vec<Joined>,
    /// What others call this host, if there are any.
    pub host: Option<String>,
    /// How long all processes have to find each other.
    pub deadline: Duration,
}

impl Group {
    /// All on this machine.
    pub fn here(processes: usize) -> Group {
        Group { here: processes, joined: Vec::new(), host: None, deadline: DEADLINE }
    }
}

/// What is supervised.
pub struct Crew {
    /// The processes.
    pub group: Group,
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
    crew: Crew,
    stop: &dyn Fn() -> Option<Failure>,
    news: &mut dyn FnMut(News),
) -> Result<Outcome, Failure> {
    let group = crew.group;
    let secret = Secret::random()?.to_hex();
    let processes = group.here + group.joined.len();
    let listen = if group.joined.is_empty() { "127.0.0.1:0" } else { "0.0.0.0:0" };
    let assignment = |index| {
        Order::Start(Assignment {
            index,
            processes,
            run_id: crew.run_id.clone(),
            secret: secret.clone(),
            parent: std::process::id(),
            listen: listen.to_owned(),
            deadline: group.deadline.as_secs_f64(),
            job: crew.job.clone(),
        })
    };
    let (send, events) = channel();
    let mut watch = Watch::default();
    for index in 0..group.here {
        let process = Process::start(&crew.program, &crew.arguments, index, send.clone())?;
        let host = group.host.clone().unwrap_or_else(|| "127.0.0.1".to_owned());
        let name = name(index, group.host.as_deref());
        watch.people.push(Person::new(Box::new(process), name, host));
    }
    for (i, joined) in group.joined.into_iter().enumerate() {
        let index = group.here + i;
        let name = name(index, Some(&joined.host));
        // Whoever reached this host through its own loopback is reached by its name.
        let near = joined.ip.is_loopback();
        let host = group.host.clone().filter(|_| near).unwrap_or_else(|| joined.ip.to_string());
        let remote = Remote::follow(joined, index, send.clone());
        watch.people.push(Person::new(Box::new(remote), name, host));
    }
    drop(send);
    for (index, person) in watch.people.iter_mut().enumerate() {
        person.reach.tell(&assignment(index));
    }
    let ended = watch.until_written(&events, stop, news);
    match ended {
        Ok(written) => Ok(watch.dismiss(written)),
        Err(failure) => {
            watch.people.iter_mut().for_each(|person| person.reach.end(&failure));
            Err(failure)
        }
    }
}

fn name(index: usize, host: Option<&str>) -> String {
    match host {
        Some(host) => format!("process {index} on {host}"),
        None => format!("process {index}"),
    }
}

/// A process, and what is known of it.
struct Person {
    reach: Box<dyn Reach>,
    /// For sentences.
    name: String,
    /// How other processes reach its host.
    host: String,
    port: Option<u16>,
    tiles: u64,
    finished: Option<Value>,
    heard: Instant,
    /// What it wrote last on standard error, if its agent has sent it.
    lines: Vec<String>,
}

impl Person {
    fn new(reach: Box<dyn Reach>, name: String, host: String) -> Person {
        let heard = Instant::now();
        let lines = Vec::new();
        Person { reach, name, host, port: None, tiles: 0, finished: None, heard, lines }
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
        &mut self,
        events: &Receiver<Event>,
        stop: &dyn Fn() -> Option<Failure>,
        news: &mut dyn FnMut(News),
    ) -> Result<Value, Failure> {
        let mut last_look = Instant::now();
        let mut assured = Instant::now();
        loop {
            if let Some(failure) = stop() {
                return Err(failure);
            }
            if let Ok(event) = events.recv_timeout(GLANCE) {
                self.hear(event, news);
            }
            self.miss_the_silent(&mut last_look);
            if assured.elapsed() > ALIVE {
                assured = Instant::now();
                self.people.iter_mut().for_each(|person| person.reach.assure());
            }
            if let Some(written) = self.written.take() {
                return Ok(written);
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
                let person = &mut self.people[index];
                let fate = person.reach.fate(EXIT_TIME);
                self.inquiry.ended(index, &person.name, fate);
            }
        }
    }

    fn hear_word(&mut self, index: usize, word: Word, news: &mut dyn FnMut(News)) {
        let person = &mut self.people[index];
        person.heard = Instant::now();
        match word {
            // Said once, before this.
            Word::Joined { .. } => {}
            Word::Listening(port) => {
                person.port = Some(port);
                self.introduce_all();
            }
            Word::Alive { tiles } => {
                person.tiles = tiles;
                news(News::Tiles(self.people.iter().map(|p| p.tiles).sum()));
            }
            Word::Finished(result) => {
                person.finished = Some(result);
                if self.people.iter().all(|p| p.finished.is_some()) && !self.inquiry.is_open() {
                    self.people[0].reach.tell(&Order::Commit);
                }
            }
            Word::Written(what) => self.written = Some(what),
            Word::Failed(cause) => self.inquiry.reported(index, cause.into()),
            Word::Line(line) => person.lines.push(line),
            Word::Gone(fate) => self.inquiry.ended(index, &person.name, fate),
        }
    }

    /// As soon as all listen, each is told where the others do.
    fn introduce_all(&mut self) {
        let address = |p: &Person| p.port.map(|port| format!("{}:{port}", bracketed(&p.host)));
        let addresses: Option<Vec<String>> = self.people.iter().map(address).collect();
        if let Some(addresses) = addresses {
            for person in &mut self.people {
                person.reach.tell(&Order::Addresses(addresses.clone()));
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
            self.inquiry.silent(index, &self.people[index].name, SILENCE);
        }
    }

    fn dismiss(mut self, written: Value) -> Outcome {
        self.people.iter_mut().for_each(|p| p.reach.dismiss());
        for person in &mut self.people {
            person.reach.fate(EXIT_TIME);
        }
        let finished = self.people.into_iter().map(|p| p.finished.unwrap_or_default()).collect();
        Outcome { finished, written }
    }

    /// The failure, after the last lines of the process that has it, unless it explains itself.
    fn accuse(&self, suspect: &Suspect, news: &mut dyn FnMut(News)) -> Failure {
        if matches!(suspect.failure.kind, FailureKind::Peer | FailureKind::Internal) {
            let person = &self.people[suspect.process];
            for line in person.reach.last_lines().into_iter().chain(person.lines.clone()) {
                news(News::Line(suspect.process, line));
            }
        }
        suspect.failure.clone()
    }
}

/// An IPv6 address before a port stands in brackets.
fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}
