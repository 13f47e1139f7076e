//! Coordinates that are known before the run: ranges, linspace, arange, lists.
use crate::build::Builder;
use crate::yaml::{Kind, Node};
use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray};
use base::{Code, Diagnostic, Span, Text, Value};
use expr::{Expr, ExprKind};
use std::sync::Arc;

/// The most points a single axis of a grid may have: its coordinates are held in memory.
const MAX_AXIS: u64 = 1 << 27;

/// The bounds of a range.
#[derive(Default)]
pub struct Bounds {
    /// The first number.
    pub start: i64,
    /// The last number, or the one after it.
    pub end: i64,
    inclusive: bool,
}

impl Bounds {
    /// How many numbers there are, taking every `step`-th; `None` if more than 2^62.
    pub fn count(&self, step: i64) -> Option<u64> {
        let (start, step) = (i128::from(self.start), i128::from(step));
        let inclusive = i128::from(self.inclusive);
        let span = match step > 0 {
            true => i128::from(self.end) - start + inclusive,
            false => start - i128::from(self.end) + inclusive,
        };
        let count = (span.max(0) + step.abs() - 1) / step.abs();
        u64::try_from(count).ok().filter(|c| *c <= 1 << 62)
    }
}

/// Reads `a..b` or `a..=b`.
pub fn range_bounds(b: &mut Builder, text: &Text) -> Option<Bounds> {
    let Some(dots) = text.text.find("..") else {
        let d = Diagnostic::error(
            Code::BadDomain,
            text.whole(),
            "the bounds of a range are expected here",
        );
        b.error(d.help("write `1..=n` for 1 to n, or `0..n` for 0 to n - 1"));
        return None;
    };
    let inclusive = text.text[dots + 2..].starts_with('=');
    let after = dots + 2 + usize::from(inclusive);
    let start = bound(b, text, 0, dots);
    let end = bound(b, text, after, text.text.len());
    Some(Bounds { start: start?, end: end?, inclusive })
}

fn bound(b: &mut Builder, text: &Text, from: usize, to: usize) -> Option<i64> {
    if text.text[from..to].trim().is_empty() {
        let d = Diagnostic::error(
            Code::BadDomain,
            text.whole(),
            "a range needs a first and a last number",
        );
        b.error(d.help("write `1..=n` for 1 to n, or `0..n` for 0 to n - 1"));
        return None;
    }
    let part = text.slice(from, to);
    let value = b.constant(&part)?;
    match value.as_i64() {
        Some(value) => Some(value),
        None => {
            let large = value.as_f64().is_some_and(|x| x.abs() >= 9.2e18 && x.is_finite());
            let message = match large {
                true => format!("{value} is too large: a range runs over int64"),
                false => format!("a range runs over whole numbers, but this is {value}"),
            };
            b.error(Diagnostic::error(Code::BadDomain, part.whole(), message));
            None
        }
    }
}

/// The coordinates of one dimension of a grid.
pub fn axis(b: &mut Builder, node: &Node) -> Option<ArrayRef> {
    match &node.kind {
        Kind::List(items) => list(b, items, node.span),
        Kind::Scalar(scalar) => {
            let text = scalar.text.clone();
            if text.text.contains("..") {
                return integers(b, &text, node.span);
            }
            let expr = b.diagnostics.take(expr::parse(&text))?;
            call(b, &expr)
        }
        _ => {
            b.error(expected(node.span));
            None
        }
    }
}

fn expected(span: Span) -> Diagnostic {
    Diagnostic::error(Code::BadDomain, span, "the coordinates of a dimension are expected here")
        .help("write `linspace(a, b, n)`, `arange(a, b, step)`, `0..n`, `1..=n` or `[a, b, c]`")
}

fn integers(b: &mut Builder, text: &Text, span: Span) -> Option<ArrayRef> {
    let bounds = range_bounds(b, text)?;
    let count = size(b, bounds.count(1)? as f64, span)?;
    Some(Arc::new(Int64Array::from_iter_values((0..count as i64).map(|i| bounds.start + i))))
}

