//! Walks an expression: names, calls, and operators through the builder.
use super::arguments::Arguments;
use super::builder::{Builder, Mistake, Operand};
use super::growth::{Argument, Growth, MAX_OPERATIONS, too_large};
use super::{Scope, UserFunction, row_column};
use crate::dag::Dag;
use crate::functions::{self, Function};
use crate::reduce::reduction;
use crate::syntax::{BinaryOp, Expr, ExprKind, MAX_DEPTH, UnaryOp, WORDS, Word};
use base::{Code, DType, Diagnostic, Diagnostics, Field, Span, Value, did_you_mean, synonyms};
use std::collections::HashMap;
use std::sync::Arc;

/// Names that stand for numbers, unless a column or a parameter has them.
pub const CONSTANTS: [(&str, f64); 4] = [
    ("pi", std::f64::consts::PI),
    ("e", std::f64::consts::E),
    ("inf", f64::INFINITY),
    ("nan", f64::NAN),
];

/// A function of the file at work: its place in the list, and what its arguments stand for.
struct Frame<'a> {
    function: &'a UserFunction,
    word: Word,
    arguments: Vec<Option<Operand>>,
}

/// A call of a function of the file: its name, which no two have, and its arguments.
type KnownCall<'a> = (&'a str, Vec<Argument>);

pub(super) struct Checker<'a> {
    pub scope: &'a Scope<'a>,
    pub builder: Builder,
    pub diagnostics: Diagnostics,
    /// What may be meant, but is often taken for something else.
    pub notes: Vec<Diagnostic>,
    /// Whether only constants may stand here.
    constant: bool,
    frames: Vec<Frame<'a>>,
    /// So that a call with the same arguments is checked once.
    known: HashMap<KnownCall<'a>, Option<Operand>>,
    growth: Growth,
    depth: u32,
}

