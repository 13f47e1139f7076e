//! From a step that writes to the sink of its format, and what that says is wrong.
use crate::build::Builder;
use crate::fingerprint::Print;
use crate::graph::WritePlan;
use crate::task;
use base::{Code, Diagnostic, Schema, Tiling};
use formats::{FormatErrorKind, Replace, Sink, Uploaded, WriteRequest, staging};
use std::path::Path;
use std::sync::Arc;
use tasks::store::is_remote;

/// The sink of a step for tiles of a schema, of which those without rows may count; a mistake if the format cannot hold it.
pub fn sink(
    b: &mut Builder,
    write: &WritePlan,
    schema: &Schema,
    tiling: Option<Tiling>,
    empty_tiles: bool,
) -> Option<Arc<dyn Sink>> {
    let run_id = b.state().map_or_else(|| b.options.run_id.clone(), |folder| tag(&folder));
    let remote = is_remote(&write.path);
    let replace = b.replace(&write.path);
    let request = WriteRequest {
        path: if remote { staging(&write.path, &run_id) } else { write.path.clone() },
        run_id,
        schema: schema.clone(),
        tiling,
        attributes: write.attributes.clone(),
        options: write.options.clone(),
        empty_tiles,
        replace: if remote { Replace::Never } else { replace },
        // A kill may come between the name of a row's file and the note of it.
        maker: b.row.as_ref().and_then(|_| task::maker(b)),
    };
    let error = match write.format.sink(request) {
        Ok(sink) => {
            sink.warnings().iter().for_each(|w| b.error(w.diagnostic(write.span)));
            if remote {
                let replace = replace == Replace::Always;
                return Some(Arc::new(Uploaded::new(sink, write.path.clone(), replace)));
            }
            return Some(sink);
        }
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

/// What is staged with a state keeps its name from run to run: that of the state.
fn tag(folder: &Path) -> String {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    Print::of([folder.as_os_str().as_encoded_bytes()]).to_string()[..8].to_owned()
}
