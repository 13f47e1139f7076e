//! Takes a condition apart: the parts that must all hold, and what each asks of one column.
use super::node::{Call, Dag, Node, NodeId, Nulls, Op};
use super::typed::Typed;
use crate::kernels::{logic, map1};
use crate::syntax::CompareOp;
use base::{DType, Value};
use std::sync::Arc;

/// One of the parts of a condition that must all be there and true.
#[derive(Clone, Debug)]
pub struct Conjunct {
    /// The part, a bool of its own.
    pub condition: Typed,
    /// What it asks of one column alone; `None` if it is anything else.
    pub test: Option<ColumnTest>,
}

/// A question to the values of one column. Missing values never pass, but for
/// [`Test::Missing`].
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnTest {
    /// The name of the column.
    pub column: Arc<str>,
    /// The question.
    pub test: Test,
}

/// What is asked of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// `value op constant`. NaN passes `!=` and nothing else; the constant is never NaN.
    Compare {
        /// The comparison; the column stands on its left.
        op: CompareOp,
        /// The constant, of the type `within`.
        constant: Value,
        /// The type to which values of the column are converted first, as Rust's `as` does: the
        /// column's own, or a wider number. Conversions keep the order of values, but integers
        /// beyond 2^53 that become float64 may fall together.
        within: DType,
    },
    /// Whether the value is missing.
    Missing(bool),
    /// `value % modulus == rest` of an integer, or `!=`: floored, with the sign of the modulus;
    /// a modulus of 0 leaves 0.
    Modulo {
        /// What is divided by.
        modulus: i64,
        /// Whether the rest must be that, or must not be.
        equal: bool,
        /// The rest.
        rest: i64,
    },
    /// Whether the decimal notation of an integer contains the digits; its sign is ignored.
    Digits {
        /// One digit or more.
        digits: String,
        /// Whether they must be there, or must not be.
        contained: bool,
    },
}

impl Typed {
    /// The parts of a condition that must all hold, in the order in which they stand: a filter
    /// by the condition keeps what filters by each of the parts keep. `and`, `&`, chains of
    /// comparisons and `not (… or …)` are taken apart. What is always true is no part.
    pub fn conjuncts(&self) -> Vec<Conjunct> {
        let mut parts = Vec::new();
        let dag = Dag::clone(&self.dag);
        let mut split = Split { dag, parts: &mut parts };
        split.part(self.root, true);
        let dag = Arc::new(split.dag);
        let conjunct = |root: NodeId| Conjunct {
            condition: Typed::new(dag.clone(), root, self.span),
            test: test(&dag, root, true),
        };
        let always = |root: &NodeId| matches!(dag.nodes[*root].op, Op::Constant(Value::Bool(true)));
        parts.into_iter().filter(|root| !always(root)).map(conjunct).collect()
    }

    /// The condition that all of these hold; `None` if there are none.
    pub fn all<'a>(conditions: impl IntoIterator<Item = &'a Typed>) -> Option<Typed> {
        let mut conditions = conditions.into_iter();
        let first = conditions.next()?;
        let (mut dag, mut root) = (Dag::clone(&first.dag), first.root);
        for next in conditions {
            let next = dag.copy(&next.dag, next.root);
            let kernel = logic::and();
            let call = Call { name: "and", constants: vec![], kernel, nulls: Nulls::Any };
            root = dag.insert(call, vec![root, next], DType::Bool, first.span);
        }
        Some(Typed::new(dag.into(), root, first.span))
    }
}

/// The walk over a condition.
struct Split<'a> {
    dag: Dag,
    parts: &'a mut Vec<NodeId>,
}

impl Split<'_> {
    /// The parts of a node, or of what it is not.
    fn part(&mut self, id: NodeId, holds: bool) {
        let node = &self.dag.nodes[id];
        let arguments = node.arguments.clone();
        let name = match &node.op {
            Op::Call(call) if node.dtype == DType::Bool => call.name,
            _ => "",
        };
        match (name, &arguments[..], holds) {
            ("not", [x], _) => self.part(*x, !holds),
            ("and" | "&", [x, y], true) | ("or" | "|", [x, y], false) => {
                self.part(*x, holds);
                self.part(*y, holds);
            }
            (_, _, true) => self.parts.push(id),
            (_, _, false) => {
                let not = self.not(id);
                self.parts.push(not);
            }
        }
    }

    fn not(&mut self, id: NodeId) -> NodeId {
        let kernel = map1(|x: bool| !x);
        let nulls = Nulls::Propagate;
        let call = Call { name: "not", constants: vec![], kernel, nulls };
        let span = self.dag.nodes[id].span;
        self.dag.insert(call, vec![id], DType::Bool, span)
    }
}