impl<'a> Checker<'a> {
    pub fn new(scope: &'a Scope<'a>, constant: bool) -> Checker<'a> {
        let builder = Builder { dag: Dag::default(), domain: scope.schema.domain.full() };
        Checker {
            scope,
            builder,
            diagnostics: Diagnostics::new(),
            notes: Vec::new(),
            constant,
            frames: Vec::new(),
            known: HashMap::new(),
            growth: Growth::default(),
            depth: 0,
        }
    }

    /// Keeps the value, or the mistake.
    pub fn keep<T>(&mut self, result: Result<T, Mistake>) -> Option<T> {
        result.map_err(|mistake| self.diagnostics.push(*mistake)).ok()
    }

    fn error(&mut self, diagnostic: Diagnostic) -> Option<Operand> {
        self.diagnostics.push(diagnostic);
        None
    }

    /// The operand that an expression is; `None` if it holds a mistake, which is then reported.
    pub fn expr(&mut self, expr: &'a Expr) -> Option<Operand> {
        // Functions of the file may nest as deeply again.
        if self.depth > 2 * MAX_DEPTH {
            let message = "functions that call functions are nested too deeply here";
            return self.error(Diagnostic::error(Code::TooDeep, expr.span, message));
        }
        if self.growth.over || !self.frames.is_empty() && self.grown() {
            return None;
        }
        self.depth += 1;
        let operand = self.inner(expr);
        self.depth -= 1;
        operand
    }

    /// Counts an operation inside of a function; says whether they are too many.
    fn grown(&mut self) -> bool {
        self.growth.seen += 1;
        if self.growth.seen > MAX_OPERATIONS {
            self.refuse_growth(None);
        }
        self.growth.over
    }

    /// Tells of the outermost function at work.
    fn refuse_growth(&mut self, count: Option<u64>) {
        if let Some(frame) = self.frames.first().filter(|_| !self.growth.over) {
            let error = too_large(&frame.word, count, frame.function, frame.word.span);
            self.diagnostics.push(error);
        }
        self.growth.over = true;
    }

    fn inner(&mut self, expr: &'a Expr) -> Option<Operand> {
        match &expr.kind {
            ExprKind::Literal(value) => Some(Operand::Weak(value.clone())),
            ExprKind::Unread => None,
            ExprKind::Name(name) => self.name(name, expr.span),
            ExprKind::Unary(UnaryOp::Neg, x) if is_least(x) => {
                Some(Operand::Weak(Value::Int(i64::MIN)))
            }
            ExprKind::Unary(op, x) => {
                let a = self.expr(x)?;
                let built = self.builder.unary(*op, (&a, x.span), expr.span);
                self.keep(built)
            }
            ExprKind::Binary(op, x, y) => {
                let a = self.expr(x);
                let decided = match op {
                    BinaryOp::And => Some(true),
                    BinaryOp::Or => Some(false),
                    _ => None,
                };
                let b = match decided {
                    Some(decided) => self.branch(y, a.as_ref(), decided),
                    None => self.expr(y),
                };
                let built = self.builder.binary(*op, (&a?, x.span), (&b?, y.span), expr.span);
                let operand = self.keep(built)?;
                if *op == BinaryOp::BitXor && self.builder.dtype(&operand) != Some(DType::Bool) {
                    self.notes.push(xor(expr.span, x, y));
                }
                Some(operand)
            }
            ExprKind::Compare(first, rest) => self.comparison(first, rest),
            ExprKind::Call(word, arguments) => self.call(word, arguments, expr.span),
            ExprKind::If { then, condition, otherwise } => {
                let list = self.arguments([&**condition, then, otherwise], true);
                let list: Option<Vec<_>> = list.into_iter().collect();
                let list = list?;
                if let Some(dtype) = self.builder.dtype(&list[0].0)
                    && dtype != DType::Bool
                {
                    let error = no_condition(dtype, condition);
                    return self.error(error);
                }
                self.built_in(&functions::choose::WHERE, list, expr.span)
            }
        }
    }

    fn comparison(
        &mut self,
        first: &'a Expr,
        rest: &'a [(crate::CompareOp, Expr)],
    ) -> Option<Operand> {
        let mut left = (self.expr(first), first.span);
        let mut all: Option<(Operand, Span)> = None;
        let mut failed = false;
        for (op, next) in rest {
            let right = (self.expr(next), next.span);
            let span = left.1.to(right.1);
            let part = match (&left.0, &right.0) {
                (Some(a), Some(b)) => {
                    let built = self.builder.compare(*op, (a, left.1), (b, right.1), span);
                    self.keep(built)
                }
                _ => None,
            };
            left = right;
            all = match (part, all) {
                (None, all) => {
                    failed = true;
                    all
                }
                (Some(part), None) => Some((part, span)),
                (Some(part), Some((before, start))) => {
                    let whole = start.to(span);
                    let operands = ((&before, start), (&part, span));
                    let built = self.builder.binary(BinaryOp::And, operands.0, operands.1, whole);
                    self.keep(built).map(|o| (o, whole))
                }
            };
        }
        if failed { None } else { all.map(|(operand, _)| operand) }
    }

    fn name(&mut self, name: &str, span: Span) -> Option<Operand> {
        if let Some(frame) = self.frames.last()
            && let Some(i) = frame.function.arguments.iter().position(|a| a == name)
        {
            return frame.arguments[i].clone();
        }
        if let Some(field) = self.scope.schema.field(name) {
            let name: Arc<str> = field.name.clone();
            let node = self.builder.dag.column(name, field.dtype, field.nullable, field.mask);
            return Some(Operand::Node(node));
        }
        if let Some(field) = self.scope.row.iter().find(|f| &*f.name == name) {
            let Field { name, dtype, nullable, mask, .. } = row_column(field);
            return Some(Operand::Node(self.builder.dag.column(name, dtype, nullable, mask)));
        }
        if let Some((_, value)) = self.scope.params.iter().find(|(n, _)| n == name) {
            return Some(Operand::Weak(value.clone()));
        }
        if let Some((_, value)) = CONSTANTS.iter().find(|(n, _)| *n == name) {
            return Some(Operand::Weak(Value::Float(*value)));
        }
        let error = self.unknown_name(name, span);
        self.error(error)
    }

    fn unknown_name(&self, name: &str, span: Span) -> Diagnostic {
        let what = if self.constant { "parameter" } else { "column or parameter" };
        let error = Diagnostic::error(Code::UnknownName, span, format!("no {what} named `{name}`"));
        if functions::function(name).is_some() || reduction(name).is_some() {
            return error.help(format!("`{name}` is a function: write `{name}(…)`"));
        }
        if let Some(help) = synonyms::name(name) {
            return error.help(help);
        }
        let arguments = self.frames.last().into_iter().flat_map(|f| &f.function.arguments);
        let params = self.scope.params.iter().map(|(n, _)| n);
        let own = |name: &str| self.scope.params.iter().any(|(n, _)| n == name);
        let row = self.scope.row.iter().map(|f| &*f.name).filter(|name| !own(name));
        let known = arguments.chain(params).map(String::as_str).chain(row);
        let columns = self.scope.schema.names().filter(|n| !n.starts_with('#'));
        let error = error.maybe_help(match power_sign(name) {
            Some(help) => Some(help),
            None => near(name, known.chain(columns)),
        });
        if self.constant {
            error.label("only parameters and numbers can stand here")
        } else {
            error
        }
    }

    fn call(&mut self, word: &Word, arguments: &'a [Expr], span: Span) -> Option<Operand> {
        let scope = self.scope;
        let own = scope.functions.iter().find(|f| f.name == word.text);
        let chooses = own.is_none() && word.text == functions::choose::WHERE.name;
        let list = self.arguments(arguments, chooses);
        if let Some(function) = own {
            return self.user_function(function, word, list);
        }
        let Some(function) = functions::function(&word.text) else {
            let error = self.unknown_function(word, list.len());
            return self.error(error);
        };
        if !function.arity.contains(&list.len()) {
            let error = wrong_number(word, list.len(), function.signature);
            return self.error(match (function.name, list.len()) {
                ("round", 2) => error.help("to two decimals: `round(x * 100) / 100`"),
                ("log", 2) => {
                    error.help("to another base: `log(x) / log(base)`, `log10(x)`, `log2(x)`")
                }
                ("coalesce", n) if n > 2 => error.help("of more: `coalesce(x, coalesce(y, z))`"),
                ("minimum" | "maximum", n) if n > 2 => {
                    error.help(format!("of more: `{0}(x, {0}(y, z))`", function.name))
                }
                _ => error,
            });
        }
        let list: Option<Vec<_>> = list.into_iter().collect();
        self.built_in(function, list?, span)
    }

    /// The arguments of a call; of `where` only one of two is of use.
    fn arguments(
        &mut self,
        list: impl IntoIterator<Item = &'a Expr>,
        chooses: bool,
    ) -> Vec<Option<(Operand, Span)>> {
        let mut made: Vec<Option<(Operand, Span)>> = Vec::new();
        for (i, x) in list.into_iter().enumerate() {
            let condition = made.first().cloned().flatten().map(|(operand, _)| operand);
            let operand = match chooses && i > 0 {
                true => self.branch(x, condition.as_ref(), i == 1),
                false => self.expr(x),
            };
            made.push(operand.map(|operand| (operand, x.span)));
        }
        made
    }

    /// An expression that is of use only where the condition is `taken`: what its constants meet
    /// is forgotten, unless that is known.
    fn branch(
        &mut self,
        expr: &'a Expr,
        condition: Option<&Operand>,
        taken: bool,
    ) -> Option<Operand> {
        let before = self.builder.dag.folded.len();
        let made = self.expr(expr);
        let known = condition.and_then(|c| self.builder.value(c));
        if known != Some(&Value::Bool(taken)) {
            self.builder.dag.folded.truncate(before);
        }
        made
    }

    fn built_in(
        &mut self,
        function: &'static Function,
        list: Vec<(Operand, Span)>,
        span: Span,
    ) -> Option<Operand> {
        let mut arguments = Arguments { builder: &mut self.builder, function, span, list };
        let built = (function.build)(&mut arguments);
        self.keep(built).map(Operand::Node)
    }

    fn unknown_function(&self, word: &Word, arguments: usize) -> Diagnostic {
        let name = &word.text;
        let both = matches!(name.as_str(), "min" | "max") && arguments > 1;
        if reduction(name).is_some() && !both {
            let message = format!("`{name}` makes one value of many rows");
            return Diagnostic::error(Code::MisplacedReduction, word.span, message)
                .label("a value for each row is expected here")
                .help(format!("use `reduce`, as in `reduce: {{ result: {name}(…) }}`"));
        }
        let error = Diagnostic::error(
            Code::UnknownFunction,
            word.span,
            format!("no function named `{name}`"),
        );
        let instead = match name.as_str() {
            "min" => "write `minimum(x, y)`",
            "max" => "write `maximum(x, y)`",
            constant if CONSTANTS.iter().any(|(n, _)| *n == constant) => {
                return error.help(format!("`{name}` is a number: write `{name}`"));
            }
            _ if synonyms::function(name).is_some() => synonyms::function(name).unwrap_or_default(),
            _ => {
                let own = self.scope.functions.iter().map(|f| f.name.as_str());
                let mut known: Vec<&str> = own.collect();
                functions::names().for_each(|name| known.push(name));
                return error.maybe_help(did_you_mean(name, known));
            }
        };
        error.help(instead)
    }

    fn user_function(
        &mut self,
        function: &'a UserFunction,
        word: &Word,
        list: Vec<Option<(Operand, Span)>>,
    ) -> Option<Operand> {
        if list.len() != function.arguments.len() {
            let signature = format!("{}({})", function.name, function.arguments.join(", "));
            let error = wrong_number(word, list.len(), &signature);
            return self.error(error);
        }
        if self.frames.iter().any(|f| std::ptr::eq(f.function, function)) {
            let message = format!("the function `{}` uses itself", function.name);
            let error = Diagnostic::error(Code::Recursion, word.span, message);
            return self.error(error.help("functions are names for expressions and cannot repeat"));
        }
        let arguments: Vec<Option<Operand>> =
            list.into_iter().map(|a| a.map(|(operand, _)| operand)).collect();
        let key = arguments.iter().map(|a| Argument::of(a.as_ref())).collect();
        let key: KnownCall = (&function.name, key);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        self.frames.push(Frame { function, word: word.clone(), arguments });
        let result = self.expr(&function.body);
        // Of what is inside of others only the whole is told.
        if let (1, Some(Operand::Node(id))) = (self.frames.len(), &result) {
            let size = self.growth.of(&self.builder.dag, *id);
            if size > MAX_OPERATIONS {
                self.refuse_growth(Some(size));
            }
        }
        self.frames.pop();
        self.known.insert(key, result.clone());
        result
    }
}

