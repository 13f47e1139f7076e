//! The check: names and types, for a schema and parameters; reports all mistakes at once.
mod arguments;
mod builder;
mod checker;
mod growth;
mod inline;
mod names;
mod operators;
mod promote;
mod split;
#[cfg(test)]
mod tests;
pub(crate) mod time;
pub(crate) mod weak;

pub use arguments::Arguments;
pub(crate) use arguments::Built;
pub use checker::CONSTANTS;
pub use growth::MAX_OPERATIONS;
pub use names::Names;
pub use promote::common_type;
pub(crate) use promote::each_number;
pub use split::{Reduced, ReductionCall, split_reductions};

use crate::dag::Typed;
use crate::exceptions::Exception;
use crate::syntax::Expr;
use base::{Code, Diagnostic, DimMask, Field, Schema, Value};
use builder::Operand;
use checker::Checker;

/// A function of the pipeline file: a name for an expression.
#[derive(Clone, Debug)]
pub struct UserFunction {
    /// Its name.
    pub name: String,
    /// The names of its arguments.
    pub arguments: Vec<String>,
    /// The expression, over the arguments and whatever names are known where it is called.
    pub body: Expr,
}

/// What programs call the column `name` of the row that they run for: it has one value, and no
/// step takes it away or gives its name to another.
pub fn row_column(field: &Field) -> Field {
    let name = format!("${{{}}}", field.name);
    Field { nullable: field.nullable, ..Field::new(name, field.dtype, DimMask::SCALAR) }
}

/// Whether a column of a program's input is one of the row that it runs for.
pub(crate) fn is_row_column(field: &Field) -> bool {
    field.mask == DimMask::SCALAR && field.name.starts_with("${") && field.name.ends_with('}')
}

/// The names that an expression may use.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The columns, coordinates included.
    pub schema: &'a Schema,
    /// The columns of the row that all of this is done for, see [`row_column`]; a column hides one
    /// of the same name, and one hides a parameter.
    pub row: &'a [Field],
    /// The parameters and their values.
    pub params: &'a [(String, Value)],
    /// The functions of the pipeline file.
    pub functions: &'a [UserFunction],
}

/// Checks an expression that has a value at every point or row.
///
/// # Errors
/// Every mistake in it.
pub fn check(expr: &Expr, scope: &Scope) -> Result<Typed, Vec<Diagnostic>> {
    let mut checker = Checker::new(scope, false);
    let operand = checker.expr(expr);
    finish(checker, operand, expr)
}

fn finish(
    mut checker: Checker,
    operand: Option<Operand>,
    expr: &Expr,
) -> Result<Typed, Vec<Diagnostic>> {
    let node = operand.and_then(|o| {
        let built = checker.builder.strong((&o, expr.span));
        checker.keep(built)
    });
    match node {
        Some(root) if !checker.diagnostics.has_errors() => {
            let typed = Typed::new(checker.builder.dag.into(), root, expr.span);
            Ok(Typed { notes: checker.notes.into(), ..typed })
        }
        _ => Err(checker.diagnostics.sorted()),
    }
}

/// The value of an expression that needs no columns. Integers stay integers where NumPy keeps
/// them; `1e8` is a float, see [`Value::as_i64`].
///
/// # Errors
/// Every mistake in it; [`Code::NotConstant`] if its value is not known before the run.
pub fn constant(
    expr: &Expr,
    params: &[(String, Value)],
    functions: &[UserFunction],
) -> Result<Value, Vec<Diagnostic>> {
    let schema = Schema::default();
    let scope = Scope { schema: &schema, row: &[], params, functions };
    let mut checker = Checker::new(&scope, true);
    match checker.expr(expr) {
        Some(Operand::Weak(value)) if !checker.diagnostics.has_errors() => Ok(value),
        operand => {
            let typed = finish(checker, operand, expr)?;
            // NaN may be what is meant; of integers there is no such value.
            let met = typed.exceptions().iter().find(|(met, _)| *met != Exception::NanMade);
            if let Some((met, span)) = met {
                let error = Diagnostic::error(Code::BadValue, *span, met.sentence());
                return Err(vec![error.help(met.help())]);
            }
            typed.constant().cloned().ok_or_else(|| {
                let message = "this value is not known before the run";
                vec![Diagnostic::error(Code::NotConstant, expr.span, message)]
            })
        }
    }
}
