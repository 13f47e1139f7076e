//! Keeps a program going: starts it, talks to it, starts it again if it fails.
use super::fit::Fit;
use super::inbox::{Came, Inbox};
use super::outbox::Outbox;
use super::process::{Process, told};
use super::program::Program;
use super::runner::{Link, Said};
use super::tail::Tail;
use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamEncoder;
use arrow_schema::ArrowError;
use futures::FutureExt;
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::time::{Instant, sleep_until, timeout};

/// A program whose output has ended is given so long to end itself.
const MOMENT: Duration = Duration::from_secs(2);
/// One whose input has ended, so long.
const FAREWELL: Duration = Duration::from_secs(10);
/// Before a program is started again for the first time; then twice as long, and so on,
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What a program was doing that ends too early.
const UNANSWERED: &str = "before it had answered";

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

/// Why a process is given up.
enum Why {
    /// It has ended, or its pipes are closed: what it was doing.
    Gone(&'static str),
    /// Something else.
    Wrong(String),
    /// The run does not want it any more.
    Stopped,
}

impl From<ArrowError> for Why {
    fn from(error: ArrowError) -> Why {
        Why::Wrong(format!("cannot be given a batch: {error}"))
    }
}

struct Driver {
    program: Arc<Program>,
    link: Arc<Link>,
    /// What has no answer yet, of what the program was given.
    sent: VecDeque<RecordBatch>,
    /// How often the first of these was tried.
    attempts: u32,
    said: Said,
}

impl Driver {
    async fn run(&mut self) -> Result<Said, String> {
        loop {
            while self.sent.is_empty() {
                match self.link.next() {
                    Some(batch) => self.sent.push_back(batch),
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
        self.link.group(process.group);
        let (mut tail, mut talk) = (Tail::default(), Answers::new(&self.program));
        let done = match self.talk(&mut process, &mut talk, &mut tail).await {
            Ok(()) => self.farewell(&mut process, &mut talk, &mut tail).await,
            Err(why) => Err(why),
        };
        let why = match done {
            Ok(()) => None,
            Err(Why::Stopped) => Some("was stopped".to_owned()),
            Err(Why::Wrong(why)) => Some(why),
            Err(Why::Gone(doing)) => Some(match process.ended(MOMENT).await {
                Some(status) => format!("{} {doing}", told(status)),
                None => format!("closed its pipes {doing}"),
            }),
        };
        process.kill().await;
        self.link.group(None);
        // Something that it started may hold the other end open.
        let _ = timeout(MOMENT, rest(&process.errors, &mut tail)).await;
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

    /// Gives the program batches and takes its answers, until there are no more.
    async fn talk(
        &mut self,
        process: &mut Process,
        talk: &mut Answers,
        tail: &mut Tail,
    ) -> Result<(), Why> {
        let Process { input, output, errors, .. } = process;
        let Some(pipe) = input.as_ref() else { return Ok(()) };
        let mut encoder = StreamEncoder::try_new(&self.program.takes)?;
        let mut outbox = Outbox::default();
        for batch in &self.sent {
            outbox.push(encoder.encode(batch)?);
        }
        let mut heard = true;
        let mut moved = Instant::now();
        loop {
            if self.link.stopped() {
                return Err(Why::Stopped);
            }
            while let Some(batch) = self.link.next() {
                if self.sent.is_empty() {
                    moved = Instant::now();
                }
                outbox.push(encoder.encode(&batch)?);
                self.sent.push_back(batch);
            }
            if self.sent.is_empty() && self.link.closing() {
                outbox.push(encoder.finish()?);
                return self.last(pipe, outbox).await;
            }
            let silent = self.program.timeout.filter(|_| !self.sent.is_empty());
            let deadline = moved + silent.unwrap_or_default();
            tokio::select! {
                () = self.link.news() => {}
                ready = pipe.writable(), if !outbox.is_empty() => {
                    match ready.and_then(|()| outbox.write(pipe)) {
                        Ok(0) => {}
                        Ok(_) => moved = Instant::now(),
                        Err(_) => return Err(self.deaf(talk, output)),
                    }
                }
                _ = pipe.ready(Interest::ERROR), if !self.sent.is_empty() => {
                    return Err(self.deaf(talk, output));
                }
                _ = output.readable() => {
                    if self.answers(talk, output)? {
                        moved = Instant::now();
                    }
                }
                _ = errors.readable(), if heard => heard = listen(errors, tail),
                () = sleep_until(deadline), if silent.is_some() => {
                    let seconds = silent.unwrap_or_default().as_secs_f64();
                    return Err(Why::Wrong(format!("was silent for {seconds} s")));
                }
            }
        }
    }

    /// Takes the answers that are there. Whether anything was.
    fn answers(&mut self, talk: &mut Answers, output: &Receiver) -> Result<bool, Why> {
        let mut any = false;
        loop {
            match talk.next(output).map_err(|why| Why::Wrong(format!("wrote {why}")))? {
                Next::Batch(batch) => {
                    if self.sent.pop_front().is_none() {
                        let why = "wrote an answer for which it had been given no batch: each \
                                   batch has exactly one";
                        return Err(Why::Wrong(why.to_owned()));
                    }
                    self.attempts = 0;
                    self.link.answer(batch);
                }
                Next::More => {}
                Next::Nothing => return Ok(any),
                Next::Cut => return Err(Why::Gone("in the middle of an answer")),
                Next::Closed if self.sent.is_empty() => {
                    return Err(Why::Gone("though more was to come"));
                }
                Next::Closed => return Err(Why::Gone(UNANSWERED)),
            }
            any = true;
        }
    }

    /// The program has closed its input before the end: what of its batches was in there is lost.
    /// What it has written tells more of why.
    fn deaf(&mut self, talk: &mut Answers, output: &Receiver) -> Why {
        self.answers(talk, output).err().unwrap_or(Why::Gone(UNANSWERED))
    }

    /// Makes sure that no answer comes when all have come: then they would be of other batches.
    /// Whether the pipe is still open.
    fn nothing_more(&mut self, talk: &mut Answers, output: &Receiver) -> Result<bool, Why> {
        match self.answers(talk, output) {
            Ok(_) => Ok(true),
            Err(Why::Gone(_)) => Ok(false),
            Err(why) => Err(why),
        }
    }

    /// Writes the end of the stream. A program that has answered all need not read it.
    async fn last(&self, pipe: &Sender, mut outbox: Outbox) -> Result<(), Why> {
        let write = async {
            while !outbox.is_empty() && pipe.writable().await.is_ok() {
                if outbox.write(pipe).is_err() {
                    return;
                }
            }
        };
        let _ = timeout(MOMENT, write).await;
        Ok(())
    }

    /// The program has no more to do, and ends.
    async fn farewell(
        &mut self,
        process: &mut Process,
        talk: &mut Answers,
        tail: &mut Tail,
    ) -> Result<(), Why> {
        process.input = None;
        let Process { child, output, errors, .. } = process;
        let end = Instant::now() + FAREWELL.max(self.program.timeout.unwrap_or_default());
        let (mut open, mut heard) = (true, true);
        loop {
            tokio::select! {
                status = child.wait() => return match status {
                    Ok(status) if !status.success() => {
                        Err(Why::Wrong(format!("{}, though all was answered", told(status))))
                    }
                    _ => self.nothing_more(talk, output).map(|_| ()),
                },
                _ = output.readable(), if open => open = self.nothing_more(talk, output)?,
                _ = errors.readable(), if heard => heard = listen(errors, tail),
                () = self.link.news() => {}
                () = sleep_until(end) => {
                    self.said.forced = true;
                    return Ok(());
                }
            }
            if self.link.stopped() {
                return Err(Why::Stopped);
            }
        }
    }
}

/// Reads what is there of a standard error. Whether it is still open.
fn listen(errors: &Receiver, tail: &mut Tail) -> bool {
    let mut piece = [0; 8192];
    loop {
        match errors.try_read(&mut piece) {
            Ok(0) => return false,
            Ok(n) => tail.push(&piece[..n]),
            Err(e) => return e.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
}

/// Reads a standard error to its end.
async fn rest(errors: &Receiver, tail: &mut Tail) {
    while listen(errors, tail) && errors.readable().await.is_ok() {}
}

/// The answers of one process.
struct Answers {
    program: Arc<Program>,
    inbox: Inbox,
    fit: Option<Fit>,
}

enum Next {
    Batch(RecordBatch),
    More,
    Nothing,
    Closed,
    Cut,
}

impl Answers {
    fn new(program: &Arc<Program>) -> Answers {
        Answers { program: program.clone(), inbox: Inbox::new(), fit: None }
    }

    fn next(&mut self, output: &Receiver) -> Result<Next, String> {
        Ok(match self.inbox.read(output)? {
            Came::Schema(schema) => {
                self.fit = Some(match &self.program.gives {
                    Some(fields) => Fit::new(&schema, fields)?,
                    None => Fit::natural(&schema)?,
                });
                Next::More
            }
            Came::Batch(batch) => match &self.fit {
                Some(fit) => Next::Batch(fit.batch(&batch)?),
                None => return Err("a batch before the schema".to_owned()),
            },
            Came::Part => Next::More,
            Came::Nothing => Next::Nothing,
            Came::Closed if self.inbox.is_between() => Next::Closed,
            Came::Closed => Next::Cut,
        })
    }
}
