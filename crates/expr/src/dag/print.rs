//! Nodes as text, for `explain` and to compare them.
use super::node::{Dag, NodeId, Op};
use super::typed::Typed;
use crate::syntax::literal;
use base::{DType, Value};
use std::fmt::{self, Display, Formatter};

impl Display for Typed {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        Printed { dag: &self.dag, id: self.root, outermost: true }.fmt(f)
    }
}

/// A node of a graph, to be printed.
pub(crate) struct Printed<'a> {
    pub dag: &'a Dag,
    pub id: NodeId,
    /// Whether it needs no parentheses.
    pub outermost: bool,
}

impl Display for Printed<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let node = &self.dag.nodes[self.id];
        let sub = |id: &NodeId, outermost| Printed { dag: self.dag, id: *id, outermost };
        match &node.op {
            Op::Column(name) => f.write_str(name),
            Op::Index => f.write_str("index()"),
            Op::Constant(value) => constant(f, value, node.dtype),
            Op::Call(call) => {
                let symbol = !call.name.starts_with(|c: char| c.is_alphabetic());
                let infix = symbol || matches!(call.name, "and" | "or");
                match &node.arguments[..] {
                    [x, y] if infix && self.outermost => {
                        write!(f, "{} {} {}", sub(x, false), call.name, sub(y, false))
                    }
                    [x, y] if infix => {
                        write!(f, "({} {} {})", sub(x, false), call.name, sub(y, false))
                    }
                    [x] if symbol => write!(f, "{}{}", call.name, sub(x, false)),
                    [x] if call.name == "not" => write!(f, "not {}", sub(x, false)),
                    arguments => {
                        write!(f, "{}(", call.name)?;
                        for (i, x) in arguments.iter().enumerate() {
                            write!(f, "{}{}", if i == 0 { "" } else { ", " }, sub(x, true))?;
                        }
                        for (i, value) in call.constants.iter().enumerate() {
                            f.write_str(if i == 0 { "; " } else { ", " })?;
                            literal(f, value)?;
                        }
                        f.write_str(")")
                    }
                }
            }
        }
    }
}

fn constant(f: &mut Formatter, value: &Value, dtype: DType) -> fmt::Result {
    let plain = matches!(dtype, DType::Int64 | DType::Float64 | DType::Bool | DType::String);
    if plain && *value != Value::Null {
        return literal(f, value);
    }
    write!(f, "{dtype}(")?;
    literal(f, value)?;
    f.write_str(")")
}
