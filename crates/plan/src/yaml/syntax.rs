//! What the parser refuses, in our words.
use super::read::{MAX_DEPTH, Spanned};
use base::{Code, Diagnostic, Diagnostics, Span};
use serde_saphyr::granit_parser::{Marker, Parser, ScanError, options};

/// All events of the text, and its syntax errors.
pub fn events(text: &str) -> (Vec<Spanned<'_>>, Diagnostics) {
    let mut found = Diagnostics::new();
    let mut events = Vec::new();
    let options = options! {
        emit_unresolved_aliases: true,
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
        simple_key_max_lookahead: 65536,
    };
    for next in Parser::new_from_str_with_options(text, options) {
        match next {
            Ok((event, span)) => events.push(Spanned {
                event,
                span: Span::new(byte(text, &span.start), byte(text, &span.end)),
                tag: span.tag_span().map(|s| Span::new(byte(text, &s.start), byte(text, &s.end))),
                indent: span.indent,
            }),
            Err(error) => {
                found.push(explain(text, &error));
                break;
            }
        }
    }
    (events, found)
}

/// The byte a marker stands at.
fn byte(text: &str, marker: &Marker) -> usize {
    let byte = marker.byte_offset().unwrap_or_else(|| {
        text.char_indices().nth(marker.index()).map_or(text.len(), |(byte, _)| byte)
    });
    byte.min(text.len())
}

fn explain(text: &str, error: &ScanError) -> Diagnostic {
    let at = byte(text, error.marker());
    Diagnostic::error(Code::YamlSyntax, Span::new(at, at), error.info())
}
