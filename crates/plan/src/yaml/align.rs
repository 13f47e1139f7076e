//! Which byte of the file each byte of a scalar comes from.
use base::{Span, Text};
use serde_saphyr::granit_parser::ScalarStyle;

/// The text `value` that YAML reads at `span`, mapped to the bytes it comes from. `indent` is the
/// indentation of a block scalar. Where the two do not match, which would be a mistake here, the
/// text is mapped to its place as a whole.
pub fn align(
    source: &str,
    span: Span,
    style: ScalarStyle,
    indent: Option<usize>,
    value: &str,
) -> Text {
    if source.get(span.range()) == Some(value) {
        return Text::plain(value, span.start as usize);
    }
    let aligned = match style {
        ScalarStyle::Plain => lines(source, span, None, value),
        ScalarStyle::Literal | ScalarStyle::Folded => {
            lines(source, span, Some(indent.unwrap_or(0)), value)
        }
        ScalarStyle::SingleQuoted => quoted(source, span, false, value),
        ScalarStyle::DoubleQuoted => quoted(source, span, true, value),
    };
    aligned.unwrap_or_else(|| Text::mapped(value, vec![(0, span.start)], span.end))
}

/// Plain text of several lines, or a block whose lines lose `indent` spaces: each line stands in
/// the value as it is, with spaces or line breaks between.
fn lines(source: &str, span: Span, indent: Option<usize>, value: &str) -> Option<Text> {
    let mut at = span.start as usize;
    if indent.is_some() {
        at = source.get(..at)?.rfind('\n').map_or(0, |i| i + 1);
    }
    let mut end = span.start as usize;
    let (mut steps, mut read) = (Vec::new(), 0);
    for line in source.get(at..span.end as usize)?.split_inclusive('\n') {
        let (lead, content) = content(line, indent);
        let start = at + lead;
        at += line.len();
        if content.trim().is_empty() {
            continue;
        }
        if steps.is_empty() {
            // Empty lines before the first one.
            steps.push((0, start.saturating_sub(1).max(at - line.len()) as u32));
        }
        while !value.get(read..)?.starts_with(content) {
            let separator = value[read..].starts_with([' ', '\n']);
            read += separator.then_some(1)?;
        }
        steps.push((read as u32, start as u32));
        read += content.len();
        end = start + content.len();
    }
    let rest_is_breaks = value.get(read..)?.trim().is_empty();
    rest_is_breaks.then(|| Text::mapped(value, steps, end as u32))
}

/// How many bytes of a line come before its content, and the content.
fn content(line: &str, indent: Option<usize>) -> (usize, &str) {
    match indent {
        Some(indent) => {
            let spaces = line.len() - line.trim_start_matches(' ').len();
            let lead = spaces.min(indent);
            (lead, line[lead..].trim_end_matches(['\n', '\r']))
        }
        None => (line.len() - line.trim_start().len(), line.trim()),
    }
}

/// Quoted text: escapes are longer in the file than in the value, line breaks are folded.
fn quoted(source: &str, span: Span, double: bool, value: &str) -> Option<Text> {
    let start = span.start as usize + 1;
    let inner = source.get(start..(span.end as usize).checked_sub(1)?)?;
    let (mut steps, mut at, mut read) = (vec![(0, start as u32)], 0, 0);
    while at < inner.len() {
        let rest = &inner[at..];
        let (from, to) = if let Some((long, breaks)) = fold(rest) {
            (long, if breaks == 1 { 1 } else { breaks - 1 })
        } else if double && rest.starts_with('\\') {
            escape(rest, value.get(read..)?)?
        } else if !double && rest.starts_with("''") {
            (2, 1)
        } else {
            let long = rest.chars().next()?.len_utf8();
            if value.get(read..read + long)? != &rest[..long] {
                return None;
            }
            (long, long)
        };
        (at, read) = (at + from, read + to);
        if from != to {
            steps.push((read as u32, (start + at) as u32));
        }
    }
    (read == value.len()).then(|| Text::mapped(value, steps, (start + inner.len()) as u32))
}

/// Blanks and line breaks, if a line ends here: how long, and how many breaks.
fn fold(rest: &str) -> Option<(usize, usize)> {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
    let space = &rest[..rest.find(|c| !blank(c)).unwrap_or(rest.len())];
    match space.matches('\n').count() {
        0 => None,
        breaks => Some((space.len(), breaks)),
    }
}

/// The length of an escape in the file and of what it stands for.
fn escape(rest: &str, value: &str) -> Option<(usize, usize)> {
    let after = &rest[1..];
    if after.starts_with(['\n', '\r']) {
        let (long, breaks) = fold(after)?;
        return Some((1 + long, breaks - 1));
    }
    let letter = after.chars().next()?;
    let long = match letter {
        'x' => 4,
        'u' if after.get(5..7) == Some("\\u") && value.chars().next()? > '\u{ffff}' => 12,
        'u' => 6,
        'U' => 10,
        other => 1 + other.len_utf8(),
    };
    Some((long, value.chars().next()?.len_utf8()))
}
