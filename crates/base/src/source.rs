//! The text of a pipeline file, and places in it.
use std::sync::Arc;

/// A half-open range of bytes in a [`Source`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes `start..end`; `end` is raised to `start` if it lies before it.
    pub fn new(start: usize, end: usize) -> Span {
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        Span { start, end: u32::try_from(end).unwrap_or(u32::MAX).max(start) }
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The span as a range of indices into the text.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A pipeline file: the name users know it by, and its text.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name to print, as the user gave it.
    pub name: Arc<str>,
    /// The whole text, UTF-8.
    pub text: Arc<str>,
}

impl Source {
    /// A source of this name and text. A carriage return alone ends a line, as YAML has it, and is
    /// made a newline, so that all agree on the lines; every byte keeps its place.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Source {
        let text: Arc<str> = text.into();
        let name = name.into();
        if !text.contains('\r') {
            return Source { name, text };
        }
        let mut chars = text.chars().peekable();
        let mut out = String::with_capacity(text.len());
        while let Some(c) = chars.next() {
            out.push(if c == '\r' && chars.peek() != Some(&'\n') { '\n' } else { c });
        }
        Source { name, text: out.into() }
    }

    /// Line and column of a byte, both from 1; the column counts characters.
    pub fn line_column(&self, byte: usize) -> (usize, usize) {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        let before = &self.text[..byte];
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        (line, before[start..].chars().count() + 1)
    }
}

/// A piece of text taken from a source, and where each part of it stands there.
/// Quoted or folded YAML scalars are not letter for letter what the file holds.
#[derive(Clone, Debug, Default)]
pub struct Text {
    /// The text after YAML has read it.
    pub text: Arc<str>,
    /// Ascending `(byte in text, byte in source)`: from each on, bytes run in step.
    steps: Vec<(u32, u32)>,
    /// One past the last byte in the source.
    end: u32,
}

impl Text {
    /// Text that stands in the source as it is, from byte `start` on.
    pub fn plain(text: impl Into<Arc<str>>, start: usize) -> Text {
        let text = text.into();
        let end = Span::new(start, start + text.len()).end;
        Text { text, steps: vec![(0, Span::new(start, start).start)], end }
    }

    /// Text whose bytes run in step with the source from each of the ascending
    /// `(byte in text, byte in source)` on; `end` is one past its last byte in the source.
    pub fn mapped(text: impl Into<Arc<str>>, steps: Vec<(u32, u32)>, end: u32) -> Text {
        Text { text: text.into(), steps, end }
    }

    /// Where the bytes `start..end` of the text stand in the source.
    pub fn span(&self, start: usize, end: usize) -> Span {
        Span { start: self.at(start), end: self.at(end).max(self.at(start)) }
    }

    /// The bytes `start..end` of the text as a text of their own.
    pub fn slice(&self, start: usize, end: usize) -> Text {
        let shift = |(text, source): &(u32, u32)| match (*text as usize).checked_sub(start) {
            Some(text) => (text as u32, *source),
            None => (0, source + (start as u32 - text)),
        };
        let first = self.steps.partition_point(|(text, _)| *text as usize <= start);
        let steps = self.steps[first.saturating_sub(1)..].iter().map(shift).collect();
        let span = self.span(start, end);
        Text { text: self.text[start..end].into(), steps, end: span.end }
    }

    /// Where the whole text stands in the source.
    pub fn whole(&self) -> Span {
        self.span(0, self.text.len())
    }

    fn at(&self, byte: usize) -> u32 {
        let byte = byte as u32;
        if byte as usize >= self.text.len() && !self.text.is_empty() {
            return self.end;
        }
        let i = self.steps.partition_point(|(text, _)| *text <= byte);
        match i.checked_sub(1).and_then(|i| self.steps.get(i)) {
            Some((text, source)) => (source + (byte - text)).min(self.end),
            None => self.end,
        }
    }
}
