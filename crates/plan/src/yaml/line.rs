//! Lines of the file: indentation, the key before a value, and a value written right.
use base::Span;

/// The line that holds byte `at`, without its end and without a byte-order mark.
pub fn line(text: &str, at: usize) -> Span {
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let at = at.max(mark);
    let start = text[..at].rfind('\n').map_or(mark, |i| i + 1);
    let end = text[at..].find('\n').map_or(text.len(), |i| at + i);
    Span::new(start, start + text[start..end].trim_end_matches('\r').len())
}

/// The first byte of a line that is not blank.
pub fn first(text: &str, line: Span) -> usize {
    let content = text[line.range()].trim_start_matches([' ', '\t']);
    line.end as usize - content.len()
}

/// Whether a line holds nothing but blanks or a comment.
pub fn is_empty(text: &str, line: Span) -> bool {
    let content = text[line.range()].trim();
    content.is_empty() || content.starts_with('#')
}

/// The lines before the one at `at` that hold something, the nearest first.
pub fn before(text: &str, at: usize) -> impl Iterator<Item = Span> {
    let mut next = line(text, at).start as usize;
    std::iter::from_fn(move || {
        let found = line(text, next.checked_sub(1)?);
        // A byte-order mark stands before the first line, but is none itself.
        let earlier = (found.start as usize) < next;
        next = found.start as usize;
        earlier.then_some(found)
    })
    .filter(move |line| !is_empty(text, *line))
}

/// The number of the line at `at`, from 1.
pub fn number(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The rest of the line from `at` on, without a comment and trailing blanks.
pub fn rest(text: &str, at: usize) -> Span {
    let rest = &text[at..line(text, at).end as usize];
    let rest = &rest[..rest.find(" #").unwrap_or(rest.len())];
    Span::new(at, at + rest.trim_end().len())
}

/// The plain key that stands before the value at `at` on its line.
pub fn key_before(text: &str, at: usize) -> Option<&str> {
    let before = text[line(text, at).start as usize..at].trim_end().strip_suffix(':')?;
    let start = before.rfind(['{', ',', '[', '"', '\'']).map_or(0, |i| i + 1);
    let start = before.rfind("- ").map_or(start, |i| start.max(i + 2));
    Some(before[start..].trim()).filter(|key| !key.is_empty())
}

/// Where the value of a line starts: behind its dashes and its plain key.
pub fn value_of(text: &str, line: Span) -> Option<usize> {
    let mut start = first(text, line);
    while let Some(rest) = text[start..line.end as usize].strip_prefix("- ") {
        start = line.end as usize - rest.trim_start().len();
    }
    let content = &text[start..line.end as usize];
    if !content.starts_with(['"', '\'', '[', '{', '*', '&', '!'])
        && let Some(colon) = content.find(": ")
    {
        start += colon + 2;
        start += text[start..].len() - text[start..].trim_start_matches([' ', '\t']).len();
    }
    (start < line.end as usize).then_some(start)
}

/// The value in quotes, with its key or dash before it.
pub fn corrected(text: &str, value: Span) -> String {
    let quoted = quote(&text[value.range()]);
    let before = &text[line(text, value.start as usize).start as usize..value.start as usize];
    match key_before(text, value.start as usize) {
        Some(key) => format!("{key}: {quoted}"),
        None if before.trim_end().ends_with('-') => format!("- {quoted}"),
        None => quoted,
    }
}

/// The text in quotes, as YAML would take it: single ones where they are easiest to read.
pub fn quote(text: &str) -> String {
    if text.contains('\'') && !text.contains(['"', '\\']) {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// The name of a key that lacks the space after its colon (`filter:x > 3`), and what follows the
/// colon. Paths, times and addresses (`s3://x`, `C:\x`, `12:30`) are no such keys.
pub fn glued_key(content: &str) -> Option<(&str, &str)> {
    let (name, value) = content.split_once(':')?;
    let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let is_value = value.starts_with(|c: char| !c.is_whitespace() && !"/\\:".contains(c));
    (is_name && is_value).then_some((name, value))
}

/// What follows a dash that lacks its space (`-filter: x`).
pub fn glued_dash(content: &str) -> Option<&str> {
    content
        .strip_prefix('-')
        .filter(|rest| rest.starts_with(|c: char| c.is_alphabetic() || c == '_'))
}
