//! Arithmetic exceptions: operations whose result is not what arithmetic says, such as `x // 0`.
//!
//! `exact` finds the rows at which an operation meets one, `quick` whether a block may hold such a
//! row at all.
mod exact;
mod quick;
#[cfg(test)]
mod tests;

pub(crate) use exact::{exact, is};
pub(crate) use quick::Quick;

use crate::dag::{Dag, Node, NodeId, Op};
use base::{Code, DType, Value};

/// What an operation may meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exception {
    /// `x // 0`, `x % 0` and `fmod(x, 0)` of integers, which are 0.
    DivisionByZero,
    /// An integer that does not fit its type and is wrapped around.
    Overflow(DType),
    /// A shift by bits that the type does not have.
    ShiftOutOfRange(DType),
    /// NaN of what is not NaN.
    NanMade,
    /// A float that does not fit the integer type that it is converted to.
    CastSaturated(DType),
    /// An integer to a negative integer power, which has no value.
    NegativePower,
}

/// What is said of integers to negative integer powers, as by NumPy.
pub(crate) const NEGATIVE: &str = "integers to negative integer powers are not allowed";

impl Exception {
    /// The code of its warning; none where it always ends the run.
    pub fn code(self) -> Option<Code> {
        Some(match self {
            Exception::DivisionByZero => Code::DivisionByZero,
            Exception::Overflow(_) => Code::IntegerOverflow,
            Exception::ShiftOutOfRange(_) => Code::ShiftOutOfRange,
            Exception::NanMade => Code::NanMade,
            Exception::CastSaturated(_) => Code::CastSaturated,
            Exception::NegativePower => return None,
        })
    }

    /// What happened `{n}` times, as in [`base::Warning`].
    pub fn counted(self) -> String {
        match self {
            Exception::DivisionByZero => "{n} integer division{s} by zero gave 0".into(),
            Exception::Overflow(to) => {
                format!("{{n}} integer{{s}} too large for {to} wrapped around")
            }
            Exception::ShiftOutOfRange(of) => {
                let most = bits_of(of) - 1;
                format!(
                    "{{n}} shift{{s}} by fewer than 0 or more than {most} bits gave 0, or the sign"
                )
            }
            Exception::NanMade => "{n} NaN{s} came of values that are not NaN".into(),
            Exception::CastSaturated(to) => {
                format!(
                    "{{n}} float{{s}} out of the range of {to} became its nearest integer, NaN 0"
                )
            }
            Exception::NegativePower => NEGATIVE.into(),
        }
    }

    /// What is wrong, where it ends the run.
    pub fn sentence(self) -> String {
        match self {
            Exception::DivisionByZero => "an integer is divided by zero".into(),
            Exception::Overflow(to) => format!("an integer is too large for {to}"),
            Exception::ShiftOutOfRange(of) => {
                format!("a shift is by fewer than 0 or more than {} bits", bits_of(of) - 1)
            }
            Exception::NanMade => "NaN comes of values that are not NaN".into(),
            Exception::CastSaturated(to) => format!("a float is out of the range of {to}"),
            Exception::NegativePower => {
                format!("{NEGATIVE}; {}", self.help())
            }
        }
    }

    /// What would be right.
    pub fn help(self) -> &'static str {
        match self {
            Exception::DivisionByZero => {
                "where the divisor may be 0, say what is meant: `where(d != 0, n // d, null)`"
            }
            Exception::Overflow(DType::Int32) => "convert an operand first: `int64(x)`",
            Exception::Overflow(_) => "convert an operand first: `float64(x)`",
            Exception::ShiftOutOfRange(DType::Int32) => "shift by 0 to 31 bits, or `int64(x)`",
            Exception::ShiftOutOfRange(_) => "shift by 0 to 63 bits",
            Exception::NanMade => "say what is meant where there is no value, by `where(…)`",
            Exception::CastSaturated(DType::Int32) => {
                "convert to int64, or say what is meant: `where(isfinite(x), …, null)`"
            }
            Exception::CastSaturated(_) => {
                "say what is meant where it does not fit: `where(isfinite(x), …, null)`"
            }
            Exception::NegativePower => {
                "convert the base to float64 first, or filter such rows out"
            }
        }
    }
}

/// What a node may meet.
pub(crate) fn of(dag: &Dag, id: NodeId) -> Vec<Exception> {
    let node = &dag.nodes[id];
    let Op::Call(call) = &node.op else { return Vec::new() };
    if node.dtype.is_float() {
        // What begins with integers has been converted.
        let float = node.arguments.iter().any(|a| dag.nodes[*a].dtype.is_float());
        return if float { vec![Exception::NanMade] } else { Vec::new() };
    }
    if node.dtype == DType::Timestamp {
        let from_float = node.arguments.iter().any(|a| dag.nodes[*a].dtype.is_float());
        return if from_float { vec![Exception::CastSaturated(node.dtype)] } else { Vec::new() };
    }
    if !node.dtype.is_integer() {
        return Vec::new();
    }
    of_integers(dag, node, call.name)
}

fn of_integers(dag: &Dag, node: &Node, name: &str) -> Vec<Exception> {
    let second = node.arguments.get(1).and_then(|a| integer(dag, *a));
    let from = node.arguments.first().map(|a| dag.nodes[*a].dtype);
    let overflow = Exception::Overflow(node.dtype);
    match (name, second) {
        ("//" | "%" | "fmod", Some(0)) => vec![Exception::DivisionByZero],
        ("//", Some(-1)) => vec![overflow],
        ("//" | "%" | "fmod", Some(_)) => vec![],
        ("//", None) => vec![Exception::DivisionByZero, overflow],
        ("%" | "fmod", None) => vec![Exception::DivisionByZero],
        ("<<" | ">>", Some(bits)) if (0..bits_of(node.dtype)).contains(&bits) => vec![],
        ("<<" | ">>", _) => vec![Exception::ShiftOutOfRange(node.dtype)],
        ("+" | "-" | "*" | "abs", _) => vec![overflow],
        ("**", Some(0 | 1)) => vec![],
        ("**", Some(_)) => vec![overflow],
        ("**", None) => vec![Exception::NegativePower, overflow],
        ("int32" | "int64", _) => match from {
            Some(from) if from.is_float() => vec![Exception::CastSaturated(node.dtype)],
            Some(DType::Int64 | DType::Timestamp) if node.dtype == DType::Int32 => vec![overflow],
            _ => vec![],
        },
        _ => vec![],
    }
}

fn integer(dag: &Dag, id: NodeId) -> Option<i64> {
    match &dag.nodes[id].op {
        Op::Constant(Value::Int(i)) => Some(*i),
        _ => None,
    }
}

/// The bits of an integer type.
fn bits_of(dtype: DType) -> i64 {
    if dtype == DType::Int32 { 32 } else { 64 }
}
