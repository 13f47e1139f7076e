//! What the parser refuses, in our words.
use super::read::{MAX_DEPTH, Spanned};
use super::{cut, line, misfit, trap};
use base::{Code, Diagnostic, Span};
use serde_saphyr::granit_parser::{ErrorKind, Event, Marker, Parser, ScanError};
use serde_saphyr::granit_parser::{StructureStyle, options};

/// A syntax error.
pub struct Fault {
    /// What to tell.
    pub error: Diagnostic,
    /// The bytes without which the rest can be read, if that makes sense.
    pub skip: Option<Span>,
}

/// All events of the text, or its first syntax error.
pub fn events(text: &str) -> Result<Vec<Spanned<'_>>, Box<Fault>> {
    let mut events = Vec::new();
    let options = options! {
        emit_unresolved_aliases: true,
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
        simple_key_max_lookahead: 65536,
    };
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| Box::new(explain(text, &error, &events)))?;
        events.push(Spanned {
            event,
            span: Span::new(byte(text, &span.start), byte(text, &span.end)),
            tag: span.tag_span().map(|s| Span::new(byte(text, &s.start), byte(text, &s.end))),
            indent: span.indent,
        });
    }
    Ok(events)
}

/// The byte a marker stands at.
fn byte(text: &str, marker: &Marker) -> usize {
    let byte = marker.byte_offset().unwrap_or_else(|| {
        text.char_indices().nth(marker.index()).map_or(text.len(), |(byte, _)| byte)
    });
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

/// Where the parser stopped and what it had seen.
struct Stop<'a> {
    text: &'a str,
    at: usize,
    /// The innermost bracket that is open.
    open: Option<Span>,
    /// The last scalar before.
    last: Option<Span>,
}

fn explain(text: &str, error: &ScanError, events: &[Spanned]) -> Fault {
    let at = byte(text, error.marker());
    let scalar = |e: &&Spanned| matches!(e.event, Event::Scalar(..));
    let last = events.iter().rev().find(scalar).map(|e| e.span);
    let stop = Stop { text, at, open: open_bracket(events), last };
    use ErrorKind::*;
    match error.kind() {
        TabInBlockIndentation
        | TabInIndentation
        | TabNotAllowed
        | TabInPlainScalar
        | TabAtBlockScalarStart => stop.tab(),
        UnclosedQuotedScalar | DocumentIndicatorInQuotedScalar => stop.unclosed_quote(),
        UnknownQuotedScalarEscape
        | InvalidQuotedScalarHexEscape
        | InvalidUnicodeEscape
        | InvalidLowSurrogateHexEscape
        | InvalidLowSurrogate
        | MissingLowSurrogate
        | UnpairedLowSurrogate => stop.escape(),
        InvalidTrailingSingleQuotedScalar | InvalidTrailingDoubleQuotedScalar => stop.after_quote(),
        UnclosedFlowCollection { .. } => stop.unclosed_bracket(stop.at, None),
        MismatchedFlowCollectionEnd { open, close } => stop.mismatched(*open, *close),
        MisplacedFlowCollectionEnd => stop.plain("nothing opened this bracket", ""),
        RecursionLimitExceeded => stop.plain(
            format!("lists and mappings are nested more than {MAX_DEPTH} deep"),
            "here it gets too deep",
        ),
        InvalidBlockScalarHeader | ZeroBlockScalarIndent | UnexpectedCharacter { .. } => {
            stop.start(stop.value_start())
        }
        BlockSequenceEntryNotAllowed => stop.dash(),
        MappingKeyNotAllowed if stop.char() == Some('?') => stop.start(at),
        CommentNotSeparated => stop.plain("a space is missing before `#`", "a comment?"),
        BomInsideDocument => {
            stop.plain("a byte-order mark in the middle of the file", "take it away")
        }
        _ if stop.open.is_some() => stop.in_brackets(error),
        MappingValueNotAllowed => stop.colon(error),
        _ => stop.block(error),
    }
}

