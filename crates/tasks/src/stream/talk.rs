//! Talks to one process: batches in, answers out, until there are no more.
use super::answers::{Answers, Next};
use super::driver::{Driver, MOMENT, Sent};
use super::outbox::Outbox;
use super::process::Process;
use super::tail::Tail;
use arrow_ipc::writer::StreamEncoder;
use arrow_schema::ArrowError;
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::time::{Instant, sleep_until, timeout};

/// A program whose input has ended is given so long to end itself.
const FAREWELL: Duration = Duration::from_secs(10);
/// What a program was doing that ends too early.
const UNANSWERED: &str = "before it had answered";

/// Why a process is given up.
pub(super) enum Why {
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

impl Driver {
    /// Gives the program batches and takes its answers, until there are no more.
    pub(super) async fn talk(
        &mut self,
        process: &mut Process,
        talk: &mut Answers,
        tail: &mut Tail,
    ) -> Result<(), Why> {
        let Process { input, output, errors, .. } = process;
        let Some(pipe) = input.as_ref() else { return Ok(()) };
        let mut encoder = StreamEncoder::try_new(&self.program.takes)?;
        let mut outbox = Outbox::default();
        for sent in &mut self.sent {
            sent.pieces = encoder.encode(&sent.batch)?;
            outbox.push(&sent.pieces);
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
                let pieces = encoder.encode(&batch)?;
                outbox.push(&pieces);
                self.sent.push_back(Sent { batch, pieces });
            }
            if self.sent.is_empty() && self.link.closing() {
                outbox.push(&encoder.finish()?);
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
    pub(super) async fn farewell(
        &mut self,
        process: &mut Process,
        talk: &mut Answers,
        tail: &mut Tail,
    ) -> Result<(), Why> {
        process.input = None;
        let Process { running, output, errors, .. } = process;
        let end = Instant::now() + FAREWELL.max(self.program.timeout.unwrap_or_default());
        let (mut open, mut heard) = (true, true);
        loop {
            tokio::select! {
                () = running.exited() => return self.nothing_more(talk, output).map(|_| ()),
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
    // A flood must not keep all else waiting.
    for _ in 0..64 {
        match errors.try_read(&mut piece) {
            Ok(0) => return false,
            Ok(n) => tail.push(&piece[..n]),
            Err(e) => return e.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
    true
}

/// Reads a standard error to its end.
pub(super) async fn rest(errors: &Receiver, tail: &mut Tail) {
    while listen(errors, tail) && errors.readable().await.is_ok() {}
}
