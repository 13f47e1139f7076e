//! The launcher of a process that is not the first: it joins the launcher of process 0, starts its
//! own process here, and stands between the two. It says nothing by itself but how that process
//! ended, and that it was told to stop, and ends as the run does.
use super::message::{Order, Word, write_line};
use super::process::{Event, Process, Reach};
use super::{ALIVE, SILENCE};
use crate::links::{Member, Purpose, Wanted, connect};
use base::{Failure, FailureKind};
use std::io::{BufRead, BufReader, Read};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// So long the others may take to end, beside the grace, after this process was told to stop.
const FAREWELL: Duration = Duration::from_secs(5);

/// What an agent knows before it has joined.
pub struct Agent {
    /// Who it is; `plan` stands for the pipeline and all that was said with it, `threads` for the
    /// number that the user asked for, or 0.
    pub me: Member,
    /// Where process 0 may be reached, `host:port` each.
    pub hub: Vec<String>,
    /// What this host is called.
    pub host: String,
    /// The cores that it may use here.
    pub cores: usize,
    /// Where its process listens for data, `host:port`.
    pub listen: String,
    /// The program that its process runs.
    pub program: PathBuf,
    /// The program's arguments.
    pub arguments: Vec<String>,
    /// How long all processes have to find each other.
    pub deadline: Duration,
    /// How long tiles in flight may take when the run is to stop.
    pub grace: Duration,
}

/// What happens to an agent.
enum News {
    Order(Order),
    /// The control link is gone.
    Cut,
    Child(Event),
}

impl Agent {
    /// Joins the run and stays until it ends. `stop` is asked often whether this process is to end.
    ///
    /// # Errors
    /// Why the run ended, the same in all processes; or that process 0 cannot be reached.
    pub fn attend(&self, stop: &dyn Fn() -> Option<Failure>) -> Result<(), Failure> {
        let mut hub = self.join(stop)?;
        let lost = |e: std::io::Error| self.lost(&e.to_string());
        let word = Word::Joined { host: self.host.clone(), cores: self.cores };
        write_line(&mut hub, &word).map_err(lost)?;
        let (send, news) = channel();
        let (orders, other) = (hub.try_clone().map_err(lost)?, send.clone());
        thread::spawn(move || hear(orders, &other));
        let cut = Cut(hub.try_clone().map_err(lost)?);
        let ended = Relay { agent: self, hub, child: None, told: None }.run(&send, &news, stop);
        drop(cut);
        ended
    }

    fn join(&self, stop: &dyn Fn() -> Option<Failure>) -> Result<TcpStream, Failure> {
        let wanted = Wanted {
            me: &self.me,
            purpose: Purpose::Control,
            addresses: std::slice::from_ref(&self.hub),
            dial: 0..1,
            answer: 0..0,
            deadline: self.deadline,
            stop,
        };
        let link = connect(None, &wanted)?.into_iter().next().flatten();
        link.ok_or_else(|| Failure::internal("no link to process 0"))
    }

    fn lost(&self, why: &str) -> Failure {
        let message = format!("lost process 0 at {}: {why}", self.hub.join(" or "));
        Failure::new(FailureKind::Peer, message)
    }
}

/// Closes the control link, so that the thread that reads from it ends.
struct Cut(TcpStream);

impl Drop for Cut {
    fn drop(&mut self) {
        // It may be closed already.
        drop(self.0.shutdown(Shutdown::Both));
    }
}

/// Passes orders to the child and words to the hub.
struct Relay<'a> {
    agent: &'a Agent,
    hub: TcpStream,
    child: Option<Process>,
    /// When the hub was told that this process is to stop, and why.
    told: Option<(Instant, Failure)>,
}

impl Relay<'_> {
    fn run(
        mut self,
        send: &Sender<News>,
        news: &Receiver<News>,
        stop: &dyn Fn() -> Option<Failure>,
    ) -> Result<(), Failure> {
        let mut heard = Instant::now();
        loop {
            match news.recv_timeout(super::GLANCE) {
                Ok(News::Order(order)) => {
                    heard = Instant::now();
                    if let Some(end) = self.obey(order, send) {
                        return end;
                    }
                }
                Ok(News::Child(event)) => self.report(event),
                Ok(News::Cut) | Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.agent.lost("the link was cut, or it has ended"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            // Until all have joined, the hub waits and says nothing.
            let patience = match &self.child {
                Some(_) => SILENCE,
                None => self.agent.deadline + SILENCE,
            };
            if heard.elapsed() > patience {
                let seconds = patience.as_secs();
                return Err(self.agent.lost(&format!("it has not answered for {seconds} s")));
            }
            match &self.told {
                Some((since, why)) if since.elapsed() > self.agent.grace + FAREWELL => {
                    return Err(why.clone());
                }
                Some(_) => {}
                None => {
                    if let Some(why) = stop() {
                        self.say(&Word::Stopped(why.clone().into()));
                        self.told = Some((Instant::now(), why));
                    }
                }
            }
        }
    }

    /// Does what the hub orders; the end of the run, if that is it.
    fn obey(&mut self, order: Order, send: &Sender<News>) -> Option<Result<(), Failure>> {
        match order {
            Order::Start(mut assignment) => {
                assignment.parent = std::process::id();
                assignment.listen.clone_from(&self.agent.listen);
                let (events, told) = channel();
                let send = send.clone();
                thread::spawn(move || {
                    told.into_iter().for_each(|event| drop(send.send(News::Child(event))));
                });
                let Agent { program, arguments, .. } = self.agent;
                match Process::start(program, arguments, self.agent.me.index, events) {
                    Ok(mut child) => {
                        child.tell(&Order::Start(assignment));
                        self.child = Some(child);
                    }
                    Err(failure) => self.say(&failure.into()),
                }
            }
            Order::Addresses(_) | Order::Deal(_) | Order::Stop | Order::Commit(_) => {
                self.child.iter_mut().for_each(|child| child.tell(&order));
            }
            Order::Alive => {}
            Order::Done => {
                if let Some(child) = &mut self.child {
                    child.dismiss();
                    child.fate(super::EXIT_TIME);
                }
                return Some(Ok(()));
            }
            Order::End(why) => return Some(Err(why.into())),
        }
        None
    }

    /// Tells the hub what its process says, or how it ended.
    fn report(&mut self, event: Event) {
        match event {
            Event::Said(_, word) => self.say(&word),
            Event::Wrote(_, line) => self.say(&Word::Line(line)),
            Event::Closed(_) => {
                let Some(child) = &mut self.child else { return };
                let fate = child.fate(super::EXIT_TIME);
                self.say(&Word::Gone(fate));
            }
        }
    }

    /// That the hub is gone shows elsewhere.
    fn say(&mut self, word: &Word) {
        drop(write_line(&mut self.hub, word));
    }
}

fn hear(orders: impl Read, send: &Sender<News>) {
    for line in BufReader::new(orders).lines() {
        let Ok(Ok(order)) = line.map(|l| serde_json::from_str(&l)) else { break };
        if send.send(News::Order(order)).is_err() {
            return;
        }
    }
    drop(send.send(News::Cut));
}

// Assurances come more often than their absence is told.
const _: () = assert!(ALIVE.as_millis() * 3 < SILENCE.as_millis());
