//! Tree → text: the canonical form, with no parentheses but those needed.
use super::expr::{BinaryOp, Expr, ExprKind, UnaryOp, level};
use base::Value;
use std::fmt::{self, Display, Formatter};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match &self.kind {
            ExprKind::Literal(value) => literal(f, value),
            ExprKind::Name(name) => f.write_str(name),
            ExprKind::Unread => f.write_str("…"),
            ExprKind::Unary(UnaryOp::Not, x) => {
                f.write_str("not ")?;
                child(f, x, level::NOT)
            }
            ExprKind::Unary(op, x) => {
                f.write_str(op.symbol())?;
                child(f, x, level::UNARY)
            }
            ExprKind::Binary(op, x, y) => {
                let (left, right) = match op {
                    BinaryOp::Pow => (level::ATOM, level::UNARY),
                    op => (op.level(), op.level() + 1),
                };
                child(f, x, left)?;
                write!(f, " {} ", op.symbol())?;
                child(f, y, right)
            }
            ExprKind::Compare(first, rest) => {
                child(f, first, level::COMPARE + 1)?;
                for (op, x) in rest {
                    write!(f, " {} ", op.symbol())?;
                    child(f, x, level::COMPARE + 1)?;
                }
                Ok(())
            }
            ExprKind::Call(word, arguments) => {
                write!(f, "{}(", word.text)?;
                for (i, x) in arguments.iter().enumerate() {
                    f.write_str(if i == 0 { "" } else { ", " })?;
                    child(f, x, level::IF)?;
                }
                f.write_str(")")
            }
            ExprKind::If { then, condition, otherwise } => {
                child(f, then, level::OR)?;
                f.write_str(" if ")?;
                child(f, condition, level::OR)?;
                f.write_str(" else ")?;
                child(f, otherwise, level::IF)
            }
        }
    }
}

fn child(f: &mut Formatter, expr: &Expr, min: u8) -> fmt::Result {
    if binds(expr) < min { write!(f, "({expr})") } else { write!(f, "{expr}") }
}

fn binds(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Unary(UnaryOp::Not, _) => level::NOT,
        ExprKind::Literal(Value::Int(i)) if *i < 0 => level::UNARY,
        ExprKind::Unary(..) => level::UNARY,
        ExprKind::Binary(op, ..) => op.level(),
        ExprKind::Compare(..) => level::COMPARE,
        ExprKind::If { .. } => level::IF,
        ExprKind::Literal(_) | ExprKind::Name(_) | ExprKind::Call(..) | ExprKind::Unread => {
            level::ATOM
        }
    }
}

/// A value as it is written in an expression.
pub(crate) fn literal(f: &mut Formatter, value: &Value) -> fmt::Result {
    match value {
        Value::Bool(true) => f.write_str("True"),
        Value::Bool(false) => f.write_str("False"),
        Value::Float(x) if x.is_infinite() => f.write_str(if *x < 0.0 { "-inf" } else { "inf" }),
        Value::Float(x) if x.is_nan() => f.write_str("nan"),
        Value::Str(text) => quoted(f, text),
        other => write!(f, "{other}"),
    }
}

fn quoted(f: &mut Formatter, text: &str) -> fmt::Result {
    f.write_str("'")?;
    for c in text.chars() {
        match c {
            '\\' => f.write_str("\\\\")?,
            '\'' => f.write_str("\\'")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("'")
}
