//! Makes nodes: conversions, constants and calls, with the mistakes they may contain.
use crate::dag::{Call, Dag, NodeId, Nulls, Op};
use crate::kernels::{Kernel, cast};
use base::{Code, DType, Diagnostic, DimMask, Failure, Span, Value};

/// A mistake; boxed, for it is large and rare.
pub(crate) type Mistake = Box<Diagnostic>;

/// A checked operand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    /// A literal, a parameter, or what arithmetic makes of them: it adapts to columns.
    Weak(Value),
    /// A node.
    Node(NodeId),
}

/// An operand and its place.
pub(crate) type Placed<'a> = (&'a Operand, Span);

/// The graph of one expression while it is checked.
pub(crate) struct Builder {
    pub dag: Dag,
    /// All dimensions of the domain.
    pub domain: DimMask,
}

/// An error about types.
pub(crate) fn mismatch(span: Span, message: impl Into<String>) -> Mistake {
    Box::new(Diagnostic::error(Code::TypeMismatch, span, message))
}

impl Builder {
    /// The type of an operand; a bare `null` has none.
    pub fn dtype(&self, operand: &Operand) -> Option<DType> {
        match operand {
            Operand::Weak(value) => value.dtype(),
            Operand::Node(id) => Some(self.dag.nodes[*id].dtype),
        }
    }

    /// How the type is called in messages.
    pub fn type_name(&self, operand: &Operand) -> &'static str {
        self.dtype(operand).map_or("null", DType::name)
    }

    /// The value, if it is known.
    pub fn value<'a>(&'a self, operand: &'a Operand) -> Option<&'a Value> {
        match operand {
            Operand::Weak(value) => Some(value),
            Operand::Node(id) => match &self.dag.nodes[*id].op {
                Op::Constant(value) => Some(value),
                _ => None,
            },
        }
    }

    /// A node of the operand's own type.
    pub fn strong(&mut self, (operand, span): Placed) -> Result<NodeId, Mistake> {
        match self.dtype(operand) {
            Some(dtype) => self.cast((operand, span), dtype),
            None => Err(Box::new(
                mismatch(span, "the type of this `null` is not known")
                    .help("write `float64(null)`, or another type"),
            )),
        }
    }

    /// A node of this type, converted if it has another.
    pub fn cast(&mut self, (operand, span): Placed, to: DType) -> Result<NodeId, Mistake> {
        match operand {
            Operand::Weak(value) => {
                let value = convert(value, to).ok_or_else(|| {
                    let value = super::weak::show(value);
                    Box::new(mismatch(span, format!("`{value}` is not a value of type {to}")).help(
                        match to {
                            DType::Int32 => "convert the other side: `int64(x)`",
                            DType::Timestamp => {
                                "a time is written '2024-01-31' or '2024-01-31T12:30:00'"
                            }
                            _ => "write a value of that type",
                        },
                    ))
                })?;
                Ok(self.dag.constant(value, to))
            }
            Operand::Node(id) => {
                let from = self.dag.nodes[*id].dtype;
                if from == to {
                    return Ok(*id);
                }
                let kernel = cast::cast(from, to)
                    .ok_or_else(|| mismatch(span, format!("{from} cannot be converted to {to}")))?;
                self.call(to.name(), &[*id], to, kernel, span)
            }
        }
    }

    /// A call that propagates missing values.
    pub fn call(
        &mut self,
        name: &'static str,
        arguments: &[NodeId],
        dtype: DType,
        kernel: Kernel,
        span: Span,
    ) -> Result<NodeId, Mistake> {
        let call = Call { name, constants: vec![], kernel, nulls: Nulls::Propagate };
        self.add(call, arguments, dtype, span)
    }

    /// A call of any kind.
    pub fn add(
        &mut self,
        call: Call,
        arguments: &[NodeId],
        dtype: DType,
        span: Span,
    ) -> Result<NodeId, Mistake> {
        let failed = |f: Failure| mismatch(span, f.message);
        self.dag.call(call, arguments.to_vec(), dtype, span).map_err(failed)
    }
}

/// A literal as a value of a type; `None` if it does not fit.
fn convert(value: &Value, to: DType) -> Option<Value> {
    Some(match (value, to) {
        (Value::Null, _) => Value::Null,
        (Value::Bool(b), DType::Bool) => Value::Bool(*b),
        (Value::Bool(b), DType::Int32 | DType::Int64) => Value::Int(i64::from(*b)),
        (Value::Bool(b), DType::Float32 | DType::Float64) => Value::Float(f64::from(*b)),
        (Value::Int(i), DType::Int32) => Value::Int(i32::try_from(*i).ok()?.into()),
        (Value::Int(i), DType::Int64) => Value::Int(*i),
        (Value::Int(i), DType::Float32) => Value::Float((*i as f32).into()),
        (Value::Int(i), DType::Float64) => Value::Float(*i as f64),
        (Value::Float(x), DType::Float32) => Value::Float((*x as f32).into()),
        (Value::Float(x), DType::Float64) => Value::Float(*x),
        (Value::Str(s), DType::String) => Value::Str(s.clone()),
        (Value::Str(s), DType::Timestamp) => Value::Timestamp(super::time::timestamp(s)?),
        (Value::Timestamp(t), DType::Timestamp) => Value::Timestamp(*t),
        _ => return None,
    })
}
