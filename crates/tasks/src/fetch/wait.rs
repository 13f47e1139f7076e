//! How long to wait before the next attempt.
use super::date;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use std::time::{Duration, SystemTime};

/// Bounds of the waits between attempts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Waits {
    /// The most that the first one takes; it doubles with each attempt.
    pub(super) first: Duration,
    /// The most that any takes.
    pub(super) longest: Duration,
}

impl Waits {
    /// The wait after attempt `n`, counted from 1: anything between nothing and a bound that
    /// doubles ("full jitter": Brooker, "Exponential Backoff and Jitter", 2015), so that rows that
    /// failed together do not come back together. If the server has said how long, that is added.
    pub(super) fn after(&self, n: u32, said: Option<Duration>) -> Duration {
        let doubled = self.first.saturating_mul(1u32.checked_shl(n - 1).unwrap_or(u32::MAX));
        let grown = if said.is_some() { self.first } else { doubled };
        let jitter = grown.min(self.longest).mul_f64(random());
        jitter.saturating_add(said.unwrap_or_default()).min(self.longest)
    }
}

/// A number from 0 to 1.
fn random() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness all wait the longest, which is still right.
    if getrandom::fill(&mut bytes).is_err() {
        return 1.0;
    }
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}

/// What the server says in `Retry-After`, in seconds or as a date (RFC 9110, section 10.2.3). A
/// date is meant by the clock of the server, if it shows that.
pub(super) fn said(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    let after = text(RETRY_AFTER)?;
    if let Ok(seconds) = after.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let here = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
    let now = text(DATE).and_then(date::parse);
    let now = now.or_else(|| here().map(|d| d.as_secs() as i64))?;
    Some(Duration::from_secs(u64::try_from(date::parse(after)? - now).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_heed_the_server() {
        let waits = Waits { first: Duration::from_secs(1), longest: Duration::from_secs(20) };
        let most = |n, said| (0..200).map(|_| waits.after(n, said)).max().unwrap();
        let least = |n, said| (0..200).map(|_| waits.after(n, said)).min().unwrap();
        assert!(most(1, None) <= Duration::from_secs(1));
        assert!(most(4, None) > Duration::from_secs(4) && most(4, None) <= Duration::from_secs(8));
        assert!(least(4, None) < Duration::from_secs(2));
        assert!(most(100, None) <= waits.longest);
        let said = Some(Duration::from_secs(7));
        assert!(least(1, said) >= Duration::from_secs(7));
        assert!(most(9, said) <= Duration::from_secs(8));
        assert_eq!(least(1, Some(Duration::from_secs(3600))), waits.longest);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let of = |after: &str, date: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, after.parse().unwrap());
            if let Some(date) = date {
                headers.insert(DATE, date.parse().unwrap());
            }
            said(&headers)
        };
        assert_eq!(of(" 120 ", None), Some(Duration::from_secs(120)));
        let (late, early) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:07 GMT");
        assert_eq!(of(late, Some(early)), Some(Duration::from_secs(30)));
        assert_eq!(of(late, None), Some(Duration::ZERO));
        assert_eq!(of("soon", Some(early)), None);
        assert_eq!(said(&HeaderMap::new()), None);
    }
}
