//! The launcher's side of a run with several processes.
use super::cause::{Inquiry, Suspect};
use super::message::{Assignment, Order, Word};
use super::process::{Event, Process, Reach};
use super::remote::{Joined, Remote};
use super::{ALIVE, EXIT_TIME, GLANCE, SILENCE};
use crate::Done;
use crate::deal::Dealer;
use crate::links::{DEADLINE, Secret};
use crate::watch::so_far;
use base::{Failure, FailureKind};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// So long lines that are under way when the run has failed are waited for.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// The processes of a run.
pub struct Group {
    /// How many are started on this machine: the first ones.
    pub here: usize,
    /// Those of other launchers, which have joined.
    pub joined: Vec<Joined>,
    /// What this host is called, if there are others.
    pub host: Option<String>,
    /// Where others may reach it, a name or an address each, the best first.
    pub reached: Vec<String>,
    /// How long all processes have to find each other.
    pub deadline: Duration,
}

impl Group {
    /// All on this machine.
    pub fn here(processes: usize) -> Group {
        let (joined, host, reached) = (Vec::new(), None, Vec::new());
        Group { here: processes, joined, host, reached, deadline: DEADLINE }
    }
}

/// Asked with what all processes have said, before outputs get their names.
pub type Accept<'a> = Box<dyn Fn(&[Value]) -> Result<(), Failure> + 'a>;

/// What is supervised.
pub struct Crew<'a> {
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
    /// The tiles.
    pub dealer: Dealer,
    /// How long tiles in flight may take when the run is to stop.
    pub grace: Duration,
    /// What may still refuse the run when all have finished.
    pub accept: Option<Accept<'a>>,
}

/// What is told while they run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// What all processes together have done.
    Done(Done),
    /// A line that a process wrote on standard error.
    Line {
        /// The process.
        process: usize,
        /// Its host, if there are several.
        host: Option<String>,
        /// The line.
        line: String,
    },
    /// A result, for standard output.
    Print(String),
    /// Tables, as the launcher's own code understands them.
    Tables(Value),
    /// A line for standard error.
    Note(String),
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
    let assignment = |index| {
        Order::Start(Assignment {
            index,
            processes,
            run_id: crew.run_id.clone(),
            secret: secret.clone(),
            parent: std::process::id(),
            // Processes are dialled by those before them: these by none of another host.
            listen: "127.0.0.1:0".to_owned(),
            deadline: group.deadline.as_secs_f64(),
            job: crew.job.clone(),
        })
    };
    let (send, events) = channel();
    let several = !group.joined.is_empty();
    let mut watch = Watch {
        people: Vec::new(),
        inquiry: Inquiry::default(),
        written: None,
        dealer: crew.dealer,
        grace: crew.grace,
        stopping: None,
        accept: crew.accept,
        refused: None,
    };
    for index in 0..group.here {
        let process = Process::start(&crew.program, &crew.arguments, index, send.clone())?;
        let host = group.host.clone().filter(|_| several);
        let addresses = vec!["127.0.0.1".to_owned()];
        watch.people.push(Person::new(Box::new(process), index, host, addresses));
    }
    for (i, joined) in group.joined.into_iter().enumerate() {
        let index = group.here + i;
        let host = joined.host.clone();
        // Whoever reached this host through its own loopback is reached as this host is.
        let near = joined.ip.is_loopback();
        let mut addresses = if near { group.reached.clone() } else { Vec::new() };
        addresses.push(joined.ip.to_string());
        let remote = Remote::follow(joined, index, send.clone());
        watch.people.push(Person::new(Box::new(remote), index, Some(host), addresses));
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

/// A process, and what is known of it.
struct Person {
    reach: Box<dyn Reach>,
    /// For sentences.
    name: String,
    /// Its host, if there are several.
    host: Option<String>,
    /// How other processes may reach its host.
    addresses: Vec<String>,
    port: Option<u16>,
    done: Done,
    finished: Option<Value>,
    /// What it told then.
    told: Value,
    /// Whether it takes no further part: it has stopped, or failed, or is gone.
    left: bool,
    heard: Instant,
}

impl Person {
    fn new(
        reach: Box<dyn Reach>,
        index: usize,
        host: Option<String>,
        addresses: Vec<String>,
    ) -> Person {
        let name = match &host {
            Some(host) => format!("process {index} on {host}"),
            None => format!("process {index}"),
        };
        Person {
            reach,
            name,
            host,
            addresses,
            port: None,
            done: Done::default(),
            finished: None,
            told: Value::Null,
            left: false,
            heard: Instant::now(),
        }
    }
}

struct Watch<'a> {
    people: Vec<Person>,
    inquiry: Inquiry,
    written: Option<Value>,
    dealer: Dealer,
    grace: Duration,
    /// Since when, and why, the run is to stop.
    stopping: Option<(Instant, Failure)>,
    accept: Option<Accept<'a>>,
    /// Why outputs do not get their names, though all have finished.
    refused: Option<Failure>,
}

