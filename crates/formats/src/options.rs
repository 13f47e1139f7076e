//! Options of a format: what may stand beside `read:` and `write:`.
use base::Value;

/// An option that a format knows, for checks and documentation.
#[derive(Clone, Copy, Debug)]
pub struct OptionKey {
    /// Its name in the pipeline file.
    pub name: &'static str,
    /// What it does, what values it takes and what holds without it.
    pub doc: &'static str,
}

/// The value of an option.
#[derive(Clone, Debug, PartialEq)]
pub enum OptionValue {
    /// A single value.
    One(Value),
    /// A list of values.
    Many(Vec<Value>),
    /// A mapping of names to values.
    Pairs(Vec<(String, Value)>),
}

/// The options that stand beside one `read:` or `write:`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options(pub Vec<(String, OptionValue)>);

impl Options {
    /// The value of an option.
    pub fn get(&self, name: &str) -> Option<&OptionValue> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }
}
