//! The types of operators, and the kernels that compute them.
use super::builder::{Builder, Mistake, Operand, Placed, mismatch};
use super::promote::{each_number, is_numeric, promote};
use super::weak::{self, Exact};
use crate::dag::{Call, NodeId, Nulls, Op};
use crate::exceptions::NEGATIVE;
use crate::kernels::arithmetic::{Integer, Number};
use crate::kernels::divide::Divide;
use crate::kernels::math::apply::binary;
use crate::kernels::math::power::Pow;
use crate::kernels::{Kernel, compare, logic, map1, map2, power};
use crate::syntax::{BinaryOp, CompareOp, UnaryOp};
use base::{Code, DType, Diagnostic, Span, Value};

/// What `&` and `|` make of comparisons without parentheses.
const PARENTHESES: &str =
    "`&` and `|` bind more tightly than comparisons: put parentheses, as in `(a > 1) & (b < 2)`";

impl Builder {
    /// `op x`
    pub fn unary(&mut self, op: UnaryOp, x: Placed, span: Span) -> Result<Operand, Mistake> {
        let dtype = self.dtype(x.0).unwrap_or(DType::Bool);
        if let (Operand::Weak(Value::Int(i)), UnaryOp::Neg) = (x.0, op) {
            return i
                .checked_neg()
                .map(|i| Operand::Weak(Value::Int(i)))
                .ok_or_else(overflow(span));
        }
        let weak = matches!(x.0, Operand::Weak(_));
        let id = self.strong(x)?;
        let node = match (op, dtype) {
            (UnaryOp::Not, DType::Bool) => self.call("not", &[id], dtype, map1(|x: bool| !x), span),
            (UnaryOp::Invert, DType::Bool) => {
                self.call("not", &[id], dtype, map1(|x: bool| !x), span)
            }
            (UnaryOp::Invert, DType::Int32) => {
                self.call("~", &[id], dtype, map1(|x: i32| !x), span)
            }
            (UnaryOp::Invert, DType::Int64) => {
                self.call("~", &[id], dtype, map1(|x: i64| !x), span)
            }
            (UnaryOp::Plus, d) if d.is_number() => Ok(id),
            (UnaryOp::Neg, d) if d.is_number() => {
                let kernel = each_number!(d, T => map1(<T as Number>::neg));
                self.call("-", &[id], dtype, kernel, span)
            }
            _ => return Err(self.wrong_operand(op.symbol(), x, unary_takes(op))),
        }?;
        Ok(self.operand(node, weak))
    }

    /// `x op y`
    pub fn binary(
        &mut self,
        op: BinaryOp,
        x: Placed,
        y: Placed,
        span: Span,
    ) -> Result<Operand, Mistake> {
        if let (Some(a), Some(b)) = (weak_integer(op, x.0, y.0), weak_integer(op, y.0, x.0)) {
            if op == BinaryOp::Div {
                return Ok(Operand::Weak(Value::Float(weak::quotient(a, b))));
            }
            match weak::integers(op, a, b) {
                Exact::Value(i) => return Ok(Operand::Weak(Value::Int(i))),
                Exact::Overflow => return Err(overflow(span)()),
                Exact::Other if op == BinaryOp::Pow => {
                    let float = Operand::Weak(Value::Float(a as f64));
                    return self.binary(op, (&float, x.1), y, span);
                }
                Exact::Other => {}
            }
        }
        let weak = matches!((x.0, y.0), (Operand::Weak(_), Operand::Weak(_)));
        let node = match op {
            BinaryOp::And | BinaryOp::Or => self.logical(op, x, y, span),
            BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor => self.bitwise(op, x, y, span),
            BinaryOp::Shl | BinaryOp::Shr => self.shift(op, x, y, span),
            BinaryOp::Pow => self.power(x, y, span),
            _ => self.arithmetic(op, x, y, span),
        }?;
        Ok(self.operand(node, weak))
    }

    /// Constants that literals make are as weak as they.
    fn operand(&self, node: NodeId, weak: bool) -> Operand {
        match &self.dag.nodes[node].op {
            Op::Constant(value) if weak => Operand::Weak(value.clone()),
            _ => Operand::Node(node),
        }
    }

    /// The type in which numbers meet, and both in that type.
    fn meet(
        &mut self,
        symbol: &str,
        x: Placed,
        y: Placed,
        adjust: impl Fn(DType) -> DType,
    ) -> Result<(DType, [NodeId; 2]), Mistake> {
        for side in [x, y] {
            if self.dtype(side.0).is_some_and(|d| !is_numeric(d)) {
                return Err(self.wrong_operand(symbol, side, "numbers"));
            }
        }
        let typed = |b: &Builder, o: &Operand| (o.clone(), b.dtype(o));
        let dtype = promote(&[typed(self, x.0), typed(self, y.0)]);
        // Only two nulls have no type: the values are missing whatever it is.
        let dtype = adjust(dtype.unwrap_or(DType::Float64));
        Ok((dtype, [self.cast(x, dtype)?, self.cast(y, dtype)?]))
    }

