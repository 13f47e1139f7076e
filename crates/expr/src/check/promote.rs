//! NumPy's promotion of types (NEP 50): literals and parameters are weak and adapt to columns.
use super::builder::Operand;
use base::{DType, Value};

/// The rank among bool, integers and floats; `None` for anything else.
fn rank(dtype: DType) -> Option<u8> {
    match dtype {
        DType::Bool => Some(0),
        DType::Int32 | DType::Int64 => Some(1),
        DType::Float32 | DType::Float64 => Some(2),
        _ => None,
    }
}

/// Whether arithmetic takes it.
pub(super) fn is_numeric(dtype: DType) -> bool {
    rank(dtype).is_some()
}

/// The type in which two columns of these types meet.
fn columns(a: DType, b: DType) -> Option<DType> {
    use DType::*;
    let (low, high) = if rank(a)? <= rank(b)? { (a, b) } else { (b, a) };
    Some(match (low, high) {
        (Bool, other) => other,
        (Int32, Int32) => Int32,
        (Int32 | Int64, Int32 | Int64) => Int64,
        (Float32, Float32) => Float32,
        _ => Float64,
    })
}

/// The type in which two columns meet, one after the other: their own, or that of NumPy's
/// promotion of numbers; `None` if there is none.
pub fn common_type(a: DType, b: DType) -> Option<DType> {
    if a == b { Some(a) } else { columns(a, b) }
}

/// The type that a literal takes beside a column.
fn weak(value: &Value, column: DType) -> Option<DType> {
    let own = value.dtype()?;
    if rank(own)? <= rank(column)? { Some(column) } else { Some(own) }
}

/// The type in which the operands meet, if all are numbers or bools. A missing value takes the
/// type of the others; `dtype` tells the types of nodes.
pub(super) fn promote(operands: &[(Operand, Option<DType>)]) -> Option<DType> {
    let mut strong = None;
    for (operand, dtype) in operands {
        if let (Operand::Node(_), Some(dtype)) = (operand, dtype) {
            rank(*dtype)?;
            strong = Some(strong.map_or(Some(*dtype), |s| columns(s, *dtype))?);
        }
    }
    let mut all = strong;
    for (operand, _) in operands {
        match operand {
            Operand::Node(_) | Operand::Weak(Value::Null) => {}
            Operand::Weak(value) => {
                all = Some(match all {
                    // Literals among themselves have the types that NumPy gives to Python's.
                    None => value.dtype().filter(|d| is_numeric(*d))?,
                    Some(other) => weak(value, other)?,
                });
            }
        }
    }
    all
}

/// Runs the code with `$t` standing for the Rust type of a number's type; anything else is
/// taken as float64.
macro_rules! each_number {
    ($dtype:expr, $t:ident => $code:expr) => {
        match $dtype {
            base::DType::Int32 => {
                type $t = i32;
                $code
            }
            base::DType::Int64 | base::DType::Timestamp => {
                type $t = i64;
                $code
            }
            base::DType::Float32 => {
                type $t = f32;
                $code
            }
            _ => {
                type $t = f64;
                $code
            }
        }
    };
}
pub(crate) use each_number;
