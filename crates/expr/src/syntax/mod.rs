//! The syntax of expressions: text → tokens → tree, and back to text.
mod expr;
mod foreign;
mod lexer;
mod number;
mod parser;
mod print;
pub(crate) use print::literal;
#[cfg(test)]
mod tests;

pub use expr::{BinaryOp, CompareOp, Expr, ExprKind, UnaryOp, Word};
pub use number::number;
pub(crate) use parser::WORDS;
pub use parser::{MAX_DEPTH, parse, parse_part};
