//! The values of options, with errors that say what would be right.
use crate::{FormatError, FormatErrorKind, OptionKey, OptionValue, Options};
use base::{DType, Value, did_you_mean};

/// An error about one option.
pub(crate) fn bad_option(name: &str, message: impl Into<String>) -> FormatError {
    FormatError::new(FormatErrorKind::BadOption(name.to_string()), message)
}

/// Refuses options that the format does not know.
pub(crate) fn check_known(options: &Options, keys: &[OptionKey]) -> Result<(), FormatError> {
    for (name, _) in &options.0 {
        if !keys.iter().any(|k| k.name == name) {
            let mut error = bad_option(name, format!("there is no option `{name}` here"));
            error.help = did_you_mean(name, keys.iter().map(|k| k.name));
            return Err(error);
        }
    }
    Ok(())
}

/// The text of an option.
pub(crate) fn text<'a>(options: &'a Options, name: &str) -> Result<Option<&'a str>, FormatError> {
    match options.get(name) {
        None => Ok(None),
        Some(OptionValue::One(Value::Str(text))) => Ok(Some(text)),
        Some(_) => Err(bad_option(name, format!("`{name}` takes a text"))),
    }
}

/// The texts of an option: a list, or a single one.
pub(crate) fn texts(options: &Options, name: &str) -> Result<Option<Vec<String>>, FormatError> {
    let wrong = || bad_option(name, format!("`{name}` takes a list of texts"));
    let one = |v: &Value| match v {
        Value::Str(text) => Ok(text.clone()),
        _ => Err(wrong()),
    };
    match options.get(name) {
        None => Ok(None),
        Some(OptionValue::One(value)) => Ok(Some(vec![one(value)?])),
        Some(OptionValue::Many(values)) => {
            values.iter().map(one).collect::<Result<_, _>>().map(Some)
        }
        Some(OptionValue::Pairs(_)) => Err(wrong()),
    }
}

/// The types of an option: a mapping of names to types.
pub(crate) fn types(options: &Options, name: &str) -> Result<Vec<(String, DType)>, FormatError> {
    let wrong = |message: String| bad_option(name, message);
    let one = |(column, value): &(String, Value)| {
        let text = value.to_string();
        let dtype = DType::from_name(&text).ok_or_else(|| {
            let names = DType::NAMED.map(DType::name);
            let mut error = wrong(format!("there is no type `{text}`"));
            error.help = did_you_mean(&text, names);
            error.help.get_or_insert_with(|| format!("there are: {}", names.join(", ")));
            error
        })?;
        Ok((column.clone(), dtype))
    };
    match options.get(name) {
        None => Ok(Vec::new()),
        Some(OptionValue::Pairs(pairs)) => pairs.iter().map(one).collect(),
        Some(_) => {
            let mut error = wrong(format!("`{name}` is a mapping of columns to types"));
            error.help = Some(format!("write `{name}: {{ zip: string }}`"));
            Err(error)
        }
    }
}

/// The truth of an option.
pub(crate) fn flag(options: &Options, name: &str) -> Result<Option<bool>, FormatError> {
    match options.get(name) {
        None => Ok(None),
        Some(OptionValue::One(Value::Bool(b))) => Ok(Some(*b)),
        Some(_) => Err(bad_option(name, format!("`{name}` takes true or false"))),
    }
}

/// The integers of an option, none below 0: a list, or a single one.
pub(crate) fn integers(options: &Options, name: &str) -> Result<Option<Vec<usize>>, FormatError> {
    let one = |v: &Value| {
        let n = v.as_i64().and_then(|i| usize::try_from(i).ok());
        n.ok_or_else(|| bad_option(name, format!("`{name}` takes a list of integers from 0 on")))
    };
    match options.get(name) {
        None => Ok(None),
        Some(OptionValue::One(value)) => Ok(Some(vec![one(value)?])),
        Some(OptionValue::Many(values)) => {
            values.iter().map(one).collect::<Result<_, _>>().map(Some)
        }
        Some(OptionValue::Pairs(_)) => {
            Err(bad_option(name, format!("`{name}` takes a list of integers from 0 on")))
        }
    }
}