    fn arithmetic(
        &mut self,
        op: BinaryOp,
        x: Placed,
        y: Placed,
        span: Span,
    ) -> Result<NodeId, Mistake> {
        let symbol = op.symbol();
        if op == BinaryOp::Sub && self.both(x, y, DType::Timestamp) {
            let ids = [self.strong(x)?, self.strong(y)?];
            return self.call("-", &ids, DType::Int64, map2(<i64 as Number>::sub), span);
        }
        let adjust = |d: DType| match (op, d) {
            (BinaryOp::Div, d) if !d.is_float() => DType::Float64,
            (BinaryOp::FloorDiv | BinaryOp::Mod, DType::Bool) => DType::Int32,
            (_, d) => d,
        };
        let (dtype, ids) = self.meet(symbol, x, y, adjust)?;
        if dtype == DType::Bool {
            return match op {
                BinaryOp::Add => self.call("|", &ids, dtype, map2(|x: bool, y: bool| x | y), span),
                BinaryOp::Mul => self.call("&", &ids, dtype, map2(|x: bool, y: bool| x & y), span),
                _ => Err(Box::new(
                    mismatch(span, "bools cannot be subtracted")
                        .help("write `x != y`, or `int64(x)`"),
                )),
            };
        }
        let kernel = each_number!(dtype, T => arithmetic_kernel::<T>(op));
        let kernel = match (op, dtype) {
            (BinaryOp::Div, DType::Float32) => map2(|x: f32, y: f32| x / y),
            (BinaryOp::Div, _) => map2(|x: f64, y: f64| x / y),
            (BinaryOp::FloorDiv | BinaryOp::Mod, d) if d.is_integer() => {
                self.division(op, d, y.0).unwrap_or(kernel)
            }
            _ => kernel,
        };
        self.call(symbol, &ids, dtype, kernel, span)
    }

    /// The faster kernel of `x // y` and `x % y` for many constant y.
    fn division(&self, op: BinaryOp, dtype: DType, y: &Operand) -> Option<Kernel> {
        let divisor = self.value(y)?.as_i64()?;
        let [quotient, rest] = match dtype {
            DType::Int32 => <i32 as Divide>::by(divisor)?,
            _ => <i64 as Divide>::by(divisor)?,
        };
        Some(if op == BinaryOp::Mod { rest } else { quotient })
    }

    /// NumPy computes x**2 as x*x, x**0.5 as sqrt(x), x**-1 as 1/x and x**1 as x, and so do we.
    fn power(&mut self, x: Placed, y: Placed, span: Span) -> Result<NodeId, Mistake> {
        let exponent = self.value(y.0).and_then(Value::as_f64);
        let bool_to_int = |d| if d == DType::Bool { DType::Int32 } else { d };
        let (dtype, ids) = self.meet("**", x, y, bool_to_int)?;
        if exponent == Some(2.0) {
            let kernel = each_number!(dtype, T => map2(<T as Number>::mul));
            return self.call("*", &[ids[0], ids[0]], dtype, kernel, span);
        }
        if dtype.is_integer() {
            if exponent.is_some_and(|e| e < 0.0) {
                return Err(Box::new(
                    mismatch(y.1, NEGATIVE)
                        .label("a negative integer")
                        .help("write the exponent or the base as a float, such as `x ** -1.0`"),
                ));
            }
            let kernel = match dtype {
                DType::Int32 => power::integer::<i32>(),
                _ => power::integer::<i64>(),
            };
            return self.call("**", &ids, dtype, kernel, span);
        }
        let single = dtype == DType::Float32;
        match exponent {
            Some(0.5) if single => self.call("sqrt", &ids[..1], dtype, map1(f32::sqrt), span),
            Some(0.5) => self.call("sqrt", &ids[..1], dtype, map1(f64::sqrt), span),
            Some(-1.0) => self.binary_float("/", 1.0, ids[0], dtype, span),
            Some(1.0) => Ok(ids[0]),
            _ if single => self.call("**", &ids, dtype, binary::<f32>(Pow), span),
            _ => self.call("**", &ids, dtype, binary::<f64>(Pow), span),
        }
    }

    fn binary_float(
        &mut self,
        name: &'static str,
        one: f64,
        y: NodeId,
        dtype: DType,
        span: Span,
    ) -> Result<NodeId, Mistake> {
        let one = self.dag.constant(Value::Float(one), dtype);
        let kernel = match dtype {
            DType::Float32 => map2(|x: f32, y: f32| x / y),
            _ => map2(|x: f64, y: f64| x / y),
        };
        self.call(name, &[one, y], dtype, kernel, span)
    }

