//! Places in the pipeline file, in words, for failures of the run.
use base::{Source, Span};

/// Characters of an expression that are shown.
const SHOWN: usize = 60;

/// `step "map" (p.yaml:5:11)`, and the step alone where it does not stand in the file.
pub fn step(source: &Source, step: &str, span: Span) -> String {
    if span == Span::default() {
        return format!("step \"{step}\"");
    }
    let (line, column) = source.line_column(span.start as usize);
    format!("step \"{step}\" ({}:{line}:{column})", source.name)
}

/// The same for an expression of the step, which is shown.
pub fn expression(source: &Source, name: &str, span: Span) -> String {
    let place = step(source, name, span);
    let text = source.text.get(span.range()).unwrap_or_default();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(SHOWN) {
        _ if text.is_empty() => place,
        Some((end, _)) => format!("{place}, expression `{}…`", &text[..end]),
        None => format!("{place}, expression `{text}`"),
    }
}
