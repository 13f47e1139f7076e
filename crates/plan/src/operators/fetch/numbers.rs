//! Numbers, times and sizes beside `fetch`.
use crate::build::Builder;
use crate::spec::Step;
use base::{Code, Diagnostic, Value};
use std::time::Duration;

/// A number above nothing.
pub fn positive(b: &mut Builder, step: &Step, key: &str) -> Option<f64> {
    let node = step.option(key)?;
    let text = b.scalar(node, "a number is expected here")?.text.clone();
    let value = b.constant(&text)?;
    let number = value.as_f64().filter(|x| *x > 0.0 && x.is_finite());
    if number.is_none() {
        let shown = if let Value::Str(text) = &value { text.clone() } else { value.to_string() };
        let message = format!("`{key}` is a number above 0, not {shown}");
        b.error(Diagnostic::error(Code::BadValue, node.span, message));
    }
    number
}

/// A time in seconds.
pub fn seconds(b: &mut Builder, step: &Step, key: &str) -> Option<Duration> {
    positive(b, step, key).map(|s| Duration::try_from_secs_f64(s).unwrap_or(Duration::MAX))
}

/// A whole number.
pub fn whole(b: &mut Builder, step: &Step, key: &str) -> Option<u32> {
    let node = step.option(key)?;
    b.integer(node, &format!("`{key}`"), 0).map(|n| u32::try_from(n).unwrap_or(u32::MAX))
}

/// A number of bytes.
pub fn longest_body(b: &mut Builder, step: &Step) -> Option<u64> {
    let node = step.option("longest_body")?;
    let text = b.text(node, "`longest_body` is a size such as `1 MB`")?;
    let bytes = base::bytes_of(&text);
    if bytes.is_none() {
        let message = format!("`longest_body` is a size such as `1 MB`, not `{text}`");
        b.error(Diagnostic::error(Code::BadValue, node.span, message));
    }
    bytes
}