    fn shift(&mut self, op: BinaryOp, x: Placed, y: Placed, span: Span) -> Result<NodeId, Mistake> {
        let bool_to_int = |d| if d == DType::Bool { DType::Int32 } else { d };
        self.no_floats(op, x, y)?;
        let (dtype, ids) = self.meet(op.symbol(), x, y, bool_to_int)?;
        let kernel = match (op, dtype) {
            (BinaryOp::Shl, DType::Int32) => map2(<i32 as Integer>::shl),
            (BinaryOp::Shl, _) => map2(<i64 as Integer>::shl),
            (_, DType::Int32) => map2(<i32 as Integer>::shr),
            (_, _) => map2(<i64 as Integer>::shr),
        };
        self.call(op.symbol(), &ids, dtype, kernel, span)
    }

    fn no_floats(&self, op: BinaryOp, x: Placed, y: Placed) -> Result<(), Mistake> {
        for side in [x, y] {
            if self.dtype(side.0).is_some_and(|d| !d.is_integer() && d != DType::Bool) {
                let wrong = self.wrong_operand(op.symbol(), side, "integers or bools");
                return Err(match op {
                    BinaryOp::Shl | BinaryOp::Shr => wrong,
                    BinaryOp::BitXor => Box::new(wrong.help("for a power write `x ** y`")),
                    _ => Box::new(wrong.help(PARENTHESES)),
                });
            }
        }
        Ok(())
    }

    fn bitwise(
        &mut self,
        op: BinaryOp,
        x: Placed,
        y: Placed,
        span: Span,
    ) -> Result<NodeId, Mistake> {
        self.no_floats(op, x, y)?;
        let (dtype, ids) = self.meet(op.symbol(), x, y, |d| d)?;
        if dtype == DType::Bool {
            return self.bools(op, ids, span);
        }
        let kernel = match dtype {
            DType::Int32 => bit_kernel::<i32>(op),
            _ => bit_kernel::<i64>(op),
        };
        self.call(op.symbol(), &ids, dtype, kernel, span)
    }

    fn logical(
        &mut self,
        op: BinaryOp,
        x: Placed,
        y: Placed,
        span: Span,
    ) -> Result<NodeId, Mistake> {
        for side in [x, y] {
            if self.dtype(side.0).is_some_and(|d| d != DType::Bool) {
                return Err(self.wrong_operand(op.symbol(), side, "bools"));
            }
        }
        let ids = [self.cast(x, DType::Bool)?, self.cast(y, DType::Bool)?];
        self.bools(op, ids, span)
    }

    fn bools(&mut self, op: BinaryOp, ids: [NodeId; 2], span: Span) -> Result<NodeId, Mistake> {
        let (name, kernel) = match op {
            BinaryOp::And | BinaryOp::BitAnd => ("and", logic::and()),
            BinaryOp::Or | BinaryOp::BitOr => ("or", logic::or()),
            _ => {
                return self.call("^", &ids, DType::Bool, map2(|x: bool, y: bool| x ^ y), span);
            }
        };
        let call = Call { name, constants: vec![], kernel, nulls: Nulls::Any };
        self.add(call, &ids, DType::Bool, span)
    }

    /// `x op y` for a comparison.
    pub fn compare(
        &mut self,
        op: CompareOp,
        x: Placed,
        y: Placed,
        span: Span,
    ) -> Result<Operand, Mistake> {
        for side in [x, y] {
            if *side.0 == Operand::Weak(Value::Null) {
                let error = mismatch(side.1, "what is compared with `null` is missing, never true");
                return Err(Box::new(error.help("write `isnull(x)` or `not isnull(x)`")));
            }
        }
        let weak = matches!((x.0, y.0), (Operand::Weak(_), Operand::Weak(_)));
        let (dtype, ids) = self.comparable(op, x, y, span)?;
        let kernel = match dtype {
            DType::String => compare::compare_strings(op),
            DType::Bool => compare::compare::<bool>(op),
            dtype => each_number!(dtype, T => compare::compare::<T>(op)),
        };
        let node = self.call(op.symbol(), &ids, DType::Bool, kernel, span)?;
        Ok(self.operand(node, weak))
    }

