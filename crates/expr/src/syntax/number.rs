//! Numbers as Python writes them: `1`, `1_000`, `0xff`, `1.5`, `.5`, `1e8`.
use base::{Code, Value};

/// Why a text is not a number.
pub struct Mistake {
    pub code: Code,
    pub message: String,
    pub help: String,
}

/// The number above the largest: only with a minus before it is it an integer.
pub const BELOW_LEAST: &str = "9223372036854775808";

/// What is meant by a number that follows `before`, if both are parts of one thing.
pub fn apart(before: &str, word: &str) -> Option<String> {
    let digit = |c: &char| c.is_ascii_digit();
    match before.chars().next_back()? {
        '-' if before[..before.len() - 1].chars().next_back().as_ref().is_some_and(digit) => {
            Some("a date is text: write it in quotes, as '2020-01-31'".into())
        }
        ',' if word.len() == 3 => {
            let head: String = before[..before.len() - 1].chars().rev().take_while(digit).collect();
            let head: String = head.chars().rev().collect();
            let number = format!("{head}{word}");
            (!head.is_empty()).then(|| format!("numbers have no separators: write {number}"))
        }
        _ => None,
    }
}

/// The number that a whole text is, as expressions write it.
pub fn number(text: &str) -> Option<Value> {
    let whole = text.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    (whole && length(text) == text.len()).then(|| value(text).ok()).flatten()
}

/// How many bytes at the start of the text look like one number, letters and all.
pub fn length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let hex = text.len() > 1 && bytes[0] == b'0' && matches!(bytes[1] | 32, b'x' | b'b' | b'o');
    let mut i = 0;
    while i < bytes.len() {
        let sign = matches!(bytes[i], b'+' | b'-') && i > 0 && bytes[i - 1] | 32 == b'e' && !hex;
        let exponent_follows = || bytes.get(i + 1).is_some_and(u8::is_ascii_digit);
        // `1..=n` is a range of two numbers, not `1.` and a point.
        let point = bytes[i] == b'.' && bytes.get(i + 1) != Some(&b'.');
        let wordy = bytes[i].is_ascii_alphanumeric() || bytes[i] == b'_';
        if !(wordy || point || sign && exponent_follows()) {
            break;
        }
        i += 1;
    }
    i
}

/// The value of a text whose extent [`length`] found.
pub fn value(word: &str) -> Result<Value, Mistake> {
    let lower = word.to_ascii_lowercase();
    if lower.starts_with('_') || lower.ends_with('_') || lower.contains("__") {
        return Err(malformed(word));
    }
    let digits = lower.replace('_', "");
    for (prefix, radix) in [("0x", 16), ("0b", 2), ("0o", 8)] {
        if let Some(rest) = digits.strip_prefix(prefix) {
            return i64::from_str_radix(rest, radix)
                .map(Value::Int)
                .map_err(|e| if is_overflow(&e) { too_large(word) } else { malformed(word) });
        }
    }
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        if digits.len() > 1 && digits.starts_with('0') {
            return Err(leading_zero(word));
        }
        return digits.parse().map(Value::Int).map_err(|_| too_large(word));
    }
    let plain = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'+' | b'-');
    if !digits.bytes().all(plain) {
        return Err(malformed(word));
    }
    digits.parse().map(Value::Float).map_err(|_| malformed(word))
}

fn is_overflow(error: &std::num::ParseIntError) -> bool {
    *error.kind() == std::num::IntErrorKind::PosOverflow
}

fn too_large(word: &str) -> Mistake {
    Mistake {
        code: Code::BadLiteral,
        message: format!("`{word}` does not fit into int64"),
        help: "int64 reaches from -9223372036854775808 to 9223372036854775807; with a point it is \
               a float64"
            .into(),
    }
}

fn leading_zero(word: &str) -> Mistake {
    Mistake {
        code: Code::BadLiteral,
        message: format!("`{word}` starts with a zero"),
        help: match word.trim_start_matches(['0', '_']) {
            "" => "write `0`".into(),
            rest => format!("write `{rest}`"),
        },
    }
}

fn malformed(word: &str) -> Mistake {
    let cut = word.find(|c: char| c.is_alphabetic() && !matches!(c, 'e' | 'E'));
    let lower = word.to_ascii_lowercase();
    let help = match cut {
        _ if lower.starts_with("0b") => "binary digits are 0 and 1, as in 0b101".into(),
        _ if lower.starts_with("0o") => "octal digits are 0 to 7, as in 0o755".into(),
        _ if lower.starts_with("0x") => {
            "hexadecimal digits are 0 to 9 and a to f, as in 0xff".into()
        }
        Some(i) if matches!(&word[i..], "j" | "J") => "complex numbers are not supported".into(),
        Some(i) if i > 0 && word[..i].bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
            format!("to multiply write `{} * {}`", &word[..i], &word[i..])
        }
        _ => "numbers look like 10, 1_000, 0xff, 1.5 or 1e8".into(),
    };
    Mistake { code: Code::BadLiteral, message: format!("`{word}` is not a number"), help }
}