impl Watch<'_> {
    fn until_written(
        &mut self,
        events: &Receiver<Event>,
        stop: &dyn Fn() -> Option<Failure>,
        news: &mut dyn FnMut(News),
    ) -> Result<Value, Failure> {
        let mut last_look = Instant::now();
        let mut assured = Instant::now();
        loop {
            if let Some(why) = stop() {
                self.stop(why);
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
            if let Some(refused) = self.refused.take() {
                return Err(refused);
            }
            if let Some(stopped) = self.stopped() {
                return Err(stopped);
            }
            if let Some(suspect) = self.inquiry.verdict().filter(|_| self.stopping.is_none()) {
                let failure = self.accuse(suspect);
                self.hear_last_words(events, news);
                return Err(failure);
            }
        }
    }

    /// Asks all processes to stop, the first time.
    fn stop(&mut self, why: Failure) {
        if self.stopping.is_none() {
            self.stopping = Some((Instant::now(), why));
            self.people.iter_mut().for_each(|person| person.reach.tell(&Order::Stop));
        }
    }

    /// The end of a run that was to stop, as soon as nothing is in flight, or the grace is over.
    /// If all have finished meanwhile the outputs are on their way to their names, and the run
    /// ends well.
    fn stopped(&self) -> Option<Failure> {
        let (since, why) = self.stopping.as_ref()?;
        let all_left = self.people.iter().all(|p| p.left || p.finished.is_some())
            && self.people.iter().any(|p| p.left);
        if !all_left && since.elapsed() < self.grace {
            return None;
        }
        let done = self.people.iter().map(|p| p.done.tiles).sum();
        Some(so_far(why.clone(), done, self.dealer.tiles()))
    }

    fn hear(&mut self, event: Event, news: &mut dyn FnMut(News)) {
        match event {
            Event::Said(index, word) => self.hear_word(index, word, news),
            Event::Wrote(index, line) => self.pass_on(index, line, news),
            Event::Closed(index) => {
                let person = &mut self.people[index];
                person.left = true;
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
            Word::Alive(done) => {
                person.done = done;
                let all = self.people.iter().map(|p| p.done);
                news(News::Done(all.fold(Done::default(), Done::plus)));
            }
            Word::Ask(ask) => {
                let deal = self.dealer.deal(index, &ask);
                person.reach.tell(&Order::Deal(deal));
            }
            Word::Drained { tiles } => (person.done.tiles, person.left) = (tiles, true),
            Word::Stopped(why) => self.stop(why.into()),
            Word::Finished { result, told } => {
                (person.finished, person.told) = (Some(result), told);
                if self.people.iter().all(|p| p.finished.is_some()) && !self.inquiry.is_open() {
                    self.commit();
                }
            }
            Word::Written(what) => self.written = Some(what),
            Word::Print(text) => news(News::Print(text)),
            Word::Tables(tables) => news(News::Tables(tables)),
            Word::Note(line) => news(News::Note(line)),
            Word::Unlinked(cause) => self.inquiry.unlinked(index, cause.into()),
            Word::Failed(cause) => {
                person.left = true;
                self.inquiry.reported(index, cause.into());
            }
            Word::Line(line) => self.pass_on(index, line, news),
            Word::Gone(fate) => {
                person.left = true;
                self.inquiry.ended(index, &person.name, fate);
            }
        }
    }

    /// All have finished: outputs get their names, unless something is said against it.
    fn commit(&mut self) {
        let said: Vec<Value> = self.people.iter().filter_map(|p| p.finished.clone()).collect();
        match self.accept.as_ref().map_or(Ok(()), |accept| accept(&said)) {
            Ok(()) => {
                let told = self.people.iter_mut().map(|p| std::mem::take(&mut p.told)).collect();
                self.people[0].reach.tell(&Order::Commit(told));
            }
            Err(refused) => self.refused = Some(refused),
        }
    }

    fn pass_on(&self, process: usize, line: String, news: &mut dyn FnMut(News)) {
        let host = self.people[process].host.clone();
        news(News::Line { process, host, line });
    }

    /// As soon as all listen, each is told where the others do.
    fn introduce_all(&mut self) {
        let places = |p: &Person, port| {
            p.addresses.iter().map(|host| format!("{}:{port}", bracketed(host))).collect()
        };
        let addresses = self.people.iter().map(|p| p.port.map(|port| places(p, port)));
        let addresses: Option<Vec<Vec<String>>> = addresses.collect();
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

    /// The failure, with the process that has it unless it is named already.
    fn accuse(&self, suspect: &Suspect) -> Failure {
        let failure = suspect.failure.clone();
        match failure.kind {
            FailureKind::Peer => failure,
            _ => failure.context(self.people[suspect.process].name.as_str()),
        }
    }

    /// What processes wrote before they ended may still be under way.
    fn hear_last_words(&mut self, events: &Receiver<Event>, news: &mut dyn FnMut(News)) {
        let end = Instant::now() + LAST_WORDS;
        while let Ok(event) = events.recv_timeout(end.saturating_duration_since(Instant::now())) {
            match event {
                Event::Wrote(index, line) => self.pass_on(index, line, news),
                Event::Said(index, Word::Line(line)) => self.pass_on(index, line, news),
                Event::Said(..) | Event::Closed(_) => {}
            }
        }
    }
}

/// An IPv6 address before a port stands in brackets.
fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}