/// Whether it is 2 to the power of 63, or 1 shifted by 63: an integer only behind a minus.
fn is_least(expr: &Expr) -> bool {
    let ExprKind::Binary(op, x, y) = &expr.kind else { return false };
    let (ExprKind::Literal(Value::Int(x)), ExprKind::Literal(Value::Int(y))) = (&x.kind, &y.kind)
    else {
        return false;
    };
    match op {
        BinaryOp::Pow => u32::try_from(*y).ok().and_then(|y| i128::from(*x).checked_pow(y)),
        BinaryOp::Shl => (0..64).contains(y).then(|| i128::from(*x) << y),
        BinaryOp::Mul => Some(i128::from(*x) * i128::from(*y)),
        _ => None,
    }
    .is_some_and(|value| value == -i128::from(i64::MIN))
}

/// `n ^ 2` of integers.
fn xor(span: Span, x: &Expr, y: &Expr) -> Diagnostic {
    let message = "`^` is exclusive or, bit by bit";
    let error = Diagnostic::note(Code::BitwiseXor, span, message);
    match (&x.kind, &y.kind) {
        (ExprKind::Name(x), ExprKind::Name(_) | ExprKind::Literal(_)) => {
            error.help(format!("for a power write `{x} ** {y}`"))
        }
        _ => error.help("for a power write `x ** y`"),
    }
}

