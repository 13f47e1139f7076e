//! Numbers as people read them.
use base::grouped;

/// Bytes in the unit that suits them: `12 MB`, `2.9 GB`.
pub fn bytes(n: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut value = n as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && value < 9.95);
    format!("{value:.digits$} {}", units[unit])
}

/// A count with its noun: `1 thread`, `2 threads`.
pub fn count(n: u64, noun: &str) -> String {
    let plural = match (n, noun.strip_suffix("ess")) {
        (1, _) => noun.to_owned(),
        (_, Some(_)) => format!("{noun}es"),
        _ => format!("{noun}s"),
    };
    format!("{} {plural}", grouped(n))
}

/// A time: `23.4 ms`, `1.20 s`, `3 min 20 s`, `2 h 5 min`.
pub fn time(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        _ if seconds < 0.01 => format!("{:.2} ms", seconds * 1e3),
        _ if seconds < 0.1 => format!("{:.1} ms", seconds * 1e3),
        _ if seconds < 1.0 => format!("{:.0} ms", seconds * 1e3),
        0..=9 => format!("{seconds:.2} s"),
        10..=99 => format!("{seconds:.0} s"),
        100..=5999 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(12_300_000), "12 MB");
        assert_eq!(bytes(2_880_000_000), "2.9 GB");
        assert_eq!(bytes(999_900_000), "1.0 GB");
        assert_eq!(count(1, "process"), "1 process");
        assert_eq!(count(3, "process"), "3 processes");
        assert_eq!(count(1382, "tile"), "1,382 tiles");
        assert_eq!(time(0.001234), "1.23 ms");
        assert_eq!(time(0.0234), "23.4 ms");
        assert_eq!(time(0.123), "123 ms");
        assert_eq!(time(1.2), "1.20 s");
        assert_eq!(time(200.0), "3 min 20 s");
        assert_eq!(time(7500.0), "2 h 5 min");
    }
}