/// The question that a node asks of one column, if it is one; or the opposite question.
fn test(dag: &Dag, id: NodeId, holds: bool) -> Option<ColumnTest> {
    let node = &dag.nodes[id];
    let call = match &node.op {
        Op::Column(name) if node.dtype == DType::Bool => {
            let (op, constant) = (CompareOp::Eq, Value::Bool(holds));
            let test = Test::Compare { op, constant, within: DType::Bool };
            return Some(ColumnTest { column: name.clone(), test });
        }
        Op::Call(call) => call,
        _ => return None,
    };
    match (call.name, &node.arguments[..], &call.constants[..]) {
        ("not", [x], _) => test(dag, *x, !holds),
        ("isnull", [x], _) => {
            let column = column(dag, *x)?;
            Some(ColumnTest { column, test: Test::Missing(holds) })
        }
        ("has_digits", [x], [Value::Str(digits)]) => {
            let column = integer(dag, *x)?;
            let test = Test::Digits { digits: digits.clone(), contained: holds };
            Some(ColumnTest { column, test })
        }
        (symbol, [x, y], _) => {
            let op = CompareOp::ALL.into_iter().find(|op| op.symbol() == symbol)?;
            comparison(dag, op, *x, *y, holds)
        }
        _ => None,
    }
}

fn comparison(dag: &Dag, op: CompareOp, x: NodeId, y: NodeId, holds: bool) -> Option<ColumnTest> {
    let (op, x, y) = match constant(dag, y) {
        Some(_) => (op, x, y),
        None => (turned(op), y, x),
    };
    let value = constant(dag, y)?;
    let within = dag.nodes[x].dtype;
    // What is not less than 3 is at least 3, unless it is NaN.
    let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
    if !holds && within.is_float() && !equality {
        return None;
    }
    let op = if holds { op } else { opposite(op) };
    if let Some(column) = widened(dag, x) {
        let test = Test::Compare { op, constant: value.clone(), within };
        return Some(ColumnTest { column, test });
    }
    let (dividend, modulus) = modulo(dag, x)?;
    let (true, Value::Int(rest)) = (equality, value) else { return None };
    let test = Test::Modulo { modulus, equal: op == CompareOp::Eq, rest: *rest };
    Some(ColumnTest { column: integer(dag, dividend)?, test })
}

