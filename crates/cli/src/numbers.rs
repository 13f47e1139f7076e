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

/// A time with three digits: `310 µs`, `23.4 ms`, `1.20 s`; a long one as `3 min 20 s`, `2 h 5 min`.
pub fn time(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match seconds {
        s if s < 0.9995e-3 => format!("{} µs", three(s * 1e6)),
        s if s < 0.9995 => format!("{} ms", three(s * 1e3)),
        s if s < 99.5 => format!("{} s", three(s)),
        _ if whole < 6000 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// Three significant digits of a number from 0 to 999.
fn three(value: f64) -> String {
    let digits = match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$}")
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
        assert_eq!(time(0.0), "0.00 µs");
        assert_eq!(time(0.02341), "23.4 ms");
        assert_eq!(time(0.9999), "1.00 s");
        assert_eq!(time(12.0), "12.0 s");
        assert_eq!(time(200.0), "3 min 20 s");
        assert_eq!(time(7500.0), "2 h 5 min");
    }
}
