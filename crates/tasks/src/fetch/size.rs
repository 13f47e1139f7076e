//! Numbers of bytes in words.

/// A number of bytes: `812 B`, `1.2 MB`.
pub(super) fn size(bytes: u64) -> String {
    let (unit, name) = unit(bytes);
    format!("{} {name}", number(bytes, unit))
}

/// So many of so many: `1.2 of 3.4 MB`.
pub(super) fn part(bytes: u64, total: Option<u64>) -> String {
    let Some(total) = total.filter(|total| *total >= bytes) else { return size(bytes) };
    let (unit, name) = unit(total);
    format!("{} of {} {name}", number(bytes, unit), number(total, unit))
}

fn unit(bytes: u64) -> (u64, &'static str) {
    const UNITS: [(u64, &str); 4] =
        [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    UNITS.into_iter().find(|(unit, _)| bytes >= *unit).unwrap_or((1, "B"))
}

fn number(bytes: u64, unit: u64) -> String {
    match unit {
        1 => bytes.to_string(),
        _ => format!("{:.1}", bytes as f64 / unit as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_the_unit_of_the_whole() {
        assert_eq!(part(1_200_000, Some(3_400_000)), "1.2 of 3.4 MB");
        assert_eq!(part(12, Some(3_400)), "0.0 of 3.4 kB");
        assert_eq!(part(12, Some(34)), "12 of 34 B");
        assert_eq!(part(12_345, None), "12.3 kB");
        assert_eq!(part(12_345, Some(1)), "12.3 kB");
        assert_eq!(size(0), "0 B");
    }
}
