//! Headers of requests, and those whose values are secret.
use crate::build::Builder;
use crate::spec::Step;
use crate::yaml::Node;
use base::{Code, Diagnostic, Span};
use tasks::Template;

/// The headers; adds where each name stands.
pub fn headers(
    b: &mut Builder,
    step: &Step,
    text: &mut impl FnMut(&mut Builder, &Node, &str) -> Option<Template>,
    spans: &mut Vec<Span>,
) -> Vec<(String, Template)> {
    let Some(node) = step.option("headers") else { return Vec::new() };
    let mut headers = Vec::new();
    for (key, value) in b.map(node, "`headers` is a mapping of names to values").to_vec() {
        // After a mistake nothing runs.
        let value = text(b, &value, "the value of a header is expected here").unwrap_or_default();
        headers.push((key.name.clone(), value));
        spans.push(key.span);
    }
    headers
}

/// The headers whose values stand in variables of the environment.
pub fn secrets(b: &mut Builder, step: &Step, spans: &mut Vec<Span>) -> Vec<(String, String)> {
    let Some(node) = step.option("secrets") else { return Vec::new() };
    let mut secrets = Vec::new();
    let what = "`secrets` is a mapping of headers to variables of the environment";
    for (key, value) in b.map(node, what).to_vec() {
        let name = b.text(&value, "the name of a variable is expected here");
        let value = name.and_then(|name| secret(b, &name, value.span));
        secrets.push((key.name.clone(), value.unwrap_or_default()));
        spans.push(key.span);
    }
    secrets
}

/// The value of a variable; nobody needs it where nothing runs.
fn secret(b: &mut Builder, name: &str, span: Span) -> Option<String> {
    match std::env::var(name) {
        Ok(value) => Some(value),
        Err(_) if b.options.dry => Some(String::new()),
        Err(_) => {
            let message = format!("the environment has no variable `{}`", name.escape_debug());
            let error = Diagnostic::error(Code::BadValue, span, message);
            b.error(error.help("set it in the shell, and `export` it, before the run"));
            None
        }
    }
}
