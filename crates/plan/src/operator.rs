//! What an operator tells of itself: name, docs, what stands under it and beside it, how it is built.
use crate::build::Builder;
use crate::graph::NodeId;
use crate::spec::Step;
use base::Entry;

/// An operator: an entry of the table [`crate::OPERATORS`].
pub struct Operator {
    /// The name users type.
    pub name: &'static str,
    /// What it does; the first line is a whole sentence.
    pub doc: &'static str,
    /// What stands under the name.
    pub head: Shape,
    /// What may stand beside it.
    pub keys: &'static [Key],
    /// How many steps feed it.
    pub inputs: Inputs,
    /// Steps that show it, as they stand in a pipeline file.
    pub example: &'static str,
    /// Checks a step and adds its nodes to the plan; `None` after a mistake that leaves nothing
    /// for later steps to work on (the mistake is in the builder's diagnostics).
    pub build: fn(&mut Builder, &Step) -> Option<NodeId>,
}

impl Entry for Operator {
    fn name(&self) -> &'static str {
        self.name
    }

    fn doc(&self) -> &'static str {
        self.doc
    }
}

/// A key beside the operator's name.
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it does, and what holds without it.
    pub doc: &'static str,
    /// What stands under it.
    pub shape: Shape,
}

/// What may stand under a key, for checks, documentation and the JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text taken as it is, with `${param}` replaced: a file, a name.
    Text,
    /// One such text or a list of them.
    Texts,
    /// A constant expression.
    Constant,
    /// An expression.
    Expr,
    /// A mapping of names to expressions.
    Exprs,
    /// An expression, a list of expressions, or a mapping of names to expressions.
    Keys,
    /// A name or a list of names.
    Names,
    /// A mapping of names to names.
    Renames,
    /// A mapping of names to single values or lists.
    Slices,
    /// A mapping of names to mappings of names to values.
    Attributes,
    /// A list of mappings of names to values.
    Rows,
    /// A mapping of names to ranges, `linspace(…)`, `arange(…)` or lists.
    Axes,
    /// A list of steps.
    Steps,
    /// Anything: the operator looks itself.
    Any,
}

/// How many steps feed an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inputs {
    /// None: it is a source.
    None,
    /// Exactly one.
    One,
    /// Exactly two, a left and a right one.
    Two,
    /// Two or more.
    Many,
}
