//! What the user should know of files that are read: by their headers, and by their values.
use super::choose::{Choice, Content};
use base::{Code, Schema, Warning};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// What only reading shows, counted over all files of a read.
#[derive(Debug, Default)]
pub(super) struct Met {
    /// The file, or the first one of several.
    place: String,
    found: Mutex<Vec<Warning>>,
}

impl Met {
    /// Of files that are called so.
    pub(super) fn new(place: String) -> Met {
        Met { place, found: Mutex::default() }
    }

    /// So many values of a variable are not valid.
    pub(super) fn outside(&self, name: &str, count: u64) {
        let message = format!(
            "{}: {{n}} value{{s}} of `{name}` outside of its valid range, read as missing",
            self.place
        );
        self.note(Warning::new(Code::OutOfValidRange, message).count(count));
    }

    /// So many texts of a variable have bytes that are no letters.
    pub(super) fn replaced(&self, name: &str, count: u64) {
        let message = format!(
            "{}: {{n}} text{{s}} of `{name}` with bytes that are not UTF-8, each read as `\u{FFFD}`",
            self.place
        );
        let help = "an attribute `_Encoding = \"latin1\"` would say what they are";
        self.note(Warning::new(Code::TextReplaced, message).count(count).help(help));
    }

    fn note(&self, warning: Warning) {
        if warning.count > 0 {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            Warning::merge(&mut found, [warning]);
        }
    }

    /// All that was met.
    pub(super) fn all(&self) -> Vec<Warning> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What the header of a file says that its columns do not: variables and attributes.
pub(super) fn unread(path: &Path, choice: &Choice) -> Vec<Warning> {
    let (mut list, path) = (Vec::new(), path.display());
    let names = |(name, why): &(String, String)| format!("`{name}` ({why})");
    let names: Vec<String> = choice.left_out.iter().map(names).collect();
    if !names.is_empty() {
        let message = format!("{path}: {{n}} variable{{s}} left out: {}", names.join(", "));
        let warning = Warning::new(Code::ColumnsLeftOut, message).count(names.len() as u64);
        let help = "name in `columns:` what is to be read; bounds can be, too";
        list.push(warning.help(help));
    }
    for chosen in &choice.chosen {
        let Content::Numbers(decoding) = &chosen.content else { continue };
        for attribute in &decoding.ignored {
            let name = &chosen.variable.name;
            let message = format!(
                "{path}: the `{attribute}` of `{name}` is not used: no value of the variable's \
                 type is equal to it"
            );
            list.push(Warning::new(Code::AttributeIgnored, message));
        }
    }
    list
}

/// Variables that have values, in a box that has no points.
pub(super) fn emptied(place: &str, schema: &Schema) -> Option<Warning> {
    let dim = schema.domain.dims.iter().position(|d| d.size == Some(0))?;
    let held = |i: &usize| !schema.fields[*i].mask.has(dim) && schema.coordinate(*i).is_none();
    let names: Vec<String> = (0..schema.fields.len())
        .filter(held)
        .map(|i| format!("`{}`", schema.fields[i].name))
        .collect();
    let (empty, count) = (&schema.domain.dims[dim].name, names.len() as u64);
    let message = format!(
        "{place}: the dimension `{empty}` has no points, so none of the box are read: {} lost",
        names.join(", ")
    );
    let help = format!("name in `columns:` those that do not vary along `{empty}`");
    (count > 0).then(|| Warning::new(Code::ColumnsLeftOut, message).count(count).help(help))
}
