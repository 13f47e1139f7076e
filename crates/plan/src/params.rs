//! Parameters and functions: the names that hold in every step.
use crate::build::Builder;
use crate::spec::{Spec, bad_name, is_name, wrong_shape};
use crate::yaml::{Key, Node, Scalar};
use base::{Code, Diagnostic, Diagnostics, Span, Text, Value, did_you_mean};
use expr::UserFunction;

/// The parameters with the values of this run: the file's, replaced by `--set name=value`.
pub fn params(
    spec: &Spec,
    sets: &[(String, String)],
    diagnostics: &mut Diagnostics,
) -> Vec<(String, Value)> {
    let mut params = Vec::new();
    for (key, node) in &spec.params {
        if !is_name(&key.name) {
            diagnostics.push(bad_name(&key.name, key.span));
        }
        let default = match node.scalar() {
            Some(scalar) => Some(literal(&scalar.text.text, scalar.quoted)),
            None if node.is_null() => None,
            None => {
                diagnostics.push(wrong_shape(node, "a parameter is a number, true, false or text"));
                None
            }
        };
        let set = sets.iter().rev().find(|(name, _)| *name == key.name);
        let value = match (set, default) {
            (Some((_, text)), Some(default)) => replaced(&key.name, text, &default, diagnostics),
            (Some((_, text)), None) => Some(literal(text, false)),
            (None, Some(default)) => Some(default),
            (None, None) => {
                let message = format!("the parameter `{}` has no value", key.name);
                diagnostics.push(
                    Diagnostic::error(Code::UnknownParam, key.span, message)
                        .help(format!("say `--set {}=…`", key.name)),
                );
                None
            }
        };
        // A parameter without a value stands for 1, so that its users are still checked.
        params.push((key.name.clone(), value.unwrap_or(Value::Int(1))));
    }
    for (name, _) in sets {
        if !spec.params.iter().any(|(key, _)| key.name == *name) {
            let names = spec.params.iter().map(|(key, _)| key.name.as_str());
            diagnostics.push(
                Diagnostic::error(
                    Code::UnknownParam,
                    Span::default(),
                    format!("`--set {name}=…`: the file has no parameter `{name}`"),
                )
                .maybe_help(did_you_mean(name, names)),
            );
        }
    }
    params
}

/// What a YAML scalar or a `--set` means: a number, true or false, or text.
pub fn literal(text: &str, quoted: bool) -> Value {
    if quoted {
        return Value::Str(text.to_owned());
    }
    match text {
        "true" | "True" => return Value::Bool(true),
        "false" | "False" => return Value::Bool(false),
        _ => {}
    }
    let digits = text.replace('_', "");
    let numeric = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    if numeric && let Ok(int) = digits.parse() {
        return Value::Int(int);
    }
    match digits.parse() {
        Ok(float) if numeric => Value::Float(float),
        _ => Value::Str(text.to_owned()),
    }
}

/// A `--set` value must be of the kind of the default, where that is not text.
fn replaced(
    name: &str,
    text: &str,
    default: &Value,
    diagnostics: &mut Diagnostics,
) -> Option<Value> {
    let value = match default {
        Value::Str(_) => return Some(Value::Str(text.to_owned())),
        _ => literal(text, false),
    };
    let fits = match default {
        Value::Bool(_) => matches!(value, Value::Bool(_)),
        _ => value.as_f64().is_some(),
    };
    if fits {
        return Some(value);
    }
    let kind = if matches!(default, Value::Bool(_)) { "true or false" } else { "a number" };
    let message = format!("`--set {name}={text}`: `{name}` is {kind} (by default {default})");
    diagnostics.push(Diagnostic::error(Code::BadValue, Span::default(), message));
    None
}