fn no_condition(dtype: DType, condition: &Expr) -> Diagnostic {
    let message = format!("`if` takes a bool, not {dtype}");
    let error = Diagnostic::error(Code::TypeMismatch, condition.span, message)
        .label(format!("this is {dtype}"));
    match (&condition.kind, dtype.is_number()) {
        (ExprKind::Name(name), true) => error.help(format!("compare it: `{name} != 0`")),
        (_, true) => error.help("compare it: `x != 0`"),
        _ => error.help("compare it: `x == y`"),
    }
}

/// `x²` is a name for those who read letters, and a power for those who write it.
fn power_sign(name: &str) -> Option<String> {
    let (base, power) = [('²', 2), ('³', 3)]
        .into_iter()
        .find_map(|(sign, power)| Some((name.strip_suffix(sign)?, power)))?;
    Some(format!("write `{base} ** {power}`"))
}

/// What may be meant. A column that cannot be written in an expression is renamed first.
fn near<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    let known: Vec<&str> = known.collect();
    let writable =
        |n: &str| n.chars().all(|c| c.is_alphanumeric() || c == '_') && !WORDS.contains(&n);
    match base::nearest(name, known.iter().copied()) {
        Some(near) if !writable(near) => Some(format!(
            "the column `{near}` has a name that expressions cannot write: `rename` it first"
        )),
        _ => did_you_mean(name, known),
    }
}

fn wrong_number(word: &Word, number: usize, signature: &str) -> Diagnostic {
    let plural = if number == 1 { "" } else { "s" };
    let message = format!("`{}` does not take {number} argument{plural}", word.text);
    Diagnostic::error(Code::WrongArguments, word.span, message)
        .help(format!("it is called as `{signature}`"))
}
