//! Nodes, each made once: hash-consing is the elimination of common subexpressions.
use crate::Values;
use crate::exceptions::{self, Exception, exact};
use crate::kernels::{Arg, Buffer, Kernel, Register};
use arrow_array::StringArray;
use base::{DType, DimMask, Failure, Span, Value};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// A node's place in its graph; arguments come before what uses them.
pub(crate) type NodeId = usize;

/// What missing arguments make of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// Missing if any argument is; the program sees to it.
    Propagate,
    /// The kernel writes the validity; may be missing if any argument may.
    Any,
    /// The kernel writes the validity; may be missing only if all arguments may.
    All,
    /// Never missing.
    Never,
}

/// A kernel and what tells it from others.
#[derive(Clone)]
pub(crate) struct Call {
    /// The operator or the function.
    pub name: &'static str,
    /// Constants that are part of the kernel.
    pub constants: Vec<Value>,
    /// The kernel.
    pub kernel: Kernel,
    /// How it treats missing values.
    pub nulls: Nulls,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_tuple("Call").field(&self.name).field(&self.constants).finish()
    }
}

/// What a node does.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// The column of this name.
    Column(Arc<str>),
    /// The row-major index of the point in the domain.
    Index,
    /// A value.
    Constant(Value),
    /// A kernel.
    Call(Call),
}

/// A node of the graph.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub op: Op,
    pub arguments: Vec<NodeId>,
    pub dtype: DType,
    pub nullable: bool,
    /// The dimensions of the domain that it varies along.
    pub mask: DimMask,
    /// Where it stands first in the pipeline file.
    pub span: Span,
    /// The step that it is part of, once that is known.
    pub step: Option<Arc<str>>,
}

impl Node {
    fn new(
        op: Op,
        arguments: Vec<NodeId>,
        dtype: DType,
        nullable: bool,
        mask: DimMask,
        span: Span,
    ) -> Node {
        Node { op, arguments, dtype, nullable, mask, span, step: None }
    }
}

/// What two nodes must share to be the same.
#[derive(PartialEq, Eq, Hash, Clone)]
enum Key {
    Column(Arc<str>),
    Index,
    Constant(DType, Atom),
    Call(&'static str, DType, Vec<Atom>, Vec<NodeId>),
}

/// A value that compares bit by bit.
#[derive(PartialEq, Eq, Hash, Clone, Debug)]
pub(crate) enum Atom {
    Null,
    Bool(bool),
    Int(i64),
    Float(u64),
    Str(String),
    Timestamp(i64),
}

impl From<&Value> for Atom {
    fn from(value: &Value) -> Atom {
        match value {
            Value::Null => Atom::Null,
            Value::Bool(b) => Atom::Bool(*b),
            Value::Int(i) => Atom::Int(*i),
            Value::Float(x) => Atom::Float(x.to_bits()),
            Value::Str(s) => Atom::Str(s.clone()),
            Value::Timestamp(t) => Atom::Timestamp(*t),
        }
    }
}

/// The graph: nodes in an order in which arguments come first.
#[derive(Clone, Default)]
pub(crate) struct Dag {
    pub nodes: Vec<Node>,
    known: HashMap<Key, NodeId>,
    /// What constants met that were folded, and where.
    pub folded: Vec<(Exception, Span)>,
}

impl fmt::Debug for Dag {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_list().entries(&self.nodes).finish()
    }
}

impl Dag {
    fn add(&mut self, key: Key, node: Node) -> NodeId {
        *self.known.entry(key).or_insert_with(|| {
            self.nodes.push(node);
            self.nodes.len() - 1
        })
    }

    /// A column.
    pub fn column(
        &mut self,
        name: Arc<str>,
        dtype: DType,
        nullable: bool,
        mask: DimMask,
    ) -> NodeId {
        let op = Op::Column(name.clone());
        let node = Node::new(op, vec![], dtype, nullable, mask, Span::default());
        self.add(Key::Column(name), node)
    }

