//! Options of formats: what stands beside `read:` and `write:` beyond the operator's own keys.
use crate::build::Builder;
use crate::params::value_of;
use crate::spec::{Step, wrong_shape};
use crate::yaml::{Kind, Scalar};
use base::{Code, Diagnostic, Span, Value, did_you_mean};
use formats::{Format, OptionKey, OptionValue, Options};

/// The options of a format that stand beside a step's operator, and where.
pub fn options(
    b: &mut Builder,
    step: &Step,
    own: &[&str],
    format: &dyn Format,
    known: &[OptionKey],
) -> (Options, Vec<(String, Span)>) {
    let (mut options, mut spans) = (Options::default(), Vec::new());
    for (key, node) in step.options.iter().filter(|(k, _)| !own.contains(&k.name.as_str())) {
        if !known.iter().any(|k| k.name == key.name) {
            let names =
                own.iter().copied().chain(known.iter().map(|k| k.name)).chain(["as", "from"]);
            let message =
                format!("`{}` of {} has no key `{}`", step.operator.name, format.name(), key.name);
            b.error(
                Diagnostic::error(Code::UnknownKey, key.span, message)
                    .maybe_help(did_you_mean(&key.name, names)),
            );
            continue;
        }
        let value = match &node.kind {
            Kind::Scalar(scalar) => {
                Some(OptionValue::One(value(b, scalar.quoted, node, option_of(scalar))))
            }
            Kind::List(items) => {
                let scalars = items.iter().map(|n| n.scalar().map(option_of));
                scalars.collect::<Option<Vec<_>>>().map(OptionValue::Many)
            }
            Kind::Map(entries) => {
                let pair = |(key, node): &(crate::yaml::Key, crate::yaml::Node)| {
                    Some((key.name.clone(), value_of(node.scalar()?)))
                };
                entries.iter().map(pair).collect::<Option<Vec<_>>>().map(OptionValue::Pairs)
            }
            _ => None,
        };
        match value {
            Some(value) => {
                options.0.push((key.name.clone(), value));
                spans.push((key.name.clone(), node.span));
            }
            None => b.error(wrong_shape(node, "a value or a list of values is expected here")),
        }
    }
    (options, spans)
}

/// What an option is: `nan` and `inf` are words here, for files that write them.
fn option_of(scalar: &Scalar) -> Value {
    let text = &scalar.text.text;
    let word = text.trim_start_matches('-').chars().all(|c| c.is_ascii_alphabetic());
    match value_of(scalar) {
        Value::Float(_) if word => Value::Str(text.to_string()),
        value => value,
    }
}

/// An option that is text may use parameters; a whole option that is a parameter keeps its type.
fn value(b: &mut Builder, quoted: bool, node: &crate::yaml::Node, value: Value) -> Value {
    match value {
        Value::Str(text) if text.contains('$') => {
            let text = b.text(node, "a value is expected here").unwrap_or_default();
            crate::params::literal(&text, quoted)
        }
        value => value,
    }
}
