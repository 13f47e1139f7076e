//! Expressions that YAML cuts at a comma or a `#`, mended.
use super::{Key, Kind, Node, Scalar, line, line::quote};
use base::{Code, Diagnostic, Span, Text};

/// In `{ y: where(a > 0, a, 0) }` YAML ends the value of `y` at the first comma. Such values are
/// put together again, with an error for each. `span` is the mapping, with its braces.
pub fn mend_map(source: &str, entries: &mut Vec<(Key, Node)>, span: Span) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut i = 0;
    while i + 1 < entries.len() {
        found.extend(mend_key(source, entries, i));
        if i + 1 < entries.len() && is_cut(source, &entries[i].1) && entries[i + 1].1.is_null() {
            let at = entries[i].1.span;
            let whole = expression(source, at.start as usize, inside(span));
            let line = format!("{}: {}", entries[i].0.name, quote(&source[whole.range()]));
            found.push(error(source, at, whole, "{ }", line));
            entries[i].1 = plain(source, whole);
            let rest = entries.split_off(i + 1);
            entries.extend(rest.into_iter().filter(|(key, _)| key.span.start >= whole.end));
        }
        i += 1;
    }
    found
}

/// The key of `{ f(a, b): a + b }`, cut into the keys `f(a` and `b)`.
fn mend_key(source: &str, entries: &mut Vec<(Key, Node)>, i: usize) -> Option<Diagnostic> {
    let first = entries[i].0.span;
    if open(&source[first.range()]).parens <= 0 || !entries[i].1.is_null() {
        return None;
    }
    let closes = |(key, _): &(Key, Node)| open(&source[first.to(key.span).range()]).is_closed();
    let last = i + 1 + entries[i + 1..].iter().position(closes)?;
    let whole = first.to(entries[last].0.span);
    let name = source[whole.range()].to_string();
    let found = error(source, first, whole, "{ }", format!("{}: …", quote(&name)));
    let value = entries[last].1.clone();
    entries.splice(i..=last, [(Key { name, span: whole }, value)]);
    Some(found)
}

/// As [`mend_map`], for the items of `[month(time, 2), a]`.
pub fn mend_list(source: &str, items: &mut Vec<Node>, span: Span) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut i = 0;
    while i + 1 < items.len() {
        let at = items[i].span;
        if is_cut(source, &items[i]) && closes(source, at.start as usize, inside(span)) {
            let whole = expression(source, at.start as usize, inside(span));
            let line = quote(&source[whole.range()]);
            found.push(error(source, at, whole, "[ ]", line));
            items[i] = plain(source, whole);
            let rest = items.split_off(i + 1);
            items.extend(rest.into_iter().filter(|item| item.span.start >= whole.end));
        }
        i += 1;
    }
    found
}

fn error(source: &str, cut: Span, whole: Span, inside: &str, line: String) -> Diagnostic {
    let comma = source[cut.end as usize..whole.end as usize].find(',').unwrap_or(0);
    let comma = cut.end as usize + comma;
    let message = format!("inside `{inside}` YAML ends a value at the comma");
    Diagnostic::error(Code::YamlTrap, Span::new(comma, comma + 1), message)
        .label("the expression is cut here")
        .other(whole, "this is meant as one expression")
        .help(format!("put quotes around the expression: `{line}`"))
        .help(format!("or give it a line of its own, without `{inside}`"))
}

/// A collection without its closing bracket.
fn inside(span: Span) -> Span {
    Span::new(span.start as usize, (span.end as usize).saturating_sub(1))
}

/// The bytes of `span` as a plain value.
pub fn plain(source: &str, span: Span) -> Node {
    let text = Text::plain(&source[span.range()], span.start as usize);
    Node { span, kind: Kind::Scalar(Scalar { text, quoted: false }) }
}

/// Whether it is a plain value with an open parenthesis or quote.
fn is_cut(source: &str, node: &Node) -> bool {
    let plain = node.scalar().is_some_and(|scalar| !scalar.quoted);
    plain && !open(&source[node.span.range()]).is_closed()
}

/// Whether the parenthesis open in the value that starts at `start` is closed inside `span`.
fn closes(source: &str, start: usize, span: Span) -> bool {
    open(&source[expression(source, start, span).range()]).is_closed()
}

/// The expression from `start` to the comma or bracket that ends it, at most to the end of `span`.
pub fn expression(source: &str, start: usize, span: Span) -> Span {
    let text = &source[start..(span.end as usize).max(start)];
    let mut state = Open::default();
    let mut end = text.len();
    for (i, c) in text.char_indices() {
        if state.is_closed() && matches!(c, ',' | '}' | ']') {
            end = i;
            break;
        }
        state.step(c);
    }
    Span::new(start, start + text[..end].trim_end().len())
}

/// The value that starts at `at`: to its comma or bracket if a bracket is open on its line before
/// it, else to the end of the line.
pub fn value(source: &str, at: usize) -> Span {
    let rest = line::rest(source, at);
    let before = &source[line::line(source, at).start as usize..at.max(rest.start as usize)];
    if before.contains(['{', '[']) { expression(source, at, rest) } else { rest }
}

/// What is open after a piece of an expression.
#[derive(Default)]
struct Open {
    parens: i32,
    quote: Option<char>,
    /// The character before, to tell a quote from an apostrophe.
    last: Option<char>,
}

impl Open {
    fn step(&mut self, c: char) {
        match (self.quote, c) {
            (Some(quote), c) if c == quote => self.quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if !self.last.is_some_and(char::is_alphanumeric) => {
                self.quote = Some(c);
            }
            (None, '(' | '[' | '{') => self.parens += 1,
            (None, ')' | ']' | '}') => self.parens -= 1,
            _ => {}
        }
        self.last = Some(c);
    }

    fn is_closed(&self) -> bool {
        self.parens <= 0 && self.quote.is_none()
    }
}

fn open(text: &str) -> Open {
    let mut state = Open::default();
    text.chars().for_each(|c| state.step(c));
    state
}

/// The rest of the line behind a plain value, from its ` #` on.
fn comment(source: &str, span: Span) -> Option<Span> {
    let rest = &source[span.end as usize..];
    let line = rest.lines().next()?.trim_end();
    let start = line.len() - line.trim_start().len();
    let start = span.end as usize + start;
    line.trim_start().starts_with('#').then(|| Span::new(start, span.end as usize + line.len()))
}

/// Where YAML starts a comment in the middle of an expression: its `#`, and the whole of it.
pub fn comment_inside(source: &str, span: Span) -> Option<(Span, Span)> {
    let comment = comment(source, span)?;
    let before = open(&source[span.range()]);
    let after = &source[comment.range()];
    let quote = before.quote.is_some_and(|quote| after.contains(quote));
    let paren = before.parens > 0 && after.contains(')');
    (quote || paren)
        .then(|| (Span::new(comment.start as usize, comment.start as usize + 1), span.to(comment)))
}
