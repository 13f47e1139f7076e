//! Functions of the file that hold reductions, written out: what they reduce are expressions.
use super::growth::{MAX_OPERATIONS, too_large};
use super::split::map_children;
use super::{Scope, UserFunction};
use crate::functions;
use crate::reduce::{Reduction, reduction};
use crate::syntax::{Expr, ExprKind, MAX_DEPTH, Word};
use base::{Code, Diagnostic, Span};
use std::collections::{HashMap, HashSet};

/// The reduction of this name, unless a function has it.
pub(super) fn reduction_of(scope: &Scope, name: &str) -> Option<&'static dyn Reduction> {
    let own = scope.functions.iter().any(|f| f.name == name);
    if own || functions::function(name).is_some() { None } else { reduction(name) }
}

/// The expression with the bodies of those functions of the file that hold reductions.
pub(super) fn inline(expr: &Expr, scope: &Scope) -> Result<Expr, Vec<Diagnostic>> {
    // Most expressions call none.
    let own = |name: &str| scope.functions.iter().any(|f| f.name == name);
    if !expr.calls().iter().any(|(name, _)| own(name)) {
        return Ok(expr.clone());
    }
    let by_name: HashMap<&str, &UserFunction> =
        scope.functions.iter().map(|f| (f.name.as_str(), f)).collect();
    let reducing = reducing(scope);
    let mut inliner = Inliner { by_name, reducing, open: Vec::new(), made: 0, depth: 0 };
    inliner.expr(expr).map_err(|mistake| vec![*mistake])
}

/// The functions of the file that hold reductions, themselves or through others.
fn reducing<'a>(scope: &Scope<'a>) -> HashSet<&'a str> {
    let mut callers: HashMap<&str, Vec<&'a str>> = HashMap::new();
    let mut found = Vec::new();
    let own: HashSet<&str> = scope.functions.iter().map(|f| f.name.as_str()).collect();
    for function in scope.functions {
        for (name, _) in function.body.calls() {
            if own.contains(name) {
                callers.entry(name).or_default().push(&function.name);
            } else if functions::function(name).is_none() && reduction(name).is_some() {
                found.push(function.name.as_str());
            }
        }
    }
    let mut all = HashSet::new();
    while let Some(name) = found.pop() {
        if all.insert(name) {
            found.extend(callers.get(name).into_iter().flatten().copied());
        }
    }
    all
}

type Made = Result<Expr, Box<Diagnostic>>;

struct Inliner<'a> {
    by_name: HashMap<&'a str, &'a UserFunction>,
    reducing: HashSet<&'a str>,
    /// The calls that are being written out, the outermost first.
    open: Vec<(&'a UserFunction, Word)>,
    /// How many operations were written out.
    made: u64,
    depth: u32,
}

impl Inliner<'_> {
    fn expr(&mut self, expr: &Expr) -> Made {
        if self.depth > 2 * MAX_DEPTH {
            return Err(too_deep(expr.span));
        }
        self.depth += 1;
        let mut failed = None;
        let new = map_children(expr, &mut |child| match self.expr(child) {
            Ok(new) => new,
            Err(mistake) => {
                failed.get_or_insert(mistake);
                child.clone()
            }
        });
        let new = match failed {
            Some(mistake) => Err(mistake),
            None => self.call(new),
        };
        self.depth -= 1;
        new
    }

    /// The body of the function that is called, if it holds reductions.
    fn call(&mut self, expr: Expr) -> Made {
        let ExprKind::Call(word, arguments) = &expr.kind else { return Ok(expr) };
        let Some(function) = self.by_name.get(word.text.as_str()).copied() else {
            return Ok(expr);
        };
        let proper = function.arguments.len() == arguments.len();
        let open = self.open.iter().any(|(f, _)| f.name == function.name);
        if !proper || open || !self.reducing.contains(word.text.as_str()) {
            return Ok(expr);
        }
        self.open.push((function, word.clone()));
        let sizes: Vec<u64> = arguments.iter().map(size).collect();
        let body = self.substitute(&function.body, &function.arguments, arguments, &sizes);
        let body = body.and_then(|body| self.expr(&body));
        self.open.pop();
        body
    }

    fn substitute(
        &mut self,
        expr: &Expr,
        names: &[String],
        values: &[Expr],
        sizes: &[u64],
    ) -> Made {
        let place = match &expr.kind {
            ExprKind::Name(name) => names.iter().position(|n| n == name),
            _ => None,
        };
        self.made += place.map_or(1, |i| sizes[i]);
        if self.made > MAX_OPERATIONS
            && let Some((function, word)) = self.open.first()
        {
            return Err(Box::new(too_large(word, None, function, word.span)));
        }
        if let Some(i) = place {
            return Ok(values[i].clone());
        }
        let mut failed = None;
        let new = map_children(expr, &mut |child| {
            if failed.is_some() {
                return child.clone();
            }
            self.substitute(child, names, values, sizes).unwrap_or_else(|mistake| {
                failed = Some(mistake);
                child.clone()
            })
        });
        failed.map_or(Ok(new), Err)
    }
}

fn size(expr: &Expr) -> u64 {
    let mut count = 0;
    expr.visit(&mut |_| count += 1);
    count
}

fn too_deep(span: Span) -> Box<Diagnostic> {
    let message = "functions that call functions are nested too deeply here";
    Box::new(Diagnostic::error(Code::TooDeep, span, message))
}
