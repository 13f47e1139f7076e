//! A process on another host, as the launcher of process 0 reaches it: through the control link
//! of the launcher there, its agent.
use super::message::{Fate, Order, Word, write_line};
use super::process::{Event, Reach, listen};
use base::{Failure, FailureKind};
use std::fmt::Display;
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

/// An agent that has introduced itself.
pub struct Joined {
    /// What its host is called.
    pub host: String,
    /// The cores that it may use there.
    pub cores: usize,
    /// Its host's address, as this host sees it.
    pub ip: IpAddr,
    stream: TcpStream,
    words: BufReader<TcpStream>,
}

impl Joined {
    /// Waits for the first word of an agent.
    ///
    /// # Errors
    /// If it does not come in time, or is another one.
    pub fn greet(index: usize, stream: TcpStream, time: Duration) -> Result<Joined, Failure> {
        let lost = |e: &dyn Display| Joined::lost(index, e);
        let ip = stream.peer_addr().map_err(|e| lost(&e))?.ip();
        stream.set_read_timeout(Some(time)).map_err(|e| lost(&e))?;
        let mut words = BufReader::new(stream.try_clone().map_err(|e| lost(&e))?);
        let mut line = String::new();
        words.read_line(&mut line).map_err(|e| lost(&e))?;
        stream.set_read_timeout(None).map_err(|e| lost(&e))?;
        match serde_json::from_str(&line) {
            Ok(Word::Joined { host, cores }) => Ok(Joined { host, cores, ip, stream, words }),
            _ => Err(lost(&"it did not say who it is")),
        }
    }

    /// That this process went after it had joined.
    pub(super) fn lost(index: usize, why: &dyn Display) -> Failure {
        Failure::new(FailureKind::Peer, format!("process {index} joined and was lost: {why}"))
    }

    /// The link to it.
    pub(super) fn into_link(self) -> TcpStream {
        self.stream
    }
}

/// The other end of a control link.
pub struct Remote(TcpStream);

impl Remote {
    /// Follows an agent; what happens to its process comes through `events`, with its index.
    pub fn follow(joined: Joined, index: usize, events: Sender<Event>) -> Remote {
        let Joined { stream, words, .. } = joined;
        thread::spawn(move || listen(index, words, &events));
        Remote(stream)
    }
}

impl Reach for Remote {
    fn tell(&mut self, order: &Order) {
        drop(write_line(&mut self.0, order));
    }

    fn assure(&mut self) {
        self.tell(&Order::Alive);
    }

    fn dismiss(&mut self) {
        self.tell(&Order::Done);
    }

    fn end(&mut self, why: &Failure) {
        self.tell(&Order::End(why.clone().into()));
    }

    /// Its agent says so in a word.
    fn fate(&mut self, _time: Duration) -> Option<Fate> {
        None
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // What was told before still arrives.
        drop(self.0.shutdown(Shutdown::Write));
    }
}
