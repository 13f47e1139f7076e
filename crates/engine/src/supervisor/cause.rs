//! The first cause: when one process is lost the others fail too, and only one of them is to blame.
use super::message::Fate;
use base::{Failure, FailureKind};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// So long a better explanation may follow one that is perhaps a mere consequence.
const GRACE: Duration = Duration::from_secs(1);

/// The exit code of a process that the system gave no more memory.
const NO_MEMORY: i32 = 5;

const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;

/// How well something explains the end of a run; the smallest explains best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// A failure of its own, or killed from outside.
    Cause,
    /// Ended without a word, perhaps since a link broke.
    Perhaps,
    /// A link that never came about: whoever gives up on it breaks others.
    Absence,
    /// A broken link.
    Consequence,
}

/// A failure, and the process that has it.
#[derive(Clone, Debug)]
pub struct Suspect {
    rank: Rank,
    /// The process.
    pub process: usize,
    /// What it says, or what is said of it.
    pub failure: Failure,
}

/// What has been found so far.
#[derive(Default)]
pub struct Inquiry {
    best: Option<Suspect>,
    /// Processes that said why they end; nothing is learnt from their end itself.
    explained: BTreeSet<usize>,
    since: Option<Instant>,
}

impl Inquiry {
    /// A process said that it failed.
    pub fn reported(&mut self, process: usize, failure: Failure) {
        let rank = if failure.kind == FailureKind::Peer { Rank::Consequence } else { Rank::Cause };
        self.explained.insert(process);
        self.add(Suspect { rank, process, failure });
    }

    /// A process said that it could not open all its links.
    pub fn unlinked(&mut self, process: usize, failure: Failure) {
        self.explained.insert(process);
        self.add(Suspect { rank: Rank::Absence, process, failure });
    }

    /// A process, called `name`, ended before its time.
    pub fn ended(&mut self, process: usize, name: &str, fate: Option<Fate>) {
        if self.explained.contains(&process) {
            return;
        }
        let rank = match fate {
            Some(Fate { signal: Some(SIGABRT), .. }) => Rank::Perhaps,
            Some(Fate { signal: Some(_), .. }) => Rank::Cause,
            _ => Rank::Perhaps,
        };
        let (rank, kind) = match fate {
            Some(Fate { code: Some(NO_MEMORY), .. }) => (Rank::Cause, FailureKind::Memory),
            _ => (rank, FailureKind::Peer),
        };
        let message = format!("{name} {}", end_of(fate));
        self.add(Suspect { rank, process, failure: Failure::new(kind, message) });
    }

    /// A process, called `name`, is there and says nothing.
    pub fn silent(&mut self, process: usize, name: &str, time: Duration) {
        let message = format!("{name} has not answered for {} s", time.as_secs());
        let failure = Failure::new(FailureKind::Peer, message);
        self.add(Suspect { rank: Rank::Cause, process, failure });
    }

    fn add(&mut self, suspect: Suspect) {
        self.since.get_or_insert_with(Instant::now);
        if self.best.as_ref().is_none_or(|best| suspect.rank < best.rank) {
            self.best = Some(suspect);
        }
    }

    /// The first cause, as soon as it is certain.
    pub fn verdict(&self) -> Option<&Suspect> {
        let certain = |s: &&Suspect| {
            s.rank == Rank::Cause || self.since.is_some_and(|since| since.elapsed() > GRACE)
        };
        self.best.as_ref().filter(certain)
    }

    /// Whether anything has been found.
    pub fn is_open(&self) -> bool {
        self.best.is_some()
    }
}

fn end_of(fate: Option<Fate>) -> String {
    match fate {
        Some(Fate { signal: Some(SIGKILL), .. }) => {
            "was killed by signal 9 (by someone, or by the system for want of memory)".into()
        }
        Some(Fate { signal: Some(signal), .. }) => format!("was killed by signal {signal}"),
        Some(Fate { code: Some(NO_MEMORY), .. }) => "got no more memory from the system".into(),
        Some(Fate { code: Some(code), .. }) => {
            format!("ended with exit code {code} before its time")
        }
        _ => "was lost".into(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const KILLED: Option<Fate> = Some(Fate { signal: Some(9), code: None });

    fn peer(text: &str) -> Failure {
        Failure::new(FailureKind::Peer, text)
    }

    #[test]
    fn the_killed_process_is_named_though_others_speak_first() {
        let mut inquiry = Inquiry::default();
        inquiry.reported(0, peer("lost the link to process 1"));
        assert!(inquiry.verdict().is_none());
        inquiry.ended(2, "process 2", Some(Fate { signal: None, code: Some(101) }));
        assert!(inquiry.verdict().is_none());
        inquiry.ended(1, "process 1 on b", KILLED);
        let suspect = inquiry.verdict().unwrap();
        assert_eq!(suspect.process, 1);
        assert!(suspect.failure.message.starts_with("process 1 on b was killed by signal 9"));
    }

    #[test]
    fn a_process_without_memory_says_so_by_its_exit_code() {
        let mut inquiry = Inquiry::default();
        inquiry.reported(0, peer("lost the link to process 1"));
        inquiry.ended(1, "process 1", Some(Fate { signal: None, code: Some(5) }));
        assert_eq!(inquiry.verdict().unwrap().failure.kind, FailureKind::Memory);
    }

    #[test]
    fn a_failure_counts_and_not_the_end_that_follows_it() {
        let mut inquiry = Inquiry::default();
        inquiry.reported(1, Failure::data("bad file"));
        inquiry.ended(1, "process 1", KILLED);
        inquiry.ended(0, "process 0", KILLED);
        assert_eq!(inquiry.verdict().unwrap().failure.message, "bad file");
    }

    #[test]
    fn who_never_came_is_named_though_a_link_broke_first() {
        let mut inquiry = Inquiry::default();
        inquiry.reported(2, peer("lost the link to process 0"));
        inquiry.unlinked(0, peer("process 1 did not connect"));
        inquiry.reported(0, peer("process 1 did not connect"));
        assert!(inquiry.verdict().is_none());
        inquiry.since = Instant::now().checked_sub(2 * GRACE);
        assert_eq!(inquiry.verdict().unwrap().failure.message, "process 1 did not connect");
    }

    #[test]
    fn a_broken_link_counts_if_nothing_else_explains_it() {
        let mut inquiry = Inquiry::default();
        inquiry.reported(0, peer("lost the link to process 1"));
        inquiry.since = Instant::now().checked_sub(2 * GRACE);
        assert_eq!(inquiry.verdict().unwrap().process, 0);
    }
}
