//! What to write in the place of what other languages have.
use crate::functions;
use crate::reduce::reduction;
use base::synonyms;

/// What stands before and behind a place: the last word before it and the first word behind.
fn around(text: &str, at: usize, length: usize) -> (&str, &str) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let before = text[..at].trim_end();
    let start = before.char_indices().rev().find(|(_, c)| !is_word(*c));
    let start = start.map_or(0, |(i, c)| i + c.len_utf8());
    let behind = text[at + length..].trim_start();
    let end = behind.find(|c: char| !is_word(c)).unwrap_or(behind.len());
    (&before[start..], &behind[..end])
}

/// For a sign of another language.
pub fn help(text: &str, at: usize, sign: &str, usual: &str) -> String {
    let (before, _) = around(text, at, sign.len());
    match sign {
        "=" if text[..at].contains('(') => match synonyms::keyword(before) {
            Some(help) => help.to_owned(),
            None => usual.to_owned(),
        },
        ":" if text.trim_start().starts_with("lambda") => {
            "functions have names: write `functions: { f(x): x + 1 }`, and call `f(x)`".into()
        }
        _ => usual.to_owned(),
    }
}

/// For `[`.
pub fn bracket(text: &str, at: usize) -> String {
    match around(text, at, 1).0 {
        "in" => IN.into(),
        _ => "elements are not picked by number: `filter` picks rows, `read` takes slices".into(),
    }
}

/// For `x in …`.
pub const IN: &str = "write `x == 1 or x == 2`; for many values `join` with a table of them, \
                      `how: semi`; for a part of a text `contains(text, part)`";

/// Modules and the like, which stand before a function's name in Python.
const MODULES: [&str; 12] =
    ["np", "numpy", "math", "pd", "pandas", "pl", "polars", "ne", "da", "xr", "f", "tf"];

/// For a point between two words.
pub fn point(text: &str, at: usize) -> String {
    let (before, behind) = around(text, at, 1);
    let call = text[at + 1..].trim_start()[behind.len()..].trim_start().starts_with('(');
    if MODULES.contains(&before.to_lowercase().as_str()) && !behind.is_empty() {
        let what = if call { format!("{behind}(…)") } else { behind.to_owned() };
        return format!("names have no parts: write `{what}`");
    }
    if !call {
        return "names have no parts; a column whose name has a point is renamed first, as in \
                `rename: { \"a.b\": b }`"
            .into();
    }
    if let Some(help) = synonyms::function(behind) {
        return format!("there are no methods: {help}");
    }
    match functions::function(behind) {
        Some(function) if *function.arity.start() > 1 => {
            format!("there are no methods: write `{behind}({before}, …)`")
        }
        None if reduction(behind).is_some() => {
            format!("there are no methods: write `{behind}({before})`, in `reduce`")
        }
        _ => format!("there are no methods: write `{behind}({before})`"),
    }
}

/// For a sign that has no meaning.
pub fn sign(text: &str, at: usize, sign: char) -> Option<String> {
    let (_, behind) = around(text, at, sign.len_utf8());
    match sign {
        '$' if !behind.is_empty() => {
            Some(format!("parameters stand without `$` in expressions: write `{behind}`"))
        }
        _ => synonyms::sign(sign).map(str::to_owned),
    }
}