/// `x % modulus` of integers, which may have been made wider behind it.
fn modulo(dag: &Dag, id: NodeId) -> Option<(NodeId, i64)> {
    let node = &dag.nodes[without_cast(dag, id)];
    match (&node.op, &node.arguments[..]) {
        (Op::Call(call), [x, y]) if call.name == "%" && node.dtype.is_integer() => {
            match constant(dag, *y)? {
                Value::Int(modulus) => Some((*x, *modulus)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A constant that is there and not NaN.
fn constant(dag: &Dag, id: NodeId) -> Option<&Value> {
    match &dag.nodes[id].op {
        Op::Constant(Value::Null) => None,
        Op::Constant(Value::Float(x)) if x.is_nan() => None,
        Op::Constant(value) => Some(value),
        _ => None,
    }
}

fn column(dag: &Dag, id: NodeId) -> Option<Arc<str>> {
    match &dag.nodes[id].op {
        Op::Column(name) => Some(name.clone()),
        _ => None,
    }
}

/// A column of integers, as it is or made wider.
fn integer(dag: &Dag, id: NodeId) -> Option<Arc<str>> {
    widened(dag, id).filter(|_| dag.nodes[id].dtype.is_integer())
}

/// A column, as it is or converted to a wider number.
fn widened(dag: &Dag, id: NodeId) -> Option<Arc<str>> {
    column(dag, without_cast(dag, id))
}

/// What a node was before it was converted to a wider number; itself if it was not.
fn without_cast(dag: &Dag, id: NodeId) -> NodeId {
    let Node { op: Op::Call(call), arguments, dtype: to, .. } = &dag.nodes[id] else { return id };
    let &[from] = &arguments[..] else { return id };
    let wider = match (dag.nodes[from].dtype, to) {
        (DType::Int32, DType::Int64 | DType::Float64) => true,
        (DType::Int64 | DType::Float32, DType::Float64) => true,
        (DType::Bool, to) => to.is_number(),
        _ => false,
    };
    if call.name == to.name() && wider { from } else { id }
}

/// The comparison with its sides exchanged.
fn turned(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
        same => same,
    }
}

/// The comparison that holds where this one does not, if nothing is NaN.
fn opposite(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq => CompareOp::Ne,
        CompareOp::Ne => CompareOp::Eq,
        CompareOp::Lt => CompareOp::Ge,
        CompareOp::Le => CompareOp::Gt,
        CompareOp::Gt => CompareOp::Le,
        CompareOp::Ge => CompareOp::Lt,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::tests::{sample, typed};

    /// Each part, `!` before those that ask nothing of one column, and what they ask.
    fn parts(text: &str) -> Vec<String> {
        let (schema, _) = sample();
        let show = |c: Conjunct| match c.test {
            None => format!("!{}", c.condition),
            Some(ColumnTest { column, test }) => match test {
                Test::Compare { op, constant, within } => {
                    format!("{within}({column}) {} {constant}", op.symbol())
                }
                Test::Missing(missing) => format!("{column} missing {missing}"),
                Test::Modulo { modulus, equal, rest } => {
                    format!("{column} % {modulus} {} {rest}", if equal { "==" } else { "!=" })
                }
                Test::Digits { digits, contained } => format!("{column} {contained} {digits}"),
            },
        };
        typed(text, &schema).unwrap().conjuncts().into_iter().map(show).collect()
    }

    #[test]
    fn conditions_are_taken_apart() {
        let cases: &[(&str, &[&str])] = &[
            ("l > 3", &["int64(l) > 3"]),
            ("3 > l", &["int64(l) < 3"]),
            ("1 < l <= p", &["int64(l) > 1", "int64(l) <= 10"]),
            ("l < 1e3 and d >= 2", &["float64(l) < 1000.0", "float64(d) >= 2.0"]),
            ("(i != 3) & (f == 0.5)", &["int32(i) != 3", "float32(f) == 0.5"]),
            ("not (l < 3 or l % 7 == 2)", &["int64(l) >= 3", "l % 7 != 2"]),
            ("not (l < 3 and l % 7 == 2)", &["!not ((l < 3) and ((l % 7) == 2))"]),
            ("not d < 3", &["!not (d < 3.0)"]),
            ("not d == 3", &["float64(d) != 3.0"]),
            ("l % 3 == 1 and 2 == i % 5", &["l % 3 == 1", "i % 5 == 2"]),
            ("l % 3 < 1", &["!(l % 3) < 1"]),
            ("not has_digits(l, 42)", &["l false 42"]),
            ("has_digits(i, '9') and not has_digits(l, '00')", &["i true 9", "l false 00"]),
            ("isnull(n) and not isnull(m)", &["n missing true", "m missing false"]),
            ("m and not b", &["bool(m) == true", "bool(b) == false"]),
            (
                "s >= 'b' and t < '2020-01-01'",
                &["string(s) >= b", "timestamp(t) < 1577836800000000 us"],
            ),
            ("l > i or b", &["!(l > int64(i)) or b"]),
            ("l > d", &["!float64(l) > d"]),
            ("d > nan", &["!d > nan"]),
            ("l > l", &["!l > l"]),
            ("1 < 2 and l > 2", &["int64(l) > 2"]),
            ("1 < 2", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(parts(text), *expected, "{text}");
        }
    }

    #[test]
    fn parts_together_are_the_condition() {
        let (schema, _) = sample();
        let text = "(l > 3) and ((n < 2.0) and (m or b))";
        let whole = typed(text, &schema).unwrap();
        let parts: Vec<Typed> = whole.conjuncts().into_iter().map(|c| c.condition).collect();
        let again = Typed::all(&parts).unwrap();
        assert_eq!(again.to_string(), "((l > 3) and (n < 2.0)) and (m or b)");
        assert!(again.nullable && Typed::all([]).is_none());
        assert_eq!(Typed::all(&parts[..1]).unwrap().to_string(), "l > 3");
    }
}