/// `functions:`: each key is `name` or `name(argument, …)`.
pub fn functions(spec: &Spec, diagnostics: &mut Diagnostics) -> Vec<UserFunction> {
    let mut functions: Vec<UserFunction> = Vec::new();
    for (key, node) in &spec.functions {
        let Some((name, arguments)) = head(&key.name) else {
            diagnostics.push(
                Diagnostic::error(
                    Code::BadName,
                    key.span,
                    format!("`{}` is not the head of a function", key.name),
                )
                .help("write `name(a, b): expression`"),
            );
            continue;
        };
        if functions.iter().any(|f| f.name == name) {
            let message = format!("the function `{name}` is defined twice");
            diagnostics.push(Diagnostic::error(Code::DuplicateName, key.span, message));
            continue;
        }
        let Some(scalar) = node.scalar() else {
            diagnostics.push(wrong_shape(node, "a function is an expression"));
            continue;
        };
        if let Some(body) = diagnostics.take(expr::parse(&scalar.text)) {
            functions.push(UserFunction { name, arguments, body });
        }
    }
    functions
}

fn head(text: &str) -> Option<(String, Vec<String>)> {
    let (name, rest) = match text.split_once('(') {
        Some((name, rest)) => (name.trim(), rest.trim_end().strip_suffix(')')?),
        None => (text.trim(), ""),
    };
    let arguments: Vec<String> = match rest.trim() {
        "" => Vec::new(),
        rest => rest.split(',').map(|a| a.trim().to_owned()).collect(),
    };
    (is_name(name) && arguments.iter().all(|a| is_name(a))).then(|| (name.to_owned(), arguments))
}

/// Replaces `${name}` and `$name` by the values of parameters; `$$` is a dollar sign.
pub fn interpolate(builder: &mut Builder, text: &Text) -> Option<String> {
    let (source, mut out, mut at, mut good) = (text.text.clone(), String::new(), 0, true);
    while let Some(dollar) = source[at..].find('$').map(|i| at + i) {
        out.push_str(&source[at..dollar]);
        let rest = &source[dollar + 1..];
        let (name, length) = if rest.starts_with('$') {
            out.push('$');
            at = dollar + 2;
            continue;
        } else if let Some(inner) = rest.strip_prefix('{') {
            let end = inner.find('}').unwrap_or(inner.len());
            (&inner[..end], (end + 2).min(rest.len()))
        } else {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            (&rest[..end], end)
        };
        at = dollar + 1 + length;
        builder.used.borrow_mut().insert(name.to_owned());
        match builder.params.iter().find(|(n, _)| n == name) {
            Some((_, Value::Float(x))) if x.fract() == 0.0 && x.abs() < 1e15 => {
                out += &format!("{x}")
            }
            Some((_, value)) => out += &value.to_string(),
            None => {
                let names: Vec<String> = builder.params.iter().map(|(n, _)| n.clone()).collect();
                let message = format!("no parameter is called `{name}`");
                builder.error(
                    Diagnostic::error(Code::UnknownParam, text.span(dollar, at), message)
                        .maybe_help(did_you_mean(name, names.iter().map(String::as_str)))
                        .help("`$$` stands for a dollar sign"),
                );
                good = false;
            }
        }
    }
    out.push_str(&source[at..]);
    good.then_some(out)
}

/// A value of an attribute or option.
pub fn value_of(scalar: &Scalar) -> Value {
    literal(&scalar.text.text, scalar.quoted)
}

/// Warns of parameters that nothing uses.
pub fn unused(spec: &Spec, builder: &mut Builder) {
    let used = builder.used.borrow().clone();
    let bodies: Vec<String> = builder
        .functions
        .iter()
        .flat_map(|f| f.body.names().into_iter().map(|(n, _)| n.to_string()).collect::<Vec<_>>())
        .collect();
    let unused: Vec<(Key, Node)> = spec
        .params
        .iter()
        .filter(|(k, _)| !used.contains(&k.name) && !bodies.contains(&k.name))
        .cloned()
        .collect();
    for (key, _) in unused {
        let message = format!("nothing uses the parameter `{}`", key.name);
        builder.error(Diagnostic::warning(Code::UnusedParam, key.span, message));
    }
}
