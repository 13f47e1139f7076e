//! Digits of integers.
use super::Function;
use crate::check::Arguments;
use crate::dag::Nulls;
use crate::kernels::digits::Needle;
use base::{DType, Value};

/// `has_digits(k, digits)`
pub static HAS_DIGITS: Function = Function {
    name: "has_digits",
    aliases: &[],
    signature: "has_digits(k, digits)",
    doc: "Whether the decimal notation of the integer k contains the digits, such as \"9\" or \"42\".\nThe sign is ignored, and there are no leading zeros. The digits are a constant: a string, or an integer.",
    examples: &[
        ("has_digits(1942, '42')", "True"),
        ("has_digits(7, 0)", "False"),
        ("has_digits(0, '0')", "True"),
    ],
    arity: 2..=2,
    build: |a| {
        if !a.dtype(0).is_none_or(DType::is_integer) {
            return Err(a.wrong(0, "an integer"));
        }
        let digits = digits(a)?;
        let k = a.cast(0, DType::Int64)?;
        let needle = Needle::new(&digits).ok_or_else(|| {
            Box::new(a.value(1, "digits", "a string of digits, such as '42'", &digits))
        })?;
        let constants = vec![Value::Str(digits)];
        a.apply_with(&[k], DType::Bool, needle.kernel(), Nulls::Propagate, constants)
    },
};

fn digits(a: &Arguments) -> Result<String, Box<base::Diagnostic>> {
    match a.constant(1)? {
        Value::Str(digits) => Ok(digits),
        number => match number.as_i64() {
            Some(n) if n >= 0 => Ok(n.to_string()),
            _ => Err(a.wrong(1, "a string of digits")),
        },
    }
}