    /// The index in a domain of these dimensions.
    pub fn index(&mut self, mask: DimMask) -> NodeId {
        let node = Node::new(Op::Index, vec![], DType::Int64, false, mask, Span::default());
        self.add(Key::Index, node)
    }

    /// A value, which must be of the type or missing.
    pub fn constant(&mut self, value: Value, dtype: DType) -> NodeId {
        let key = Key::Constant(dtype, Atom::from(&value));
        let nullable = value == Value::Null;
        let op = Op::Constant(value);
        let node = Node::new(op, vec![], dtype, nullable, DimMask::SCALAR, Span::default());
        self.add(key, node)
    }

    /// A kernel's result; a constant if all arguments are.
    ///
    /// # Errors
    /// If the kernel fails at constant arguments, or has no value there.
    pub fn call(
        &mut self,
        call: Call,
        arguments: Vec<NodeId>,
        dtype: DType,
        span: Span,
    ) -> Result<NodeId, Failure> {
        let id = self.insert(call, arguments, dtype, span);
        let Some(value) = self.fold(id)? else { return Ok(id) };
        for exception in self.met(id, &value)? {
            if exception.code().is_none() {
                return Err(Failure::data(exceptions::NEGATIVE));
            }
            self.folded.push((exception, span));
        }
        Ok(self.constant(value, dtype))
    }

    /// The same, but what meets an exception stays a call: the run tells whether it is of use.
    ///
    /// # Errors
    /// If the kernel fails at constant arguments.
    pub fn quiet(&mut self, id: NodeId) -> Result<NodeId, Failure> {
        match self.fold(id)? {
            Some(value) if self.met(id, &value)?.is_empty() => {
                Ok(self.constant(value, self.nodes[id].dtype))
            }
            _ => Ok(id),
        }
    }

    /// A kernel's result, also if all arguments are constants.
    pub fn insert(
        &mut self,
        call: Call,
        arguments: Vec<NodeId>,
        dtype: DType,
        span: Span,
    ) -> NodeId {
        let constants = call.constants.iter().map(Atom::from).collect();
        let key = Key::Call(call.name, dtype, constants, arguments.clone());
        let nullable = |a: &NodeId| self.nodes[*a].nullable;
        let nullable = match call.nulls {
            Nulls::Propagate | Nulls::Any => arguments.iter().any(nullable),
            Nulls::All => arguments.iter().all(nullable),
            Nulls::Never => false,
        };
        let mask = |mask: DimMask, a: &NodeId| mask.union(self.nodes[*a].mask);
        let mask = arguments.iter().fold(DimMask::SCALAR, mask);
        self.add(key, Node::new(Op::Call(call), arguments, dtype, nullable, mask, span))
    }

    /// A node of another graph over the same columns, with all that it needs.
    pub fn copy(&mut self, from: &Dag, root: NodeId) -> NodeId {
        let needed = from.needed([root]);
        let mut made = vec![0; from.nodes.len()];
        for (id, node) in from.nodes.iter().enumerate().filter(|(id, _)| needed[*id]) {
            made[id] = match &node.op {
                Op::Column(name) => self.column(name.clone(), node.dtype, node.nullable, node.mask),
                Op::Index => self.index(node.mask),
                Op::Constant(value) => self.constant(value.clone(), node.dtype),
                Op::Call(call) => {
                    let arguments = node.arguments.iter().map(|a| made[*a]).collect();
                    self.insert(call.clone(), arguments, node.dtype, node.span)
                }
            };
            let step = &mut self.nodes[made[id]].step;
            *step = step.take().or_else(|| node.step.clone());
        }
        made[root]
    }

    /// The value of a call of constants: that of the very kernel that would run over blocks, over
    /// one row.
    fn fold(&self, id: NodeId) -> Result<Option<Value>, Failure> {
        let node = &self.nodes[id];
        let Op::Call(call) = &node.op else { return Ok(None) };
        let Some(registers) = self.constants(&node.arguments) else { return Ok(None) };
        let mut out = Register::new(node.dtype);
        run(call, &registers.iter().map(Register::arg).collect::<Vec<_>>(), &mut out, 1)?;
        Ok(Some(first_value(&out, node.dtype)))
    }

