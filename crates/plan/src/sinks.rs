//! From a step that writes to the sink of its format, and what that says is wrong.
use crate::build::Builder;
use crate::graph::WritePlan;
use base::{Code, Diagnostic, Schema, Tiling};
use formats::{FormatErrorKind, Sink, WriteRequest};
use std::sync::Arc;

/// The sink of a step for tiles of a schema; a mistake if the format cannot hold it.
pub fn sink(
    b: &mut Builder,
    write: &WritePlan,
    schema: &Schema,
    tiling: Option<Tiling>,
) -> Option<Arc<dyn Sink>> {
    let request = WriteRequest {
        path: write.path.clone(),
        run_id: b.options.run_id.clone(),
        schema: schema.clone(),
        tiling,
        attributes: write.attributes.clone(),
        options: write.options.clone(),
        overwrite: b.options.overwrite,
    };
    let error = match write.format.sink(request) {
        Ok(sink) => return Some(sink),
        Err(error) => error,
    };
    let (code, span) = match &error.kind {
        FormatErrorKind::BadOption(name) => {
            let at = write.option_spans.iter().find(|(n, _)| n == name);
            (Code::BadValue, at.map_or(write.span, |(_, s)| *s))
        }
        _ => (Code::UnsupportedData, write.span),
    };
    b.error(Diagnostic::error(code, span, error.message).maybe_help(error.help));
    None
}
