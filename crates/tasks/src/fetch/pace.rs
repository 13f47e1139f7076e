//! So many requests a second, and no more.
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Gives requests their times, one after the other at equal distances. It is a bucket of one token
/// that fills at a steady rate (ITU-T I.371, "generic cell rate algorithm"): nobody's server gets
/// a burst, and a late start does not slow down those after it.
#[derive(Debug)]
pub(super) struct Pace {
    gap: Duration,
    /// When the next one may go.
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// So many a second; at least one in a day.
    pub(super) fn new(per_second: f64) -> Pace {
        let gap = Duration::from_secs_f64(per_second.recip().clamp(0.0, 86_400.0));
        Pace { gap, next: Mutex::default() }
    }

    /// Waits for the turn.
    pub(super) async fn turn(&self) {
        let at = self.take(Instant::now());
        sleep_until(at).await;
    }

    /// The time of the next one who asks at `now`.
    fn take(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = next.map_or(now, |next| next.max(now));
        *next = Some(at + self.gap);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_a_gap_apart_and_none_is_saved() {
        let pace = Pace::new(10.0);
        let (now, gap) = (Instant::now(), Duration::from_millis(100));
        let turns: Vec<Instant> = (0..4).map(|_| pace.take(now)).collect();
        assert_eq!(turns, [now, now + gap, now + 2 * gap, now + 3 * gap]);
        // After a rest it is not faster.
        let later = now + 50 * gap;
        assert_eq!([pace.take(later), pace.take(later)], [later, later + gap]);
    }
}
