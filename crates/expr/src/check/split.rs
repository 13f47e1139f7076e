//! Reductions inside expressions: `sqrt(sum(x**2) / count())` is two reductions and what is
//! computed of their results.
use super::checker::CONSTANTS;
use super::inline::{inline, reduction_of};
use super::names::Names;
use super::promote::common_type;
use super::{Scope, check, constant};
use crate::dag::Typed;
use crate::functions;
use crate::reduce::{REDUCTIONS, Reduction};
use crate::syntax::{Expr, ExprKind, Word};
use base::{
    Code, DType, Diagnostic, Diagnostics, Field, Schema, Span, Value, did_you_mean, synonyms,
};
use std::collections::HashMap;
use std::fmt;

/// Reductions that have a value for no rows at all.
const NEVER_EMPTY: [&str; 6] = ["count", "dot", "sum", "prod", "any", "all"];

/// One reduction over columns.
#[derive(Clone)]
pub struct ReductionCall {
    /// The entry of the table.
    pub reduction: &'static dyn Reduction,
    /// What is reduced, checked against the schema of the input, all of one type; `count()` has
    /// none.
    pub columns: Vec<Typed>,
    /// The other arguments.
    pub constants: Vec<Value>,
    /// The type of the result.
    pub dtype: DType,
    /// Whether the result may be missing.
    pub nullable: bool,
    /// The name of the column of results, see [`Names`].
    pub name: String,
    /// As it is printed by `explain`.
    pub text: String,
    /// Where it stands first in the pipeline file.
    pub span: Span,
}

impl fmt::Debug for ReductionCall {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {} = {}", self.name, self.dtype, self.text)
    }
}

/// Expressions over reductions, taken apart.
#[derive(Clone, Debug)]
pub struct Reduced {
    /// The distinct reductions: each is computed once.
    pub calls: Vec<ReductionCall>,
    /// The columns that the outputs are computed of: the keys, then the results of the calls.
    pub schema: Schema,
    /// For each expression, what is computed of keys and results.
    pub outputs: Vec<Typed>,
}

/// Takes expressions apart into reductions of `scope`'s columns and what is made of the results.
/// `keys` is the schema of the result without the reductions: the key columns, and the domain of
/// the groups. Every expression may use keys outside of reductions, and no other columns.
///
/// # Errors
/// Every mistake in them; [`Code::MisplacedReduction`] for a reduction inside a reduction and
/// for a column outside of all.
pub fn split_reductions(
    exprs: &[Expr],
    scope: &Scope,
    keys: &Schema,
) -> Result<Reduced, Vec<Diagnostic>> {
    let (calls, known, mistakes) = (Vec::new(), HashMap::new(), Diagnostics::new());
    let names = Names::new(scope.schema, keys);
    let mut splitter = Splitter { scope, keys, names, calls, known, mistakes };
    let finishes: Vec<Option<Expr>> = exprs.iter().map(|e| splitter.replace(e)).collect();
    let mut schema = keys.clone();
    for call in &splitter.calls {
        let mask = keys.domain.full();
        let field = Field::new(call.name.as_str(), call.dtype, mask);
        schema.fields.push(Field { nullable: call.nullable, ..field });
    }
    let mut mistakes = splitter.mistakes;
    let finish = Scope { schema: &schema, ..*scope };
    let mut outputs = Vec::new();
    for expr in finishes.into_iter().flatten() {
        outputs.extend(mistakes.take(check(&expr, &finish)));
    }
    if mistakes.has_errors() {
        return Err(mistakes.sorted());
    }
    Ok(Reduced { calls: splitter.calls, schema, outputs })
}

struct Splitter<'a> {
    scope: &'a Scope<'a>,
    keys: &'a Schema,
    names: Names,
    calls: Vec<ReductionCall>,
    /// The place of a call among them, by its text.
    known: HashMap<String, usize>,
    mistakes: Diagnostics,
}

