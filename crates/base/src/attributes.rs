//! Attributes: what a file says about a variable or about itself (units, long_name, …).

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// Text.
    Text(String),
    /// One or several integers.
    Ints(Vec<i64>),
    /// One or several floating-point numbers.
    Floats(Vec<f64>),
    /// The same in single precision.
    Singles(Vec<f32>),
}

impl Attribute {
    /// The text, if it is text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Attribute::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Named attributes in their order in the file; names are unique.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(pub Vec<(String, Attribute)>);

impl Attributes {
    /// The attribute of this name.
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// Sets or replaces an attribute.
    pub fn set(&mut self, name: impl Into<String>, value: Attribute) {
        let name = name.into();
        match self.0.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Takes an attribute away.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| n != name);
    }
}
