//! Parameters and functions: the names that hold in every step.
use crate::build::Builder;
use crate::spec::{Spec, bad_name, is_name, wrong_shape};
use crate::yaml::{Key, Node, Scalar};
use base::{Code, Diagnostic, Diagnostics, Span, Text, Value, did_you_mean};
use expr::{BinaryOp, Expr, ExprKind, UserFunction};
use std::collections::HashSet;

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
        if let Some((name, value)) = expr::CONSTANTS.iter().find(|(n, _)| *n == key.name) {
            let message = format!("the parameter `{name}` hides the constant {value}");
            diagnostics.push(Diagnostic::note(Code::ShadowedName, key.span, message));
        }
        let default = match node.scalar().filter(|_| !node.is_nothing()) {
            Some(scalar) => match literal(&scalar.text.text, scalar.quoted) {
                Value::Str(text) if !scalar.quoted => {
                    Some(computed(&scalar.text).unwrap_or(Value::Str(text)))
                }
                value => Some(value),
            },
            None if node.is_nothing() => None,
            None => {
                diagnostics.push(wrong_shape(node, "a parameter is a number, true, false or text"));
                None
            }
        };
        let set = sets.iter().rev().find(|(name, _)| *name == key.name);
        let value = match (set, default) {
            (Some((_, text)), Some(default)) => replaced(&key.name, text, &default, diagnostics),
            (Some((_, text)), None) => Some(given(text)),
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

/// What a YAML scalar or a `--set` means: a number as expressions and YAML write them, true or
/// false, or text.
pub fn literal(text: &str, quoted: bool) -> Value {
    if quoted {
        return Value::Str(text.to_owned());
    }
    match text {
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    number(text).unwrap_or_else(|| Value::Str(text.to_owned()))
}

fn number(text: &str) -> Option<Value> {
    let (sign, bare) = match text.strip_prefix(['-', '+']) {
        Some(bare) => (&text[..1], bare),
        None => ("", text),
    };
    match bare.to_ascii_lowercase().as_str() {
        "nan" | ".nan" if sign.is_empty() => return Some(Value::Float(f64::NAN)),
        "inf" | ".inf" if sign == "-" => return Some(Value::Float(f64::NEG_INFINITY)),
        "inf" | ".inf" => return Some(Value::Float(f64::INFINITY)),
        _ => {}
    }
    if !bare.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    // YAML and the tables of others know numbers such as 007 and 1e400, which expressions do not.
    let digits = bare.replace('_', "");
    if let Ok(int) = format!("{sign}{digits}").parse() {
        return Some(Value::Int(int));
    }
    match expr::number(bare) {
        Some(Value::Int(int)) if sign == "-" => int.checked_neg().map(Value::Int),
        Some(Value::Int(int)) => Some(Value::Int(int)),
        _ => format!("{sign}{digits}").parse().map(Value::Float).ok(),
    }
}

/// The value of a text that is a constant expression of numbers, such as `1/3` or `2*pi`.
fn computed(text: &Text) -> Option<Value> {
    // Names of files and dates are not meant to be computed.
    let computes = text.text.starts_with(|c: char| c.is_ascii_alphanumeric() || "+-.(".contains(c));
    let expr = expr::parse(text).ok().filter(|_| computes)?;
    let mut operators = 0;
    let mut plain = true;
    expr.visit(&mut |e| match &e.kind {
        ExprKind::Binary(op, ..) => {
            plain &= !matches!(op, BinaryOp::Sub) || text.text.contains(' ');
            operators += 1;
        }
        ExprKind::Name(name) => {
            plain &= ["pi", "e"].contains(&name.as_str());
            operators += usize::from(name == "pi");
        }
        ExprKind::Call(..) => operators += 1,
        ExprKind::Literal(Value::Int(_) | Value::Float(_)) | ExprKind::Unary(..) => {}
        _ => plain = false,
    });
    let value = expr::constant(&expr, &[], &[]).ok().filter(|_| plain && operators > 0)?;
    value.as_f64().map(|_| value)
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
        _ => given(text),
    };
    let fits = match (default, &value) {
        (Value::Bool(_), Value::Bool(_)) => return Some(value),
        // What is computed has the same types whatever number is set.
        (Value::Float(_), _) => value.as_f64().map(Value::Float),
        (Value::Int(_), Value::Int(_) | Value::Float(_)) => Some(value),
        _ => None,
    };
    if fits.is_some() {
        return fits;
    }
    let kind = if matches!(default, Value::Bool(_)) { "true or false" } else { "a number" };
    let message = format!("`--set {name}={text}`: `{name}` is {kind} (by default {default})");
    diagnostics.push(Diagnostic::error(Code::BadValue, Span::default(), message));
    None
}

/// What stands behind `--set name=`.
fn given(text: &str) -> Value {
    match literal(text, false) {
        Value::Str(text) => computed(&Text::plain(text.as_str(), 0)).unwrap_or(Value::Str(text)),
        value => value,
    }
}

/// `functions:`: each key is `name` or `name(argument, …)`.
pub fn functions(spec: &Spec, diagnostics: &mut Diagnostics) -> Vec<UserFunction> {
    let mut functions: Vec<UserFunction> = Vec::new();
    let mut names = HashSet::new();
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
        if !names.insert(name.clone()) {
            let message = format!("the function `{name}` is defined twice");
            diagnostics.push(Diagnostic::error(Code::DuplicateName, key.span, message));
            continue;
        }
        let body = match node.scalar() {
            Some(scalar) => diagnostics.take(expr::parse(&scalar.text)),
            None => {
                diagnostics.push(wrong_shape(node, "a function is an expression"));
                None
            }
        };
        // Its callers are not blamed for what cannot be read in it.
        let unread = Expr { kind: ExprKind::Unread, span: node.span };
        if expr::function(&name).is_some() || expr::reduce::reduction(&name).is_some() {
            let message = format!("the file's function `{name}` hides the one that is built in");
            diagnostics.push(
                Diagnostic::note(Code::ShadowedName, key.span, message)
                    .help("give it another name if the other one is meant anywhere"),
            );
        }
        functions.push(UserFunction { name, arguments, body: body.unwrap_or(unread) });
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

/// A value of an attribute or option.
pub fn value_of(scalar: &Scalar) -> Value {
    literal(&scalar.text.text, scalar.quoted)
}

/// Warns of parameters that nothing uses.
pub fn unused(spec: &Spec, builder: &mut Builder) {
    let used = builder.used.borrow().clone();
    let names = builder.functions.iter().flat_map(|f| f.body.names());
    let bodies: HashSet<&str> = names.map(|(name, _)| name).collect();
    let unused: Vec<(Key, Node)> = spec
        .params
        .iter()
        .filter(|(k, _)| !used.contains(&k.name) && !bodies.contains(k.name.as_str()))
        .cloned()
        .collect();
    for (key, _) in unused {
        let message = format!("nothing uses the parameter `{}`", key.name);
        builder.error(Diagnostic::warning(Code::UnusedParam, key.span, message));
    }
}