impl Splitter<'_> {
    /// The expression with the names of results in the place of reductions.
    fn replace(&mut self, expr: &Expr) -> Option<Expr> {
        let inlined = self.mistakes.take(inline(expr, self.scope));
        self.outside(&inlined?)
    }

    fn outside(&mut self, expr: &Expr) -> Option<Expr> {
        if let ExprKind::Name(name) = &expr.kind {
            return self.bare(name, expr.span).then(|| expr.clone());
        }
        if let ExprKind::Call(word, arguments) = &expr.kind
            && let Some(reduction) = self.reduction(&word.text)
        {
            let name = self.call(reduction, word, arguments, expr.span)?;
            return Some(Expr { kind: ExprKind::Name(name), span: expr.span });
        }
        if let ExprKind::Call(word, _) = &expr.kind
            && !self.is_function(&word.text)
        {
            self.unknown_function(word);
            return None;
        }
        let mut failed = false;
        let new = map_children(expr, &mut |child| {
            let new = self.outside(child);
            failed |= new.is_none();
            new.unwrap_or_else(|| child.clone())
        });
        (!failed).then_some(new)
    }

    fn reduction(&self, name: &str) -> Option<&'static dyn Reduction> {
        reduction_of(self.scope, name)
    }

    fn is_function(&self, name: &str) -> bool {
        functions::function(name).is_some() || self.scope.functions.iter().any(|f| f.name == name)
    }

    fn unknown_function(&mut self, word: &Word) {
        let name = &word.text;
        if let Some(help) = synonyms::function(name) {
            let message = format!("no function or reduction named `{name}`");
            let error = Diagnostic::error(Code::UnknownFunction, word.span, message);
            self.mistakes.push(error.help(help));
            return;
        }
        let message = format!("no function or reduction named `{name}`");
        let mut known: Vec<&str> = REDUCTIONS.iter().map(|r| r.name()).collect();
        functions::names().for_each(|name| known.push(name));
        self.scope.functions.iter().for_each(|f| known.push(&f.name));
        let error = Diagnostic::error(Code::UnknownFunction, word.span, message);
        self.mistakes.push(error.maybe_help(did_you_mean(name, known)));
    }

    /// Whether a name may stand outside of reductions.
    fn bare(&mut self, name: &str, span: Span) -> bool {
        if self.keys.field(name).is_some() {
            return true;
        }
        if self.scope.schema.field(name).is_none() {
            let param = self.scope.params.iter().any(|(n, _)| n == name)
                || self.scope.row.iter().any(|f| &*f.name == name);
            if param || CONSTANTS.iter().any(|(n, _)| *n == name) {
                return true;
            }
            // Here, where the columns that are reduced are known.
            self.mistakes
                .extend(check(&bare_name(name, span), self.scope).err().into_iter().flatten());
            return false;
        }
        let message = format!("the column `{name}` has many values here, and one is expected");
        let error = Diagnostic::error(Code::MisplacedReduction, span, message);
        let keys: Vec<&str> = self.keys.names().collect();
        let help = match keys[..] {
            [] => format!("reduce it, such as `mean({name})`"),
            _ => format!("reduce it, such as `mean({name})`, or make it a key: `by: [{name}]`"),
        };
        self.mistakes.push(error.help(help));
        false
    }

    fn call(
        &mut self,
        reduction: &'static dyn Reduction,
        word: &Word,
        arguments: &[Expr],
        span: Span,
    ) -> Option<String> {
        let takes = reduction.signature().split(',').count();
        if arguments.len() > takes {
            self.too_many(reduction, word, arguments.len());
            return None;
        }
        let (columns, rest) = arguments.split_at(arguments.len().min(reduction.columns()));
        let columns: Vec<Option<Typed>> = self.columns(columns);
        let constants: Vec<Option<Value>> =
            rest.iter().map(|e| self.mistakes.take(self.constant(e))).collect();
        let constants: Vec<Value> = constants.into_iter().collect::<Option<_>>()?;
        let columns: Vec<Typed> = columns.into_iter().collect::<Option<_>>()?;
        let lacks = columns.len() < reduction.columns().max(1);
        let result = match columns.len() {
            0 => reduction.result(None, &constants),
            n if lacks => Err(format!(
                "`{}` needs {} columns, not {n}",
                reduction.signature(),
                reduction.columns()
            )),
            _ if columns.iter().any(|c| c.dtype != columns[0].dtype) => {
                let types: Vec<String> = columns.iter().map(|c| c.dtype.to_string()).collect();
                let (signature, types) = (reduction.signature(), types.join(" and "));
                Err(format!("the columns of `{signature}` are {types}, which do not go together"))
            }
            _ => reduction.result(Some(columns[0].dtype), &constants),
        };
        let dtype = match result {
            Ok(dtype) => dtype,
            Err(message) => {
                let code = if lacks { Code::WrongArguments } else { Code::TypeMismatch };
                let span = if lacks { word.span } else { span };
                let error = Diagnostic::error(code, span, message);
                let signature = reduction.signature();
                let text = columns.first().is_some_and(|c| c.dtype == DType::String);
                self.mistakes.push(error.help(match text && !lacks {
                    true => {
                        "of texts there are `count`, `first`, `last` and groups: `by: [x]`".into()
                    }
                    false => format!("it is called as `{signature}`"),
                }));
                return None;
            }
        };
        let text = print(word, &columns, &constants);
        if let Some(known) = self.known.get(&text) {
            return Some(self.calls[*known].name.clone());
        }
        self.known.insert(text.clone(), self.calls.len());
        let name = self.names.result(self.calls.len());
        let column_nullable = columns.iter().any(|c| c.nullable);
        // A group has at least one row, but everything reduced to one row may have none.
        let nullable = reduction.nullable(column_nullable)
            || self.keys.fields.is_empty() && !NEVER_EMPTY.contains(&reduction.name());
        let result = name.clone();
        self.calls.push(ReductionCall {
            reduction,
            columns,
            constants,
            dtype,
            nullable,
            name,
            text,
            span,
        });
        Some(result)
    }

    fn too_many(&mut self, reduction: &dyn Reduction, word: &Word, number: usize) {
        let (name, signature) = (&word.text, reduction.signature());
        let message = format!("`{name}` does not take {number} arguments");
        let help = match name.as_str() {
            "min" | "max" => {
                let both = if name == "min" { "minimum" } else { "maximum" };
                format!("of several columns write `{name}({both}(x, y))`")
            }
            _ if signature.contains(',') => format!("it is called as `{signature}`"),
            _ => format!("a reduction takes one column: write `{name}(x)` for each"),
        };
        let error = Diagnostic::error(Code::WrongArguments, word.span, message);
        self.mistakes.push(error.help(help));
    }

    /// The columns of a reduction, as the type in which they meet if there is one.
    fn columns(&mut self, exprs: &[Expr]) -> Vec<Option<Typed>> {
        let columns = exprs.iter().map(|e| self.mistakes.take(self.inside(e)));
        let columns: Vec<Option<Typed>> = columns.collect();
        let mut types = columns.iter().flatten().map(|c| c.dtype);
        let first = types.next();
        let Some(common) = types.fold(first, |a, b| common_type(a?, b)) else { return columns };
        let cast = |(column, expr): (Option<Typed>, &Expr)| {
            let column = column?;
            if column.dtype == common {
                return Some(column);
            }
            let word = Word { text: common.to_string(), span: expr.span };
            let kind = ExprKind::Call(word, vec![expr.clone()]);
            self.mistakes.take(check(&Expr { kind, span: expr.span }, self.scope))
        };
        columns.into_iter().zip(exprs).map(cast).collect()
    }

    /// A column of a reduction, which must not hold another.
    fn inside(&self, expr: &Expr) -> Result<Typed, Vec<Diagnostic>> {
        let mut nested = Vec::new();
        expr.visit(&mut |e| {
            if let ExprKind::Call(word, _) = &e.kind
                && self.reduction(&word.text).is_some()
            {
                let message = format!("`{}` stands inside of another reduction", word.text);
                let error = Diagnostic::error(Code::MisplacedReduction, word.span, message);
                nested.push(error.help("reduce twice, in two `reduce` steps"));
            }
        });
        if nested.is_empty() { check(expr, self.scope) } else { Err(nested) }
    }

    fn constant(&self, expr: &Expr) -> Result<Value, Vec<Diagnostic>> {
        let columns: Vec<Diagnostic> = expr
            .names()
            .into_iter()
            .filter(|(name, _)| self.scope.schema.field(name).is_some())
            .map(|(name, span)| {
                let message = format!("the column `{name}` is not known before the run");
                Diagnostic::error(Code::NotConstant, span, message)
            })
            .collect();
        if !columns.is_empty() {
            return Err(columns);
        }
        constant(expr, self.scope.params, self.scope.functions)
    }
}

