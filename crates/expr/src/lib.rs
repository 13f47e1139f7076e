//! Expressions: parse → check → optimise → block program → kernels; and exact reductions.
//!
//! | module | what it is for |
//! |---|---|
//! | `syntax` | text → tree, with places; tree → text |
//! | `check` | names, types, reductions inside expressions |
//! | `functions` | the table of functions, one file per family |
//! | `dag` | checked expressions: a graph without common subexpressions |
//! | `exceptions` | operations whose result is not what arithmetic says, such as `x // 0` |
//! | `kernels` | blocks of values in, a block of values out |
//! | `isa` | the instruction set they run with |
//! | `prune` | ranges that never make what a filter drops |
//! | `program` | the fused pass over tiles |
//! | `reduce`, `exact` | the table of reductions, and sums that are exact |

mod check;
mod dag;
pub mod exact;
mod exceptions;
mod functions;
pub mod isa;
mod kernels;
mod program;
mod prune;
pub mod reduce;
mod syntax;
#[cfg(test)]
mod tests;
mod values;

pub use check::{
    Arguments, CONSTANTS, MAX_OPERATIONS, Names, Reduced, ReductionCall, Scope, UserFunction,
    check, common_type, constant, row_column, split_reductions,
};
pub use dag::{ColumnTest, Conjunct, Test, Typed};
pub use exceptions::Exception;
pub use functions::{FUNCTIONS, Function, function};
pub use kernels::math;
pub use kernels::{digits::Needle, select::select};
pub use program::{Block, Checks, Given, NodeReport, Place, Program, ProgramReport, Runner, Step};
pub use prune::{Counter, Selector};
pub use syntax::{
    BinaryOp, CompareOp, Expr, ExprKind, MAX_DEPTH, UnaryOp, Word, number, parse, parse_part,
};
pub use values::{Groups, Indices, Validity, Values};
