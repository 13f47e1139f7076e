//! Text that YAML reads otherwise than it looks.
use super::{Key, Kind, Node, Scalar, cut, line};
use base::{Code, Diagnostic, Diagnostics, Span};

/// An error if other YAML tools read the plain scalar as true or false, where we read text.
/// `y` and `n` are not among them: common tools read them as text, and columns have such names.
pub fn trap_bool(scalar: &Scalar) -> Option<Diagnostic> {
    if scalar.quoted { None } else { bool_word(&scalar.text.text, scalar.text.whole()) }
}

fn bool_word(text: &str, span: Span) -> Option<Diagnostic> {
    let read = match text.to_ascii_lowercase().as_str() {
        "yes" | "on" => "true",
        "no" | "off" => "false",
        _ => return None,
    };
    let message = format!("many YAML tools read `{text}` as {read}");
    Some(
        error(span, message)
            .label("text, or a truth value?")
            .help(format!("for text put quotes around it: `'{text}'`"))
            .help(format!("for a truth value write `{read}`")),
    )
}

fn error(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::YamlTrap, span, message)
}

/// Finds the traps of a whole tree; says whether its shape is as meant.
pub fn check(source: &str, node: &Node, found: &mut Diagnostics) -> bool {
    let before = found.len();
    match &node.kind {
        Kind::Null => {}
        Kind::Scalar(scalar) => {
            found.extend(trap_bool(scalar));
            return check_dashes(source, node.span, scalar, found);
        }
        Kind::List(items) => {
            let glued = items.iter().filter(|item| item.scalar().is_some_and(|s| !s.quoted));
            found.extend(glued.filter_map(|item| glued_key(source, item.span)));
            let clear = found.len() == before;
            return items.iter().fold(clear, |clear, item| check(source, item, found) && clear);
        }
        Kind::Map(entries) => {
            found.extend(entries.iter().filter_map(|(key, value)| glued(source, key, value)));
            let clear = found.len() == before;
            let plain = entries.iter().filter(|(key, _)| is_plain(source, key));
            found.extend(plain.filter_map(|(key, _)| bool_word(&key.name, key.span)));
            return entries.iter().fold(clear, |clear, (_, v)| check(source, v, found) && clear);
        }
    }
    true
}

fn is_plain(source: &str, key: &Key) -> bool {
    source.get(key.span.range()) == Some(&*key.name)
}

/// `{ n:3 }`, where `n:3` is a key without a value, or `-filter: x`.
fn glued(source: &str, key: &Key, value: &Node) -> Option<Diagnostic> {
    if !is_plain(source, key) {
        return None;
    }
    match line::glued_dash(&key.name) {
        Some(_) => Some(dash(source, key.span.start as usize)),
        None if value.is_null() => glued_key(source, key.span),
        None => None,
    }
}

/// A key without the space after its colon, if the text at `span` looks like one.
pub fn glued_key(source: &str, span: Span) -> Option<Diagnostic> {
    let content = source.get(span.range())?.lines().next()?;
    let (name, value) = line::glued_key(content)?;
    let colon = span.start as usize + name.len();
    Some(
        error(Span::new(colon, colon + 1), "a space is missing after the colon")
            .label(format!("without it `{name}` is not a key"))
            .help(format!("write `{name}: {}`", value.trim_end())),
    )
}

/// A dash without the space after it, at byte `at`.
pub fn dash(source: &str, at: usize) -> Diagnostic {
    let item = &source[at + 1..line::rest(source, at).end as usize];
    error(Span::new(at, at + 1), "a space is missing after the dash")
        .label("without it this is not an item of a list")
        .help(format!("write `- {item}`"))
}

/// A list whose dashes all lack their space reads as one long text. Says whether it is none.
fn check_dashes(source: &str, span: Span, scalar: &Scalar, found: &mut Diagnostics) -> bool {
    let text = &source[span.range()];
    let starts_line = line::first(source, line::line(source, span.start as usize));
    let all = text.lines().all(|line| line::glued_dash(line.trim()).is_some());
    if scalar.quoted || !text.contains('\n') || !all || starts_line != span.start as usize {
        return true;
    }
    found.push(dash(source, span.start as usize));
    false
}

/// A `#` that YAML takes for a comment in the middle of an expression.
pub fn comment(source: &str, sign: Span, whole: Span) -> Diagnostic {
    error(sign, "YAML starts a comment at ` #`, inside the expression")
        .label("the expression is cut here")
        .help(format!("put quotes around the expression: `{}`", line::corrected(source, whole)))
}

/// `*name` without `&name`.
pub fn unknown_alias(source: &str, name: &str, span: Span) -> Diagnostic {
    start(source, cut::value(source, span.start as usize))
        .label(format!("YAML looks for an anchor `&{name}`, and there is none before this"))
}

/// `!name`.
pub fn tag(source: &str, span: Span) -> Diagnostic {
    start(source, cut::value(source, span.start as usize))
}

/// A value that starts with a character which means something to YAML.
pub fn start(source: &str, value: Span) -> Diagnostic {
    let text = &source[value.range()];
    let sign = text.chars().next().unwrap_or(' ');
    let span = Span::new(value.start as usize, value.start as usize + sign.len_utf8());
    let role = match sign {
        '*' => "names an alias",
        '&' => "names an anchor",
        '!' => "gives a tag",
        '>' | '|' => "starts a block of text, which follows on the next lines",
        '?' => "starts a key of several lines",
        '[' => "starts a list",
        '{' => "starts a mapping",
        '"' | '\'' => "ends the value at the next quote",
        _ => "is reserved",
    };
    let name = if sign == '`' { "a backtick".into() } else { format!("`{sign}`") };
    let message = format!("a value cannot start with {name}: for YAML it {role}");
    let error = error(span, message);
    let error = error.help(format!("put quotes around it: `{}`", line::corrected(source, value)));
    match text.strip_prefix('!') {
        Some(rest) if rest.starts_with(|c: char| c.is_alphabetic() || "_(".contains(c)) => {
            error.help(format!("if it means \"not\", write `not {rest}`"))
        }
        _ => error,
    }
}
