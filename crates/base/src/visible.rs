//! Text of files and users on its way to a terminal: what would steer it is shown, not sent.
use std::borrow::Cow;

/// A text of one line: control characters and those that turn the direction of writing are shown
/// as they are written in a string (`\n`, `\x1b`, `\u{202e}`).
pub fn visible(text: &str) -> Cow<'_, str> {
    shown(text, steers)
}

/// The same of a text that may have several lines, which stay.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    shown(text, |c| c != '\n' && c != '\t' && steers(c))
}

/// A text without the logins of the addresses in it: of `https://user:password@host/` only the host
/// and what follows is shown.
pub fn without_logins(text: &str) -> Cow<'_, str> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, address)) = rest.split_once("//") {
        let end = address.find(|c: char| c.is_whitespace() || "/?#\"'`,".contains(c));
        let host = &address[..end.unwrap_or(address.len())];
        let login = host.rfind('@').map_or(0, |at| at + 1);
        out.push_str(before);
        out.push_str(if login > 0 { "//…@" } else { "//" });
        rest = &address[login..];
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn shown(text: &str, hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    // Nearly all text is of such bytes.
    let plain = |byte: u8| (b' '..0x7f).contains(&byte);
    if text.bytes().all(plain) || !text.contains(&hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            _ if !hidden(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\0'..='\u{ff}' => out.push_str(&format!("\\x{:02x}", c as u32)),
            _ => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
        }
    }
    Cow::Owned(out)
}

/// Whether a character is none to be seen but one that does something: C0, DEL and C1 of ISO 6429,
/// Unicode's marks, embeddings, overrides and isolates of direction (UAX 9), its line and paragraph
/// separators.
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_not_shown() {
        for (text, shown) in [
            ("http://me:secret@host/x", "http://…@host/x"),
            ("a = ftp://me:s@cret@host, b = http://me@host", "a = ftp://…@host, b = http://…@host"),
            ("https://host/@x and // a@b", "https://host/@x and // a@b"),
            ("a@b", "a@b"),
        ] {
            assert_eq!(without_logins(text), shown);
        }
    }

    #[test]
    fn what_steers_a_terminal_is_shown() {
        assert_eq!(visible("a\x1b]0;x\x07b"), "a\\x1b]0;x\\x07b");
        assert_eq!(visible("\u{9b}2J\x7f"), "\\x9b2J\\x7f");
        assert_eq!(visible("a\u{202e}b\u{2028}"), "a\\u{202e}b\\u{2028}");
        assert_eq!(visible("a\r\n\tb"), "a\\r\\n\\tb");
        assert_eq!(visible_lines("a\r\n\tb\0"), "a\\r\n\tb\\x00");
    }

    #[test]
    fn other_text_stays() {
        for text in ["", "ü 気温 ✓ ⟨a⟩", "C:\\x1b"] {
            assert!(matches!(visible(text), Cow::Borrowed(same) if same == text), "{text}");
        }
        // Joiners and selectors of scripts and emoji do not steer.
        assert_eq!(visible("👩\u{200d}🔬\u{fe0f}"), "👩\u{200d}🔬\u{fe0f}");
    }
}
