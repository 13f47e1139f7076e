//! Diagnostics as text: file, line, column, source line, caret, help.
use crate::{Diagnostic, Severity, Source, Span};
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

/// Renders all diagnostics, a blank line between two, each like a compiler's.
/// With `color`, ANSI escapes mark the parts.
pub fn render(source: &Source, diagnostics: &[Diagnostic], color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut parts = Vec::new();
    for diagnostic in diagnostics {
        parts.push(one(source, diagnostic, &renderer));
    }
    let mut text = parts.join("\n\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn one(source: &Source, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(&diagnostic.message).id(diagnostic.code.text());
    if diagnostic.span == Span::default() {
        // About the file or the command as a whole: no line of it shows the mistake.
        let mut group = title.element(Origin::path(&*source.name));
        for help in &diagnostic.help {
            group = group.element(Level::HELP.message(help));
        }
        return renderer.render(&[group]);
    }
    let mut primary = AnnotationKind::Primary.span(clamp(source, diagnostic.span.range()));
    if !diagnostic.label.is_empty() {
        primary = primary.label(&diagnostic.label);
    }
    let mut snippet =
        Snippet::source(&*source.text).path(&*source.name).fold(true).annotation(primary);
    for other in &diagnostic.others {
        let range = clamp(source, other.span.range());
        snippet = snippet.annotation(AnnotationKind::Context.span(range).label(&other.text));
    }
    let mut group = title.element(snippet);
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help));
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
    while !text.is_char_boundary(end) {
        end += 1;
    }
    if start == end && text[start..].starts_with(|c: char| c != '\n' && c != '\r') {
        end += text[start..].chars().next().map_or(0, char::len_utf8);
    }
    start..end
}
