//! Lines whose indentation fits no line above.
use super::line;
use base::{Code, Diagnostic, Span};

/// Columns of the line at `at` and of the lines above it that it could align with: a line's first
/// character, and what stands behind its dashes. Each with a byte of its line.
fn columns(text: &str, at: usize) -> (usize, Vec<(usize, usize)>) {
    let own = at - line::line(text, at).start as usize;
    let mut open: Vec<(usize, usize)> = Vec::new();
    for above in line::before(text, at) {
        let lowest = open.last().map_or(usize::MAX, |(column, _)| *column);
        let first = line::first(text, above);
        let mut starts = vec![first];
        while let Some(rest) = text[starts[starts.len() - 1]..above.end as usize].strip_prefix("- ")
        {
            let blanks = rest.len() - rest.trim_start().len();
            starts.push(starts[starts.len() - 1] + 2 + blanks);
        }
        for start in starts.into_iter().rev() {
            let column = start - above.start as usize;
            if column < lowest && open.last().is_none_or(|(c, _)| column < *c) {
                open.push((column, start));
            }
        }
    }
    (own, open)
}

/// Whether no open line above starts where this one does.
pub fn is_misaligned(text: &str, at: usize) -> bool {
    let (own, open) = columns(text, at);
    !open.iter().any(|(column, _)| *column == own)
}

/// An error that says which line the one at `at` does not align with.
pub fn misaligned(text: &str, at: usize) -> Diagnostic {
    let (own, open) = columns(text, at);
    let rest = line::rest(text, at);
    let token = text[rest.range()].find(' ').map_or(rest, |i| Span::new(at, at + i.max(1)));
    let error = Diagnostic::error(Code::YamlSyntax, token, "the indentation fits no line above")
        .label(format!("{} here", spaces(own)));
    // An item of a list belongs beside items, a key beside keys.
    let is_item = |at: usize| text[at..].starts_with("- ");
    let near = |alike: bool| {
        let alike = open.iter().filter(move |(_, s)| !alike || is_item(*s) == is_item(at));
        alike.min_by_key(|(column, _)| column.abs_diff(own))
    };
    let Some((column, start)) = near(true).or_else(|| near(false)) else { return error };
    let number = line::number(text, *start);
    let near = line::rest(text, *start);
    let near = text[near.range()].find(' ').map_or(near, |i| Span::new(*start, start + i.max(1)));
    error
        .other(near, format!("{} here", spaces(*column)))
        .help(format!("to stand beside line {number}, begin the line with {}", spaces(*column)))
}

fn spaces(n: usize) -> String {
    match n {
        0 => "no spaces".into(),
        1 => "1 space".into(),
        n => format!("{n} spaces"),
    }
}
