//! The arguments of a call, as a function's typing rule sees them.
use super::builder::{Builder, Mistake, Operand, Placed, mismatch};
use super::promote::{is_numeric, promote};
use crate::dag::{Call, NodeId, Nulls};
use crate::functions::Function;
use crate::kernels::math::apply::{Binary, Unary, binary, unary};
use crate::kernels::{Kernel, map1};
use base::{Code, DType, Diagnostic, Span, Value};

/// The node that a call becomes, or what is wrong with it.
pub(crate) type Built = Result<NodeId, Box<Diagnostic>>;

/// The arguments of a call; their number was checked.
pub struct Arguments<'a> {
    pub(super) builder: &'a mut Builder,
    pub(super) function: &'static Function,
    /// The whole call.
    pub(super) span: Span,
    pub(super) list: Vec<(Operand, Span)>,
}

impl Arguments<'_> {
    fn placed(&self, i: usize) -> (Operand, Span) {
        self.list[i].clone()
    }

    /// The type of argument `i`; none for `null`.
    pub(crate) fn dtype(&self, i: usize) -> Option<DType> {
        self.builder.dtype(&self.list[i].0)
    }

    /// Argument `i` is of a wrong type or value.
    pub(crate) fn wrong(&self, i: usize, takes: &str) -> Mistake {
        let (operand, span) = &self.list[i];
        let name = self.builder.type_name(operand);
        let message = format!("`{}` takes {takes} here, not {name}", self.function.name);
        let error = mismatch(*span, message).label(format!("this is {name}"));
        Box::new(error.help(format!("it is called as `{}`", self.function.signature)))
    }

    /// Argument `i` is of the right type, but its value is not.
    pub(crate) fn value(&self, i: usize, what: &str, takes: &str, found: &str) -> Diagnostic {
        let message = format!("`{}` takes {takes}", self.function.name);
        mismatch(self.list[i].1, message).label(format!("`{found}` is not {what}"))
    }

    /// The type in which these arguments meet: bool or a number.
    pub(crate) fn meet(&self, which: &[usize]) -> Result<DType, Mistake> {
        for i in which {
            if self.dtype(*i).is_some_and(|d| !is_numeric(d)) {
                return Err(self.wrong(*i, "a number"));
            }
        }
        let typed: Vec<_> =
            which.iter().map(|i| (self.list[*i].0.clone(), self.dtype(*i))).collect();
        promote(&typed).ok_or_else(|| self.wrong(which[0], "a number"))
    }

    /// As [`Arguments::meet`], but a float: bools and integers become float64.
    pub(crate) fn meet_float(&self, which: &[usize]) -> Result<DType, Mistake> {
        Ok(match self.meet(which)? {
            DType::Float32 => DType::Float32,
            _ => DType::Float64,
        })
    }

    /// The type in which these arguments meet, of whatever kind they are.
    pub(crate) fn meet_any(&self, which: &[usize]) -> Result<DType, Mistake> {
        let known: Vec<DType> = which.iter().filter_map(|i| self.dtype(*i)).collect();
        match known.first() {
            Some(first) if !is_numeric(*first) => {
                match which.iter().find(|i| self.dtype(**i).is_some_and(|d| d != *first)) {
                    Some(other) => Err(self.no_common(*first, *other)),
                    None => Ok(*first),
                }
            }
            Some(first) => match which.iter().find(|i| !self.dtype(**i).is_none_or(is_numeric)) {
                Some(other) => Err(self.no_common(*first, *other)),
                None => self.meet(which),
            },
            None => self.meet(which),
        }
    }

    /// Two values of types that do not meet.
    fn no_common(&self, first: DType, other: usize) -> Mistake {
        let name = self.builder.type_name(&self.list[other].0);
        let message = format!("the values are {first} and {name}: one type is needed");
        let error = mismatch(self.list[other].1, message).label(format!("this is {name}"));
        let times = first == DType::Timestamp || name == DType::Timestamp.name();
        Box::new(match times {
            true => error.help("a text is made a time by `timestamp('2024-01-31')`"),
            false => error.help("`null` goes with any type"),
        })
    }

    /// Argument `i`, converted to a type.
    pub(crate) fn cast(&mut self, i: usize, to: DType) -> Built {
        let (operand, span) = self.placed(i);
        self.builder.cast((&operand, span), to)
    }

    /// Argument `i`, which must be of exactly this type (or `null`).
    pub(crate) fn exactly(&mut self, i: usize, dtype: DType) -> Built {
        match self.dtype(i) {
            Some(other) if other != dtype => Err(self.wrong(i, dtype.name())),
            _ => self.cast(i, dtype),
        }
    }

    /// Argument `i`, a literal that means a value of another type.
    pub(crate) fn literal(&mut self, i: usize, to: DType) -> Built {
        let (operand, span) = self.placed(i);
        let value = self.builder.value(&operand).cloned().unwrap_or(Value::Null);
        self.builder.cast((&Operand::Weak(value), span), to)
    }

    /// A node, converted to a type.
    pub(crate) fn convert(&mut self, node: NodeId, to: DType) -> Built {
        self.builder.cast((&Operand::Node(node), self.span), to)
    }

    /// The value of argument `i`, which must be known before the run.
    pub(crate) fn constant(&self, i: usize) -> Result<Value, Mistake> {
        let (operand, span) = &self.list[i];
        self.builder.value(operand).cloned().ok_or_else(|| {
            let message = format!("`{}` needs a constant here", self.function.name);
            let error = Diagnostic::error(Code::NotConstant, *span, message);
            if self.function.name == "timestamp" {
                return Box::new(error.help(
                    "texts of a column cannot be made times: CSV files are read as times where all \
                     values are, and other files hold them",
                ));
            }
            Box::new(error.help(format!("it is called as `{}`", self.function.signature)))
        })
    }

    /// The value of argument `i`, which must be a constant integer of this range.
    pub(crate) fn integer(
        &self,
        i: usize,
        range: std::ops::RangeInclusive<i64>,
    ) -> Result<i64, Mistake> {
        let value = self.constant(i)?;
        value.as_i64().filter(|v| range.contains(v)).ok_or_else(|| {
            let takes = format!("an integer from {} to {}", range.start(), range.end());
            let message = format!("`{}` takes {takes} here", self.function.name);
            mismatch(self.list[i].1, message)
        })
    }

    /// The index of the row in the domain.
    pub(crate) fn index(&mut self) -> NodeId {
        let domain = self.builder.domain;
        self.builder.dag.index(domain)
    }

    /// The result of a kernel that knows nothing of missing values.
    pub(crate) fn apply(&mut self, arguments: &[NodeId], dtype: DType, kernel: Kernel) -> Built {
        self.apply_with(arguments, dtype, kernel, Nulls::Propagate, vec![])
    }

    /// The result of a kernel.
    pub(crate) fn apply_with(
        &mut self,
        arguments: &[NodeId],
        dtype: DType,
        kernel: Kernel,
        nulls: Nulls,
        constants: Vec<Value>,
    ) -> Built {
        let call = Call { name: self.function.name, constants, kernel, nulls };
        self.builder.add(call, arguments, dtype, self.span)
    }

    /// A function of one float.
    pub(crate) fn float1(&mut self, single: impl Unary<f32>, double: impl Unary<f64>) -> Built {
        let dtype = self.meet_float(&[0])?;
        let x = self.cast(0, dtype)?;
        let kernel = if dtype == DType::Float32 { unary(single) } else { unary(double) };
        self.apply(&[x], dtype, kernel)
    }

    /// A function of two floats.
    pub(crate) fn float2(&mut self, single: impl Binary<f32>, double: impl Binary<f64>) -> Built {
        let dtype = self.meet_float(&[0, 1])?;
        let ids = [self.cast(0, dtype)?, self.cast(1, dtype)?];
        let kernel = if dtype == DType::Float32 { binary(single) } else { binary(double) };
        self.apply(&ids, dtype, kernel)
    }

    /// A truth about one float; integers and bools are converted.
    pub(crate) fn test_float(
        &mut self,
        single: impl Fn(f32) -> bool + Send + Sync + 'static,
        double: impl Fn(f64) -> bool + Send + Sync + 'static,
    ) -> Built {
        let dtype = self.meet_float(&[0])?;
        let x = self.cast(0, dtype)?;
        let kernel = if dtype == DType::Float32 { map1(single) } else { map1(double) };
        self.apply(&[x], DType::Bool, kernel)
    }

    /// As an operator between the two arguments.
    pub(crate) fn operator(&mut self, op: crate::BinaryOp) -> Built {
        let (x, y) = (self.placed(0), self.placed(1));
        let (x, y): (Placed, Placed) = ((&x.0, x.1), (&y.0, y.1));
        let out = self.builder.binary(op, x, y, self.span)?;
        self.builder.strong((&out, self.span))
    }
}