fn open_bracket(events: &[Spanned]) -> Option<Span> {
    let mut open = Vec::new();
    for spanned in events {
        match spanned.event {
            Event::MappingStart(style, ..) | Event::SequenceStart(style, ..) => {
                open.push((style, spanned.span));
            }
            Event::MappingEnd | Event::SequenceEnd => {
                open.pop();
            }
            _ => {}
        }
    }
    // The pair in `[a: b]` is a mapping without a bracket of its own.
    let flow = open.iter().rev().filter(|(style, _)| *style == StructureStyle::Flow);
    flow.map(|(_, span)| *span).find(|span| span.start < span.end)
}

impl Stop<'_> {
    fn char(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    /// The value from `at` on: to the comma inside brackets, else to the end of the line.
    fn value(&self, at: usize) -> Span {
        let rest = line::rest(self.text, at);
        if self.open.is_some() { cut::expression(self.text, at, rest) } else { rest }
    }

    /// Where the value starts that the parser stumbled in: an anchor or tag may stand before.
    fn value_start(&self) -> usize {
        let line = line::line(self.text, self.at);
        let before = &self.text[line.start as usize..self.at];
        let start = before.rfind(": ").map_or(self.at, |i| line.start as usize + i + 2);
        let start = start + (self.text[start..].len() - self.text[start..].trim_start().len());
        if start < self.at && self.text[start..].starts_with(['*', '&', '!']) {
            start
        } else {
            self.at
        }
    }

    fn plain(&self, message: impl Into<String>, label: &str) -> Fault {
        let end = self.at + self.char().map_or(0, char::len_utf8);
        let span = Span::new(self.at, end);
        let error = Diagnostic::error(Code::YamlSyntax, span, message).label(label);
        Fault { error, skip: None }
    }

    fn start(&self, at: usize) -> Fault {
        let value = self.value(at);
        Fault { error: trap::start(self.text, value), skip: Some(value) }
    }

    fn tab(&self) -> Fault {
        let from = line::line(self.text, self.at).start as usize;
        let mut at = self.at;
        let mut next = from;
        for line in self.text[from..].split_inclusive('\n') {
            let lead = line.len() - line.trim_start_matches([' ', '\t']).len();
            if let Some(tab) = line[..lead].find('\t') {
                at = next + tab;
                break;
            }
            next += line.len();
        }
        let rest = &self.text[at..];
        let long = rest.len() - rest.trim_start_matches('\t').len();
        let span = Span::new(at, at + long.max(1));
        let error = Diagnostic::error(Code::YamlTrap, span, "a tab in the indentation")
            .label("YAML indents with spaces only")
            .help("put spaces in place of each tab, as many as the lines around have");
        Fault { error, skip: None }
    }

    fn unclosed_quote(&self) -> Fault {
        let sign = self.char().unwrap_or('"');
        let fault = self.plain(format!("the quote `{sign}` is never closed"), "opened here");
        let mut error = fault.error;
        if self.text[self.at..].starts_with('\'') {
            error = error.help("inside single quotes write `''` for a `'`");
        } else {
            error = error.help("inside double quotes write `\\\"` for a `\"`");
        }
        Fault { error, ..fault }
    }

    fn escape(&self) -> Fault {
        let inner = &self.text[self.at..];
        let mut chars = inner.char_indices();
        let mut bad = self.at;
        while let Some((i, c)) = chars.next() {
            if c == '\\' {
                bad = self.at + i;
                let known =
                    chars.next().is_some_and(|(_, c)| "0abtnvfre \"/\\N_LP\t\n\r".contains(c));
                if !known && !is_hex_escape(&inner[i..]) {
                    break;
                }
            }
        }
        let long = self.text[bad..].chars().take(2).map(char::len_utf8).sum::<usize>();
        let text = &self.text[bad..bad + long];
        let message = format!("`{text}` means nothing inside double quotes");
        let error = Diagnostic::error(Code::YamlTrap, Span::new(bad, bad + long), message)
            .label("a backslash starts an escape here")
            .help("write `\\\\` for a backslash, or use single quotes, where it is an ordinary character");
        Fault { error, skip: None }
    }

    fn after_quote(&self) -> Fault {
        let value = cut::value(self.text, self.opening_quote());
        let at = Span::new(self.at, value.end as usize);
        let error = Diagnostic::error(Code::YamlTrap, at, "YAML ends a value at its closing quote")
            .label("this stands behind it")
            .help(format!("put quotes around the whole: `{}`", line::corrected(self.text, value)));
        Fault { error, skip: Some(value) }
    }

    /// Where the quoted value starts that ends before `at`.
    fn opening_quote(&self) -> usize {
        let mut inner = self.text[..self.at].trim_end();
        let sign = inner.chars().next_back().unwrap_or('"');
        inner = inner.strip_suffix(sign).unwrap_or(inner);
        while let Some(start) = inner.rfind(sign) {
            inner = &inner[..start];
            match inner.strip_suffix(if sign == '"' { '\\' } else { '\'' }) {
                Some(shorter) => inner = shorter,
                None => return start,
            }
        }
        self.at
    }

    fn unclosed_bracket(&self, open: usize, stumbled: Option<Span>) -> Fault {
        let sign = self.text[open..].chars().next().unwrap_or('[');
        let close = if sign == '{' { '}' } else { ']' };
        let span = Span::new(open, open + sign.len_utf8());
        let message = format!("the bracket `{sign}` is never closed");
        let mut error = Diagnostic::error(Code::YamlSyntax, span, message)
            .label("opened here")
            .help(format!("write `{close}` where it ends"));
        if let Some(span) = stumbled {
            error = error.other(span, "this can no longer belong to it");
        }
        Fault { error, skip: None }
    }

    fn mismatched(&self, open: char, close: char) -> Fault {
        let found = self.text[self.at..].find(close).map_or(self.at, |i| self.at + i);
        let fault = self.plain(format!("`{open}` is closed by `{close}`"), "opened here");
        let right = if open == '{' { '}' } else { ']' };
        let error = fault.error.other(Span::new(found, found + 1), format!("expected `{right}`"));
        Fault { error, ..fault }
    }

    /// `- x` behind a key on the same line.
    fn dash(&self) -> Fault {
        let value = line::rest(self.text, self.at);
        let span = Span::new(self.at, self.at + 1);
        let item = self.text[value.range()].trim_start_matches('-').trim_start();
        let error =
            Diagnostic::error(Code::YamlTrap, span, "an item of a list cannot stand behind a key")
                .label("`- ` starts an item")
                .help("start the list on the next line, or write it as `[a, b]`")
                .help(format!("a negative number has no space after its sign: `-{item}`"));
        Fault { error, skip: Some(value) }
    }

    fn in_brackets(&self, error: &ScanError) -> Fault {
        let Some(open) = self.open else { return self.block(error) };
        let same_line = line::line(self.text, open.start as usize).end as usize >= self.at;
        let is_value = self.last.filter(|last| last.end as usize == self.at);
        match (self.char(), is_value) {
            (Some(':'), Some(last)) if same_line && self.key(last).is_some() => self.colon_in(last),
            (Some('[' | '{'), Some(last)) => {
                let value = self.value(last.start as usize);
                let sign = self.char().unwrap_or('[');
                let span = Span::new(self.at, self.at + 1);
                let message = format!(
                    "inside brackets YAML reads `{sign}` as the start of a list or mapping"
                );
                let error = Diagnostic::error(Code::YamlTrap, span, message)
                    .label("the expression is cut here")
                    .help(format!(
                        "put quotes around the expression: `{}`",
                        line::corrected(self.text, value)
                    ));
                Fault { error, skip: None }
            }
            (Some(','), _) => self.plain("nothing stands before this comma", "take it away?"),
            _ if !same_line || self.at >= self.text.trim_end().len() => {
                let end = self.char().map_or(0, char::len_utf8);
                let stumbled = Span::new(self.at, self.at + end);
                self.unclosed_bracket(open.start as usize, (end > 0).then_some(stumbled))
            }
            _ => self.plain(error.info(), "unexpected here"),
        }
    }

    fn key(&self, value: Span) -> Option<&str> {
        line::key_before(self.text, value.start as usize)
    }

    /// `: ` inside the plain value that starts at `last`.
    fn colon_in(&self, last: Span) -> Fault {
        let value = self.value(last.start as usize);
        let span = Span::new(self.at, self.at + 1);
        let error = Diagnostic::error(
            Code::YamlTrap,
            span,
            "`: ` inside a value starts a new key for YAML",
        )
        .label("a second colon on this line")
        .help(format!("put quotes around the value: `{}`", line::corrected(self.text, value)));
        Fault { error, skip: Some(value) }
    }

    fn colon(&self, error: &ScanError) -> Fault {
        let here = line::line(self.text, self.at);
        match self.last {
            Some(last) if last.start >= here.start && self.key(last).is_some() => {
                self.colon_in(last)
            }
            // A text of several lines has swallowed this line's key.
            Some(last) if last.start < here.start => {
                let first = Span::new(
                    last.start as usize,
                    line::rest(self.text, last.start as usize).end as usize,
                );
                match trap::glued_key(self.text, first) {
                    Some(error) => Fault { error, skip: Some(first) },
                    None => self.misaligned(line::first(self.text, here)),
                }
            }
            _ => self.plain(error.info(), "unexpected here"),
        }
    }

    fn misaligned(&self, at: usize) -> Fault {
        Fault { error: misfit::misaligned(self.text, at), skip: None }
    }

    /// A key in the column of a list's dashes.
    fn no_item(&self, at: usize) -> Fault {
        let span = line::rest(self.text, at);
        let content = &self.text[span.range()];
        let token = content.find(' ').map_or(span, |i| Span::new(at, at + i));
        let error = Diagnostic::error(Code::YamlSyntax, token, "a dash is missing")
            .label("the lines above in this column are items of a list")
            .help(format!("for a new item write `- {content}`"))
            .help("for one more key of the item above, indent it like that item's first key");
        Fault { error, skip: None }
    }

    /// Anything else outside brackets.
    fn block(&self, error: &ScanError) -> Fault {
        let here = line::line(self.text, self.at);
        let first = line::first(self.text, here);
        let content = &self.text[first..here.end as usize];
        if let Some(start) = line::value_of(self.text, here).filter(|start| *start < self.at)
            && self.text[start..].starts_with(['[', '{', '*', '&', '!'])
        {
            return self.start(start);
        }
        if line::glued_dash(content).is_some() {
            return Fault { error: trap::dash(self.text, first), skip: None };
        }
        let item = Span::new(self.at, here.end as usize);
        if let Some(error) = trap::glued_key(self.text, item) {
            return Fault { error, skip: Some(item) };
        }
        match error.kind() {
            ErrorKind::SimpleKeyExpected => {
                let span = line::rest(self.text, self.at);
                let error = Diagnostic::error(Code::YamlSyntax, span, "this line has no key")
                    .label("expected `key: value`");
                Fault { error, skip: Some(span) }
            }
            ErrorKind::ExpectedBlockMappingKey if content.starts_with("- ") => {
                self.misaligned(first)
            }
            _ if self.at == first && misfit::is_misaligned(self.text, first) => {
                self.misaligned(first)
            }
            ErrorKind::ExpectedBlockSequenceEntry => self.no_item(first),
            _ => self.plain(error.info(), "unexpected here"),
        }
    }
}

/// Whether the text starts with a whole `\x41`, `\u0041` or `\U00000041`.
fn is_hex_escape(text: &str) -> bool {
    let digits = match text.as_bytes().get(1) {
        Some(b'x') => 2,
        Some(b'u') => 4,
        Some(b'U') => 8,
        _ => return false,
    };
    text.get(2..2 + digits).is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
}
