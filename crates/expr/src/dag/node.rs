//! Nodes, each made once: hash-consing is the elimination of common subexpressions.
use crate::Values;
use crate::kernels::{Arg, Buffer, Kernel, Register};
use arrow_array::StringArray;
use base::{DType, DimMask, Failure, Value};
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
    /// Whether it can fail at some values, so that it must not run where a filter left nothing.
    pub fallible: bool,
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
        self.add(Key::Column(name), Node { op, arguments: vec![], dtype, nullable, mask })
    }

    /// The index in a domain of these dimensions.
    pub fn index(&mut self, mask: DimMask) -> NodeId {
        let dtype = DType::Int64;
        self.add(
            Key::Index,
            Node { op: Op::Index, arguments: vec![], dtype, nullable: false, mask },
        )
    }

    /// A value, which must be of the type or missing.
    pub fn constant(&mut self, value: Value, dtype: DType) -> NodeId {
        let key = Key::Constant(dtype, Atom::from(&value));
        let nullable = value == Value::Null;
        let op = Op::Constant(value);
        let mask = DimMask::SCALAR;
        self.add(key, Node { op, arguments: vec![], dtype, nullable, mask })
    }

    /// A kernel's result; a constant if all arguments are.
    ///
    /// # Errors
    /// If the kernel fails at constant arguments.
    pub fn call(
        &mut self,
        call: Call,
        arguments: Vec<NodeId>,
        dtype: DType,
    ) -> Result<NodeId, Failure> {
        let constants = call.constants.iter().map(Atom::from).collect();
        let key = Key::Call(call.name, dtype, constants, arguments.clone());
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        if arguments.iter().all(|a| matches!(self.nodes[*a].op, Op::Constant(_))) {
            let value = self.fold(&call, &arguments, dtype)?;
            return Ok(self.constant(value, dtype));
        }
        Ok(self.insert(call, arguments, dtype))
    }

    /// A kernel's result, also if all arguments are constants.
    pub fn insert(&mut self, call: Call, arguments: Vec<NodeId>, dtype: DType) -> NodeId {
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
        self.add(key, Node { op: Op::Call(call), arguments, dtype, nullable, mask })
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
                    self.insert(call.clone(), arguments, node.dtype)
                }
            };
        }
        made[root]
    }

    /// Runs the very kernel that would run over blocks, over one row.
    fn fold(&self, call: &Call, arguments: &[NodeId], dtype: DType) -> Result<Value, Failure> {
        let registers: Vec<Register> = arguments
            .iter()
            .filter_map(|a| match &self.nodes[*a].op {
                Op::Constant(value) => Some(constant_register(value, self.nodes[*a].dtype)),
                _ => None,
            })
            .collect();
        let mut out = Register::new(dtype);
        run(call, &registers.iter().map(Register::arg).collect::<Vec<_>>(), &mut out, 1)?;
        Ok(first_value(&out, dtype))
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
