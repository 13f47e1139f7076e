//! Walks an expression: names, calls, and operators through the builder.
use super::arguments::Arguments;
use super::builder::{Builder, Mistake, Operand};
use super::{Scope, UserFunction};
use crate::dag::Dag;
use crate::functions::{self, Function};
use crate::reduce::reduction;
use crate::syntax::{BinaryOp, Expr, ExprKind, MAX_DEPTH, Word};
use base::{Code, Diagnostic, Diagnostics, Span, Value, did_you_mean};
use std::sync::Arc;

/// Names that stand for numbers, unless a column or a parameter has them.
const CONSTANTS: [(&str, f64); 4] = [
    ("pi", std::f64::consts::PI),
    ("e", std::f64::consts::E),
    ("inf", f64::INFINITY),
    ("nan", f64::NAN),
];

/// A function of the file at work: its place in the list, and what its arguments stand for.
struct Frame<'a> {
    function: &'a UserFunction,
    arguments: Vec<Option<Operand>>,
}

/// What a call of a function of the file became.
struct Known<'a> {
    function: &'a UserFunction,
    arguments: Vec<Option<Operand>>,
    result: Option<Operand>,
}

pub(super) struct Checker<'a> {
    pub scope: &'a Scope<'a>,
    pub builder: Builder,
    pub diagnostics: Diagnostics,
    /// Whether only constants may stand here.
    constant: bool,
    frames: Vec<Frame<'a>>,
    /// So that a call with the same arguments is checked once.
    known: Vec<Known<'a>>,
    depth: u32,
}

impl<'a> Checker<'a> {
    pub fn new(scope: &'a Scope<'a>, constant: bool) -> Checker<'a> {
        let builder = Builder { dag: Dag::default(), domain: scope.schema.domain.full() };
        Checker {
            scope,
            builder,
            diagnostics: Diagnostics::new(),
            constant,
            frames: Vec::new(),
            known: Vec::new(),
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
        self.depth += 1;
        let operand = self.inner(expr);
        self.depth -= 1;
        operand
    }

    fn inner(&mut self, expr: &'a Expr) -> Option<Operand> {
        match &expr.kind {
            ExprKind::Literal(value) => Some(Operand::Weak(value.clone())),
            ExprKind::Name(name) => self.name(name, expr.span),
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
                self.keep(built)
            }
            ExprKind::Compare(first, rest) => self.comparison(first, rest),
            ExprKind::Call(word, arguments) => self.call(word, arguments, expr.span),
            ExprKind::If { then, condition, otherwise } => {
                let list = self.arguments([&**condition, then, otherwise], true);
                let list: Option<Vec<_>> = list.into_iter().collect();
                self.built_in(&functions::choose::WHERE, list?, expr.span)
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
        let arguments = self.frames.last().into_iter().flat_map(|f| &f.function.arguments);
        let params = self.scope.params.iter().map(|(n, _)| n);
        let known = arguments.chain(params).map(String::as_str);
        let error = error.maybe_help(did_you_mean(name, known.chain(self.scope.schema.names())));
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
            let error = self.unknown_function(word);
            return self.error(error);
        };
        if !function.arity.contains(&list.len()) {
            let error = wrong_number(word, list.len(), function.signature);
            return self.error(error);
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

    fn unknown_function(&self, word: &Word) -> Diagnostic {
        let name = &word.text;
        if reduction(name).is_some() {
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
            "ln" => "write `log(x)`",
            "pow" => "write `x ** y`",
            "float" => "write `float64(x)`",
            "int" => "write `int64(x)`",
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
        let same = |k: &&Known| std::ptr::eq(k.function, function) && k.arguments == arguments;
        if let Some(known) = self.known.iter().find(same) {
            return known.result.clone();
        }
        self.frames.push(Frame { function, arguments: arguments.clone() });
        let result = self.expr(&function.body);
        self.frames.pop();
        self.known.push(Known { function, arguments, result: result.clone() });
        result
    }
}

fn wrong_number(word: &Word, number: usize, signature: &str) -> Diagnostic {
    let plural = if number == 1 { "" } else { "s" };
    let message = format!("`{}` does not take {number} argument{plural}", word.text);
    Diagnostic::error(Code::WrongArguments, word.span, message)
        .help(format!("it is called as `{signature}`"))
}