fn list(b: &mut Builder, items: &[Node], span: Span) -> Option<ArrayRef> {
    let mut values = Vec::new();
    for item in items {
        let scalar = b.scalar(item, "a coordinate is a single value")?;
        match scalar.quoted {
            true => values.push(Value::Str(scalar.text.text.to_string())),
            false => {
                let text = scalar.text.clone();
                values.push(b.constant(&text)?);
            }
        }
    }
    if values.is_empty() {
        b.error(expected(span));
        return None;
    }
    let array: Option<ArrayRef> = if values.iter().all(|v| matches!(v, Value::Int(_))) {
        values
            .iter()
            .map(Value::as_i64)
            .collect::<Option<Vec<_>>>()
            .map(|v| Arc::new(Int64Array::from(v)) as _)
    } else if values.iter().all(|v| matches!(v, Value::Str(_))) {
        Some(Arc::new(StringArray::from_iter_values(values.iter().map(Value::to_string))))
    } else {
        values
            .iter()
            .map(Value::as_f64)
            .collect::<Option<Vec<_>>>()
            .map(|v| Arc::new(Float64Array::from(v)) as _)
    };
    if array.is_none() {
        let d =
            Diagnostic::error(Code::TypeMismatch, span, "coordinates are all numbers or all text");
        b.error(d);
    }
    array
}

/// `linspace(…)` or `arange(…)`, with NumPy's arguments and values.
fn call(b: &mut Builder, expr: &Expr) -> Option<ArrayRef> {
    let ExprKind::Call(name, arguments) = &expr.kind else {
        b.error(expected(expr.span));
        return None;
    };
    let mut values = Vec::new();
    for argument in arguments {
        values.push(b.constant_expr(argument));
    }
    let values: Vec<Value> = values.into_iter().collect::<Option<_>>()?;
    let numbers: Option<Vec<f64>> = values.iter().map(Value::as_f64).collect();
    match (name.text.as_str(), numbers.as_deref()) {
        ("linspace", Some([start, stop, count])) => {
            linspace(b, *start, *stop, *count, arguments[2].span)
        }
        ("arange", Some([stop])) => arange(b, &values, 0.0, *stop, 1.0, expr.span),
        ("arange", Some([start, stop])) => arange(b, &values, *start, *stop, 1.0, expr.span),
        ("arange", Some([start, stop, step])) => {
            arange(b, &values, *start, *stop, *step, expr.span)
        }
        ("linspace" | "arange", _) => {
            let help = match name.text.as_str() {
                "linspace" => "write `linspace(first, last, count)`",
                _ => "write `arange(start, stop, step)`",
            };
            let message = format!("`{}` takes other arguments", name.text);
            b.error(Diagnostic::error(Code::WrongArguments, expr.span, message).help(help));
            None
        }
        _ => {
            let near = base::did_you_mean(&name.text, ["linspace", "arange"]);
            b.error(expected(name.span).maybe_help(near));
            None
        }
    }
}

/// As `numpy.linspace`: `start + i * step`, and the last one exactly `stop`.
fn linspace(b: &mut Builder, start: f64, stop: f64, count: f64, span: Span) -> Option<ArrayRef> {
    if count.fract() != 0.0 || count < 1.0 {
        let message = format!("the number of points is a whole number from 1 on, not {count}");
        b.error(Diagnostic::error(Code::BadDomain, span, message));
        return None;
    }
    let count = size(b, count, span)?;
    let parts = count.saturating_sub(1).max(1) as f64;
    let (delta, step) = (stop - start, (stop - start) / parts);
    let at = |i: usize| match step == 0.0 {
        // So does NumPy where the step underflows.
        true => i as f64 / parts * delta + start,
        false => i as f64 * step + start,
    };
    let mut values: Vec<f64> = (0..count).map(at).collect();
    if count > 1 {
        values[count - 1] = stop;
    }
    Some(Arc::new(Float64Array::from(values)))
}

/// As `numpy.arange`: `start + i * ((start + step) - start)`; integers if all arguments are.
fn arange(
    b: &mut Builder,
    arguments: &[Value],
    start: f64,
    stop: f64,
    step: f64,
    span: Span,
) -> Option<ArrayRef> {
    let count = ((stop - start) / step).ceil();
    if !(count >= 1.0 && count.is_finite()) {
        let message = "this has no points: `arange` goes from start to below stop, by step";
        b.error(Diagnostic::error(Code::BadDomain, span, message));
        return None;
    }
    let count = size(b, count, span)?;
    if arguments.iter().all(|v| matches!(v, Value::Int(_))) {
        let (start, step) = (start as i64, step as i64);
        return Some(Arc::new(Int64Array::from_iter_values(
            (0..count as i64).map(|i| start + i * step),
        )));
    }
    let delta = (start + step) - start;
    Some(Arc::new(Float64Array::from_iter_values((0..count).map(|i| start + i as f64 * delta))))
}

fn size(b: &mut Builder, count: f64, span: Span) -> Option<usize> {
    if count > MAX_AXIS as f64 {
        let message = format!("a dimension of a grid has at most {MAX_AXIS} points, not {count}");
        b.error(
            Diagnostic::error(Code::BadDomain, span, message)
                .help("for more use `range`, whose numbers are never held in memory"),
        );
        return None;
    }
    Some(count as usize)
}
