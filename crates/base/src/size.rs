//! Sizes as people write them.

/// Bytes of a size such as `500MB`, `2 GiB` or `4096`; `None` if it is none, or less than a byte.
pub fn bytes_of(text: &str) -> Option<u64> {
    let text = text.trim();
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let number: f64 = number.parse().ok()?;
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1048576.0,
        "gib" => 1073741824.0,
        "tib" => 1099511627776.0,
        _ => return None,
    };
    let bytes = number * factor;
    (bytes >= 1.0).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes_of("2GiB"), Some(2 << 30));
        assert_eq!(bytes_of(" 1.5 GB "), Some(1_500_000_000));
        assert_eq!(bytes_of("4096"), Some(4096));
        assert_eq!((bytes_of("0.1"), bytes_of("2 PB"), bytes_of("much")), (None, None, None));
    }
}
