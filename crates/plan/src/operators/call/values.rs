//! Values beside `call`: numbers, times, and what the output is.
use crate::build::Builder;
use crate::spec::{Step, wrong_shape};
use crate::yaml::{Kind, Node};
use base::{Code, DType, Diagnostic, did_you_mean};
use std::sync::Arc;
use std::time::Duration;
use tasks::call::Stdout;

/// What a program may write.
const KINDS: [&str; 5] = ["text", "lines", "float64", "json", "csv"];

/// What the program writes. `None` after a mistake.
pub(super) fn stdout(b: &mut Builder, step: &Step) -> Option<Stdout> {
    let kind = match step.option("stdout") {
        Some(node) => (b.text(node, "`stdout` is the kind of what it writes")?, node.span),
        None => ("text".to_owned(), step.span),
    };
    let declared = step.option("columns").map(|node| (columns(b, node), node.span));
    let (kind, span) = kind;
    let stdout = match kind.trim() {
        "text" => Stdout::Text,
        "lines" => Stdout::Lines,
        "float64" => Stdout::Float64,
        "json" | "csv" => {
            let Some((columns, _)) = declared else {
                let message = format!("`stdout: {kind}` needs `columns`, with their types");
                let error = Diagnostic::error(Code::MissingKey, span, message);
                b.error(error.help("such as `columns: { t: float64, name: string }`"));
                return None;
            };
            return Some(if kind.trim() == "csv" {
                Stdout::Csv(columns?)
            } else {
                Stdout::Json(columns?)
            });
        }
        other => {
            let message = format!("`stdout` is one of {}, not `{other}`", KINDS.join(", "));
            let error = Diagnostic::error(Code::BadValue, span, message);
            b.error(error.maybe_help(did_you_mean(other, KINDS)));
            return None;
        }
    };
    if let Some((_, span)) = declared {
        let message =
            format!("`columns` are those of `stdout: json` or `stdout: csv`, not of `{kind}`");
        b.error(Diagnostic::error(Code::BadValue, span, message));
    }
    Some(stdout)
}

/// Columns and their types. `None` after a mistake.
fn columns(b: &mut Builder, node: &Node) -> Option<Vec<(Arc<str>, DType)>> {
    let mut columns = Some(Vec::new());
    for (key, value) in b.map(node, "`columns` is a mapping of names to types").to_vec() {
        b.check_name(&key.name, key.span);
        let text = b.text(&value, "the name of a type is expected here");
        let dtype = text.as_deref().and_then(DType::from_name);
        if let (Some(text), None) = (text, dtype) {
            let message = format!("no type is called `{text}`");
            let near = did_you_mean(&text, DType::NAMED.iter().map(|t| t.name()));
            b.error(Diagnostic::error(Code::BadValue, value.span, message).maybe_help(near));
        }
        columns = columns.zip(dtype).map(|(mut columns, dtype)| {
            columns.push((key.name.as_str().into(), dtype));
            columns
        });
    }
    columns.filter(|columns| !columns.is_empty())
}

/// Exit codes.
pub(super) fn ok(b: &mut Builder, step: &Step) -> Option<Vec<i32>> {
    let node = step.option("ok")?;
    let nodes = match &node.kind {
        Kind::List(items) if !items.is_empty() => &items[..],
        Kind::Scalar(_) => std::slice::from_ref(node),
        _ => {
            b.error(wrong_shape(node, "`ok` is a list of exit codes, such as `[0, 2]`"));
            return None;
        }
    };
    let codes = nodes.iter().filter_map(|node| {
        let code = b.integer(node, "an exit code", 0)?;
        if code > 255 {
            let message = format!("exit codes go up to 255, not {code}");
            b.error(Diagnostic::error(Code::BadValue, node.span, message));
        }
        i32::try_from(code).ok()
    });
    Some(codes.collect())
}

/// A time above nothing.
pub(super) fn seconds(b: &mut Builder, step: &Step, key: &str) -> Option<Duration> {
    let node = step.option(key)?;
    let text = b.scalar(node, &format!("`{key}` is a number of seconds"))?.text.clone();
    let value = b.constant(&text)?;
    let seconds = value.as_f64().filter(|seconds| *seconds > 0.0);
    if seconds.is_none() {
        let message = format!("`{key}` is a number of seconds above 0, not {value}");
        b.error(Diagnostic::error(Code::BadValue, node.span, message));
    }
    seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

/// A whole number.
pub(super) fn whole(b: &mut Builder, step: &Step, key: &str, least: i64) -> Option<u32> {
    let node = step.option(key)?;
    b.integer(node, &format!("`{key}`"), least).map(|n| u32::try_from(n).unwrap_or(u32::MAX))
}
