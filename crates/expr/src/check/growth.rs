//! How large functions of the file make an expression, and where that ends.
use super::UserFunction;
use super::builder::Operand;
use crate::dag::{Atom, Dag, NodeId};
use crate::syntax::Word;
use base::{Code, Diagnostic, Span, grouped};

/// The most operations that functions of the file may make of one expression, written out.
pub const MAX_OPERATIONS: u64 = 100_000;

/// What an argument is, to tell calls with the same arguments.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Argument {
    Mistaken,
    Weak(Atom),
    Node(NodeId),
}

impl Argument {
    pub fn of(operand: Option<&Operand>) -> Argument {
        match operand {
            None => Argument::Mistaken,
            Some(Operand::Weak(value)) => Argument::Weak(value.into()),
            Some(Operand::Node(id)) => Argument::Node(*id),
        }
    }
}

/// The operations of one expression.
#[derive(Default)]
pub(super) struct Growth {
    /// How many were looked at inside of functions.
    pub seen: u64,
    /// For each node of the graph how many it is if none is shared.
    sizes: Vec<u64>,
    /// Whether it was too many, which is told once.
    pub over: bool,
}

impl Growth {
    /// How many operations a node is if none is shared.
    pub fn of(&mut self, dag: &Dag, id: NodeId) -> u64 {
        for node in &dag.nodes[self.sizes.len()..] {
            let size = |a: &NodeId| self.sizes.get(*a).copied().unwrap_or(1);
            let all = node.arguments.iter().map(size).fold(1, u64::saturating_add);
            self.sizes.push(all);
        }
        self.sizes.get(id).copied().unwrap_or(1)
    }
}

/// The mistake of a call that grows to so many operations; `None` if they were not all counted.
pub(super) fn too_large(
    word: &Word,
    count: Option<u64>,
    function: &UserFunction,
    span: Span,
) -> Diagnostic {
    let most = grouped(MAX_OPERATIONS);
    let count = match count {
        Some(u64::MAX) => format!("more than {}", grouped(u64::MAX)),
        Some(count) => grouped(count),
        None => format!("more than {most}"),
    };
    let message = format!("the function `{}` grows to {count} operations here", word.text);
    Diagnostic::error(Code::TooDeep, span, message)
        .label(format!("an expression has at most {most}"))
        .other(function.body.span, "this calls functions again and again")
        .help("name what is computed in between in a `map` step, and use the new columns")
}
