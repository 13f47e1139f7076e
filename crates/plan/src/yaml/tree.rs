//! The tree: what stands in the file, in its order, and where.
use base::{Span, Text};

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it stands. A quoted value includes its quotes; nothing (`key:`) stands at its key.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Nothing: an empty value or `~`. The word `null` is a scalar, for expressions to read.
    Null,
    /// A single value.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A mapping in the order of the file; keys are unique, merge keys are resolved.
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its text as YAML reads it.
    pub name: String,
    /// Where it stands, with its quotes if it has some.
    pub span: Span,
}

/// A single value.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// What YAML reads, with the place of each byte in the file.
    pub text: Text,
    /// Whether it is quoted or a block (`|`, `>`), so that it is meant as text.
    pub quoted: bool,
}

impl Node {
    /// What it is, in words for messages: "a list", "a mapping", "a single value", "nothing".
    pub fn describe(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Scalar(_) => "a single value",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }

    /// Whether nothing stands there.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// Whether nothing stands there, or what other programs write for it: `null`, `~`.
    pub fn is_nothing(&self) -> bool {
        let words = ["null", "Null", "NULL", "~"];
        let word = |s: &Scalar| !s.quoted && words.contains(&&*s.text.text);
        self.is_null() || self.scalar().is_some_and(word)
    }

    /// The single value, if it is one.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The items, if it is a list.
    pub fn list(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if it is a mapping.
    pub fn map(&self) -> Option<&[(Key, Node)]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of a key, if it is a mapping that has it.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.entry(name).map(|(_, value)| value)
    }

    /// A key and its value, if it is a mapping that has it.
    pub fn entry(&self, name: &str) -> Option<&(Key, Node)> {
        self.map()?.iter().find(|(key, _)| key.name == name)
    }
}
