//! How long to wait before the next attempt.
use super::date;
use crate::waits::Waits;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use std::time::{Duration, SystemTime};

/// The wait after attempt `n`, counted from 1. If the server has said how long, the first wait is
/// added to that.
pub(super) fn after(waits: &Waits, n: u32, said: Option<Duration>) -> Duration {
    let own = waits.after(if said.is_some() { 1 } else { n });
    own.saturating_add(said.unwrap_or_default()).min(waits.most)
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
        let waits = Waits { first: Duration::from_secs(1), most: Duration::from_secs(20) };
        let most = |n, said| (0..200).map(|_| after(&waits, n, said)).max().unwrap();
        let least = |n, said| (0..200).map(|_| after(&waits, n, said)).min().unwrap();
        assert!(most(1, None) <= Duration::from_secs(1));
        assert!(most(4, None) > Duration::from_secs(4) && most(4, None) <= Duration::from_secs(8));
        assert!(least(4, None) < Duration::from_secs(2));
        assert!(most(100, None) <= waits.most);
        let said = Some(Duration::from_secs(7));
        assert!(least(1, said) >= Duration::from_secs(7));
        assert!(most(9, said) <= Duration::from_secs(8));
        assert_eq!(least(1, Some(Duration::from_secs(3600))), waits.most);
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
