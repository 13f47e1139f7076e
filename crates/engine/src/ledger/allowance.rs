//! The time that notes may take.
use std::time::{Duration, Instant};

/// What is noted takes at most this part of the time,
const PART: u32 = 100;

/// or so much: a run that is over soon is noted whole.
pub const CREDIT: Duration = Duration::from_millis(2);

/// Of one worker, for what it notes of one node.
#[derive(Default)]
pub struct Allowance {
    start: Option<Instant>,
    spent: Duration,
}

impl Allowance {
    /// The worker has work; only the first call counts.
    pub fn begin(&mut self) {
        self.start.get_or_insert_with(Instant::now);
    }

    /// Whether there is time for a note that takes so long.
    pub fn affords(&self, time: Duration) -> bool {
        let ran = self.start.map_or(Duration::ZERO, |start| start.elapsed());
        self.spent + time <= CREDIT.max(ran / PART)
    }

    /// A note has taken so long.
    pub fn spend(&mut self, time: Duration) {
        self.spent += time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_take_a_little_at_once_and_a_part_of_the_time() {
        let mut time = Allowance::default();
        assert!(time.affords(CREDIT));
        time.begin();
        time.spend(CREDIT * 2);
        assert!(!time.affords(Duration::ZERO));
        let long_ago = Instant::now().checked_sub(CREDIT * PART * 3);
        time.start = long_ago;
        // A host that has just been started may not know of a time so long ago.
        assert!(long_ago.is_none() || time.affords(CREDIT));
        assert!(!time.affords(CREDIT * 2));
    }
}
