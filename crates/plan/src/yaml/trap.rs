//! Text that YAML reads otherwise than it looks.
use super::{Kind, Node, Scalar};
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
        Diagnostic::error(Code::YamlTrap, span, message)
            .label("text, or a truth value?")
            .help(format!("as text, write it in quotes: '{text}'; as a truth value, write {read}")),
    )
}

/// Finds the traps of a whole tree.
pub fn check(source: &str, node: &Node, found: &mut Diagnostics) {
    match &node.kind {
        Kind::Null => {}
        Kind::Scalar(scalar) => found.extend(trap_bool(scalar)),
        Kind::List(items) => items.iter().for_each(|item| check(source, item, found)),
        Kind::Map(entries) => {
            for (key, value) in entries {
                let plain = source.get(key.span.range()) == Some(&*key.name);
                found.extend(plain.then(|| bool_word(&key.name, key.span)).flatten());
                check(source, value, found);
            }
        }
    }
}

/// Whether one of the traps found leaves the shape of the tree unclear.
pub fn hides_shape(_found: &Diagnostics) -> bool {
    false
}

/// `*name` without `&name`.
pub fn unknown_alias(_source: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::YamlTrap, span, format!("no anchor `&{name}` stands before this"))
        .label("`*` at the start of a value makes it an alias")
}

/// `!name`.
pub fn tag(source: &str, span: Span) -> Diagnostic {
    let tag = &source[span.range()];
    Diagnostic::error(
        Code::YamlTrap,
        span,
        format!("`{tag}` is a YAML tag, which has no meaning here"),
    )
    .label("`!` at the start of a value makes it a tag")
}
