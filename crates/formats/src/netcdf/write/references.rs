//! Attributes that name other variables (CF 1.11, §3.4, §5, §7): those not written are named no more.
use super::layout::Variable;
use base::{Attribute, Attributes};
use std::collections::HashSet;

/// A variable that an attribute of another names, though it is not written.
#[derive(Clone, Debug)]
pub(super) struct Dangling {
    name: String,
    attribute: &'static str,
    of: String,
}

impl std::fmt::Display for Dangling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` ({} of `{}`)", self.name, self.attribute, self.of)
    }
}

/// How an attribute names variables.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `lat lon`; each for itself.
    Names,
    /// `area: cell_area`; each pair for itself.
    Pairs,
    /// `crs: x y`; what stands before a colon is the variable.
    Heads,
    /// `a: ap b: bp`; only all together mean something.
    Whole,
}

const REFERENCES: [(&str, Form); 7] = [
    ("bounds", Form::Names),
    ("climatology", Form::Names),
    ("coordinates", Form::Names),
    ("ancillary_variables", Form::Names),
    ("grid_mapping", Form::Heads),
    ("cell_measures", Form::Pairs),
    ("formula_terms", Form::Whole),
];

/// Takes the names of variables that are not written out of attributes; which they were.
pub(super) fn mend(variables: &mut [Variable], file: &Attributes) -> Vec<Dangling> {
    let mut written: HashSet<String> = variables.iter().map(|v| v.name.clone()).collect();
    let external = file.get("external_variables").and_then(Attribute::text).unwrap_or_default();
    written.extend(external.split_whitespace().map(str::to_string));
    let mut dangling: Vec<Dangling> = Vec::new();
    for variable in variables {
        for (attribute, form) in REFERENCES {
            let Some(text) = variable.attributes.get(attribute).and_then(Attribute::text) else {
                continue;
            };
            let (kept, lost) = split(text, form, &written);
            if lost.is_empty() {
                continue;
            }
            match kept.is_empty() {
                true => variable.attributes.remove(attribute),
                false => variable.attributes.set(attribute, Attribute::Text(kept)),
            }
            for name in lost {
                if !dangling.iter().any(|d| d.name == name && d.attribute == attribute) {
                    dangling.push(Dangling { name, attribute, of: variable.name.clone() });
                }
            }
        }
    }
    dangling
}

/// What is left of an attribute, and the names that it loses.
fn split(text: &str, form: Form, written: &HashSet<String>) -> (String, Vec<String>) {
    let (mut kept, mut lost) = (Vec::new(), Vec::new());
    for part in parts(text, form) {
        let named: Vec<&str> = match form {
            Form::Heads => part.iter().take(1).map(|w| w.trim_end_matches(':')).collect(),
            _ => part.iter().copied().filter(|w| !w.ends_with(':')).collect(),
        };
        let missing: Vec<&str> =
            named.into_iter().filter(|name| !written.contains(*name)).collect();
        if missing.is_empty() {
            kept.extend(part);
        }
        lost.extend(missing.into_iter().map(str::to_string));
    }
    if form == Form::Whole && !lost.is_empty() {
        kept.clear();
    }
    (kept.join(" "), lost)
}

/// The parts of an attribute that stand or fall by themselves.
fn parts(text: &str, form: Form) -> Vec<Vec<&str>> {
    let mut parts: Vec<Vec<&str>> = Vec::new();
    for word in text.split_whitespace() {
        match parts.last_mut() {
            Some(last) if form != Form::Names && !word.ends_with(':') => last.push(word),
            _ => parts.push(vec![word]),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_not_written_go() {
        let written = ["lat", "crs", "area", "a", "b"].map(str::to_string).into();
        let of = |text: &str, form| split(text, form, &written);
        let lost = |names: &[&str]| names.iter().map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(of("lat lon", Form::Names), ("lat".into(), lost(&["lon"])));
        assert_eq!(of("lat_bnds", Form::Names), ("".into(), lost(&["lat_bnds"])));
        assert_eq!(of("crs", Form::Heads), ("crs".into(), lost(&[])));
        assert_eq!(of("crs: x y wgs: lat", Form::Heads), ("crs: x y".into(), lost(&["wgs"])));
        assert_eq!(of("area: area volume: v", Form::Pairs), ("area: area".into(), lost(&["v"])));
        assert_eq!(of("a: a b: b", Form::Whole), ("a: a b: b".into(), lost(&[])));
        assert_eq!(of("a: a b: b ps: ps", Form::Whole), ("".into(), lost(&["ps"])));
    }
}