fn bare_name(name: &str, span: Span) -> Expr {
    Expr { kind: ExprKind::Name(name.to_owned()), span }
}

fn print(word: &Word, columns: &[Typed], constants: &[Value]) -> String {
    let mut parts: Vec<String> = columns.iter().map(Typed::to_string).collect();
    parts.extend(constants.iter().map(super::weak::show));
    format!("{}({})", word.text, parts.join(", "))
}

/// The same node over other children.
pub(super) fn map_children(expr: &Expr, f: &mut dyn FnMut(&Expr) -> Expr) -> Expr {
    let kind = match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Name(_) | ExprKind::Unread => expr.kind.clone(),
        ExprKind::Unary(op, x) => ExprKind::Unary(*op, Box::new(f(x))),
        ExprKind::Binary(op, x, y) => ExprKind::Binary(*op, Box::new(f(x)), Box::new(f(y))),
        ExprKind::Compare(x, rest) => {
            ExprKind::Compare(Box::new(f(x)), rest.iter().map(|(op, y)| (*op, f(y))).collect())
        }
        ExprKind::Call(word, list) => ExprKind::Call(word.clone(), list.iter().map(f).collect()),
        ExprKind::If { then, condition, otherwise } => ExprKind::If {
            then: Box::new(f(then)),
            condition: Box::new(f(condition)),
            otherwise: Box::new(f(otherwise)),
        },
    };
    Expr { kind, span: expr.span }
}