    /// What a call of constants whose value is this meets.
    fn met(&self, id: NodeId, value: &Value) -> Result<Vec<Exception>, Failure> {
        let node = &self.nodes[id];
        let Op::Call(call) = &node.op else { return Ok(Vec::new()) };
        let mut met = Vec::new();
        for exception in exceptions::of(self, id) {
            let Some(mut registers) = self.constants(&node.arguments) else { break };
            if exception == Exception::NanMade {
                registers.push(constant_register(value, node.dtype));
            }
            let arguments: Vec<Arg> = registers.iter().map(Register::arg).collect();
            let mut out = Register::new(DType::Bool);
            run(&exact(exception, call.name), &arguments, &mut out, 1)?;
            if matches!(out.values.values(), Values::Bool([true, ..])) {
                met.push(exception);
            }
        }
        Ok(met)
    }

    /// The values of nodes, if all are constants.
    fn constants(&self, nodes: &[NodeId]) -> Option<Vec<Register>> {
        let register = |id: &NodeId| match &self.nodes[*id].op {
            Op::Constant(value) => Some(constant_register(value, self.nodes[*id].dtype)),
            _ => None,
        };
        nodes.iter().map(register).collect()
    }

    /// The nodes that `roots` need, themselves included.
    pub fn needed(&self, roots: impl IntoIterator<Item = NodeId>) -> Vec<bool> {
        let mut needed = vec![false; self.nodes.len()];
        roots.into_iter().for_each(|r| needed[r] = true);
        for id in (0..self.nodes.len()).rev() {
            if needed[id] {
                self.nodes[id].arguments.iter().for_each(|a| needed[*a] = true);
            }
        }
        needed
    }
}

/// Runs a kernel and sets the validity of its result.
pub(crate) fn run(
    call: &Call,
    arguments: &[Arg],
    out: &mut Register,
    len: usize,
) -> Result<(), Failure> {
    out.reset(len);
    (call.kernel)(arguments, out, len)?;
    if call.nulls == Nulls::Propagate {
        out.propagate(arguments, len);
    }
    Ok(())
}

/// One value as a register of length 1.
pub(crate) fn constant_register(value: &Value, dtype: DType) -> Register {
    let mut out = Register::new(dtype);
    out.reset(1);
    match (&mut out.values, value) {
        (Buffer::Bool(v), Value::Bool(x)) => v[0] = *x,
        (Buffer::Int32(v), Value::Int(x)) => v[0] = *x as i32,
        (Buffer::Int64(v), Value::Int(x) | Value::Timestamp(x)) => v[0] = *x,
        (Buffer::Float32(v), Value::Float(x)) => v[0] = *x as f32,
        (Buffer::Float64(v), Value::Float(x)) => v[0] = *x,
        (Buffer::String(v), Value::Str(x)) => *v = StringArray::from(vec![x.as_str()]),
        (Buffer::String(v), _) => *v = StringArray::from(vec![""]),
        _ => {}
    }
    if *value == Value::Null {
        out.validity_mut(1)[0] = false;
    }
    out
}

fn first_value(register: &Register, dtype: DType) -> Value {
    if register.nullable && !register.validity[0] {
        return Value::Null;
    }
    match register.values.values() {
        Values::Bool(v) => Value::Bool(v[0]),
        Values::Int32(v) => Value::Int(v[0].into()),
        Values::Int64(v) if dtype == DType::Timestamp => Value::Timestamp(v[0]),
        Values::Int64(v) => Value::Int(v[0]),
        Values::Float32(v) => Value::Float(v[0].into()),
        Values::Float64(v) => Value::Float(v[0]),
        Values::String(v) => Value::Str(v.value(0).to_owned()),
    }
}
