//! Diagnostics as text: file, line, column, source line, caret, help.
use crate::{Diagnostic, Severity, Source, Span, grouped, steers, visible_lines};
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

/// How many diagnostics are shown: nobody reads more at a time.
const MOST: usize = 100;
/// How many bytes of one line are marked, and how many characters of one word are printed.
const LONG: usize = 400;

/// Renders diagnostics, a blank line between two, each like a compiler's: the first hundred, errors
/// before others where there are more, and then how many are left.
/// With `color`, ANSI escapes mark the parts; no other escape stands in the text, whatever the file
/// and its inputs hold.
pub fn render(source: &Source, diagnostics: &[Diagnostic], color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut shown: Vec<&Diagnostic> = diagnostics.iter().collect();
    if shown.len() > MOST {
        // A stable sort: errors stay in the order of the file.
        shown.sort_by_key(|d| d.severity != Severity::Error);
        shown.truncate(MOST);
    }
    let mut parts: Vec<String> = shown.iter().map(|d| one(source, d, &renderer)).collect();
    if diagnostics.len() > MOST {
        parts.push(format!("… and {} more", grouped((diagnostics.len() - MOST) as u64)));
    }
    let mut text = parts.join("\n\n");
    if !text.is_empty() {
        text.push('\n');
    }
    // The renderer replaces those of ASCII in source lines; all else was replaced before.
    let stays = |c: char| matches!(c, '\n' | '\t' | '\x1b') || !steers(c);
    match text.chars().all(stays) {
        true => text,
        false => text.split_inclusive(|c| !stays(c)).map(steady).collect(),
    }
}

/// A piece of text of whose characters only the last one may be one that steers.
fn steady(piece: &str) -> String {
    let at = piece.char_indices().next_back().map_or(0, |(at, _)| at);
    let (before, last) = piece.split_at(at);
    let last = if last == "\x1b" { last.into() } else { visible_lines(last) };
    format!("{before}{last}")
}

/// A name or number of a megabyte is nothing to read: of each long word the beginning.
fn shortened(text: &str) -> String {
    let word = |word: &str| match word.char_indices().nth(LONG) {
        Some((end, _)) => format!("{}…", &word[..end]),
        None => word.to_owned(),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn one(source: &Source, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let mut diagnostic = diagnostic.clone();
    let texts = diagnostic.others.iter_mut().map(|other| &mut other.text);
    let texts = texts.chain(&mut diagnostic.help);
    for text in texts.chain([&mut diagnostic.message, &mut diagnostic.label]) {
        if text.len() > LONG {
            *text = shortened(text);
        }
    }
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let message = visible_lines(&diagnostic.message);
    let name = visible_lines(&source.name);
    let label = visible_lines(&diagnostic.label);
    let help: Vec<_> = diagnostic.help.iter().map(|text| visible_lines(text)).collect();
    let title = level.primary_title(&*message).id(diagnostic.code.text());
    if diagnostic.span == Span::default() {
        // About the file or the command as a whole: no line of it shows the mistake.
        let mut group = title.element(Origin::path(&*name));
        for help in &help {
            group = group.element(Level::HELP.message(&**help));
        }
        return renderer.render(&[group]);
    }
    let mut primary = AnnotationKind::Primary.span(clamp(source, diagnostic.span.range()));
    if !label.is_empty() {
        primary = primary.label(&*label);
    }
    let mut snippet = Snippet::source(&*source.text).path(&*name).fold(true).annotation(primary);
    for other in &diagnostic.others {
        let range = clamp(source, other.span.range());
        snippet = snippet
            .annotation(AnnotationKind::Context.span(range).label(visible_lines(&other.text)));
    }
    let mut group = title.element(snippet);
    for help in &help {
        group = group.element(Level::HELP.message(&**help));
    }
    renderer.render(&[group])
}

/// The range cut to the text and widened to whole characters, never empty where there is text.
fn clamp(source: &Source, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let text = &source.text;
    let mut start = range.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = range.end.clamp(start, text.len());
    if end - start > LONG && !text.as_bytes()[start..start + LONG].contains(&b'\n') {
        end = start + LONG;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    if start == end && text[start..].starts_with(|c: char| c != '\n' && c != '\r') {
        end += text[start..].chars().next().map_or(0, char::len_utf8);
    }
    start..end
}