    fn comparable(
        &mut self,
        op: CompareOp,
        x: Placed,
        y: Placed,
        span: Span,
    ) -> Result<(DType, [NodeId; 2]), Mistake> {
        let (a, b) = (self.dtype(x.0), self.dtype(y.0));
        let time = [a, b].contains(&Some(DType::Timestamp));
        // A text that is compared with a time is a time; it must then be a literal.
        let text = |o: &Operand| matches!(o, Operand::Weak(Value::Str(_)));
        if time && (a == b || text(x.0) || text(y.0)) {
            let dtype = DType::Timestamp;
            return Ok((dtype, [self.cast(x, dtype)?, self.cast(y, dtype)?]));
        }
        if a == b && a == Some(DType::String) {
            return Ok((DType::String, [self.strong(x)?, self.strong(y)?]));
        }
        let numeric = |d: Option<DType>| d.is_some_and(is_numeric);
        if !(numeric(a) && numeric(b)) {
            let (a, b) = (self.type_name(x.0), self.type_name(y.0));
            let error = mismatch(span, format!("{a} and {b} cannot be compared"));
            let error = error.other(x.1, a).other(y.1, b);
            let texts = [a, b].contains(&DType::String.name());
            let help = match [a, b].contains(&DType::Timestamp.name()) {
                true if texts => {
                    "a time is compared with a text that is known, such as '2024-01-31'"
                }
                true => "compare `int64(t)`, the microseconds since 1970-01-01, or `year(t)`",
                false if texts => "a text is compared with a text: put quotes around the value",
                false => return Err(Box::new(error)),
            };
            return Err(Box::new(error.help(help)));
        }
        let wide = |b: &Builder, o: &Operand| {
            b.value(o).and_then(Value::as_i64).is_some_and(|i| i32::try_from(i).is_err())
        };
        let wide = wide(self, x.0) || wide(self, y.0);
        let widen = |d| if wide && d == DType::Int32 { DType::Int64 } else { d };
        self.meet(op.symbol(), x, y, widen)
    }

    fn both(&self, x: Placed, y: Placed, dtype: DType) -> bool {
        self.dtype(x.0) == Some(dtype) && self.dtype(y.0) == Some(dtype)
    }

    /// An operand of a type that the operator does not take.
    fn wrong_operand(&self, symbol: &str, (operand, span): Placed, takes: &str) -> Mistake {
        let name = self.type_name(operand);
        let error = mismatch(span, format!("`{symbol}` takes {takes}, not {name}"))
            .label(format!("this is {name}"));
        let help = match (symbol, self.dtype(operand)) {
            ("and" | "or" | "not", Some(d)) if d.is_number() => "compare it: `x != 0`",
            ("+", Some(DType::String)) => "texts cannot be put together",
            ("+" | "-", Some(DType::Timestamp)) => {
                "count in microseconds: `timestamp(int64(t) + 3600 * 1000000)`"
            }
            (_, Some(DType::Timestamp)) => "count in microseconds: `int64(t)`",
            ("+" | "-" | "*" | "/", Some(DType::Bool)) => "convert it: `int64(x)`",
            _ => return Box::new(error),
        };
        Box::new(error.help(help))
    }
}

/// An integer literal, or true or false beside one in arithmetic.
fn weak_integer(op: BinaryOp, operand: &Operand, other: &Operand) -> Option<i64> {
    match (operand, other) {
        (Operand::Weak(Value::Int(i)), Operand::Weak(Value::Int(_))) => Some(*i),
        _ if matches!(op, BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor) => None,
        (Operand::Weak(Value::Int(i)), Operand::Weak(Value::Bool(_))) => Some(*i),
        (Operand::Weak(Value::Bool(b)), Operand::Weak(Value::Int(_))) => Some(i64::from(*b)),
        _ => None,
    }
}

fn unary_takes(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Neg | UnaryOp::Plus => "a number",
        UnaryOp::Invert => "a bool or an integer",
        UnaryOp::Not => "a bool",
    }
}

fn arithmetic_kernel<T: Number>(op: BinaryOp) -> Kernel {
    match op {
        BinaryOp::Add => map2(T::add),
        BinaryOp::Sub => map2(T::sub),
        BinaryOp::Mul => map2(T::mul),
        BinaryOp::FloorDiv => map2(T::floor_div),
        _ => map2(T::modulo),
    }
}

fn bit_kernel<T>(op: BinaryOp) -> Kernel
where
    T: Integer
        + std::ops::BitAnd<Output = T>
        + std::ops::BitOr<Output = T>
        + std::ops::BitXor<Output = T>,
{
    match op {
        BinaryOp::BitAnd => map2(|x: T, y: T| x & y),
        BinaryOp::BitOr => map2(|x: T, y: T| x | y),
        _ => map2(|x: T, y: T| x ^ y),
    }
}

fn overflow(span: Span) -> impl Fn() -> Mistake {
    move || {
        let message = "the integer does not fit into int64";
        Box::new(Diagnostic::error(Code::BadLiteral, span, message).help("write it as a float"))
    }
}
