//! The time of the day, whatever the clock says: before 1970 it is a time like any other.
use chrono::{DateTime, Utc};
use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since 1970, fewer than none before.
pub fn microseconds(time: SystemTime) -> i64 {
    let micros = |time: std::time::Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => micros(since),
        Err(before) => -micros(before.duration()),
    }
}

/// A time as ISO 8601 writes it, in UTC, to the second.
pub fn iso(time: SystemTime) -> String {
    let time = DateTime::<Utc>::from_timestamp_micros(microseconds(time));
    time.unwrap_or_default().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn before_1970_too() {
        assert_eq!(iso(UNIX_EPOCH), "1970-01-01T00:00:00Z");
        let before = UNIX_EPOCH - Duration::from_secs(86_400);
        assert_eq!(
            (microseconds(before), &*iso(before)),
            (-86_400_000_000, "1969-12-31T00:00:00Z")
        );
    }
}
