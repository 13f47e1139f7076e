//! The table of functions. A new one is an entry in a file of its family and two lines here.
mod bits;
mod calendar;
mod casts;
pub(crate) mod choose;
mod digits;
mod division;
mod escape;
mod exponential;
mod extremes;
mod floats;
mod hyperbolic;
mod legendre;
mod nulls;
mod power;
mod random;
mod rounding;
mod sign;
#[cfg(test)]
mod tests;
mod text;
mod trigonometric;

use crate::check::{Arguments, Built};
use base::Entry;
use std::fmt;
use std::ops::RangeInclusive;

/// A function that expressions may call.
pub struct Function {
    /// The name users type.
    pub name: &'static str,
    /// Other names that NumPy or NumExpr have for it.
    pub aliases: &'static [&'static str],
    /// How it is called: `clip(x, low, high)`.
    pub signature: &'static str,
    /// What it does; the first line is a whole sentence.
    pub doc: &'static str,
    /// Expressions and what they are; they run as tests.
    pub examples: &'static [(&'static str, &'static str)],
    /// How many arguments it takes.
    pub arity: RangeInclusive<usize>,
    /// The typing rule, which picks the kernel.
    pub(crate) build: fn(&mut Arguments) -> Built,
}

impl Entry for Function {
    fn name(&self) -> &'static str {
        self.name
    }

    fn doc(&self) -> &'static str {
        self.doc
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.signature)
    }
}

/// The function of this name or alias.
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|f| f.name == name || f.aliases.contains(&name)).copied()
}

/// All names, aliases included.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().flat_map(|f| std::iter::once(f.name).chain(f.aliases.iter().copied()))
}

base::table! {
    /// All functions, sorted by name.
    pub FUNCTIONS: Function = [
        sign::ABS,
        trigonometric::ARCCOS,
        hyperbolic::ARCCOSH,
        trigonometric::ARCSIN,
        hyperbolic::ARCSINH,
        trigonometric::ARCTAN,
        trigonometric::ARCTAN2,
        hyperbolic::ARCTANH,
        casts::BOOL,
        power::CBRT,
        rounding::CEIL,
        extremes::CLIP,
        nulls::COALESCE,
        text::CONTAINS,
        bits::COPYSIGN,
        trigonometric::COS,
        hyperbolic::COSH,
        calendar::DAY,
        calendar::DAYOFYEAR,
        trigonometric::DEGREES,
        text::ENDSWITH,
        escape::ESCAPE_TIME,
        exponential::EXP,
        exponential::EXP2,
        exponential::EXPM1,
        casts::FLOAT32,
        casts::FLOAT64,
        rounding::FLOOR,
        extremes::FMAX,
        extremes::FMIN,
        division::FMOD,
        digits::HAS_DIGITS,
        calendar::HOUR,
        trigonometric::HYPOT,
        casts::INT32,
        casts::INT64,
        floats::ISFINITE,
        floats::ISINF,
        floats::ISNAN,
        nulls::ISNULL,
        text::LEN,
        exponential::LOG,
        exponential::LOG10,
        exponential::LOG1P,
        exponential::LOG2,
        text::LOWER,
        legendre::LPMV,
        extremes::MAXIMUM,
        extremes::MINIMUM,
        calendar::MINUTE,
        division::MOD,
        calendar::MONTH,
        bits::NEXTAFTER,
        bits::ONES_LIKE,
        power::POWER,
        trigonometric::RADIANS,
        random::RANDOM,
        rounding::RINT,
        rounding::ROUND,
        calendar::SECOND,
        sign::SIGN,
        bits::SIGNBIT,
        trigonometric::SIN,
        hyperbolic::SINH,
        power::SQRT,
        text::STARTSWITH,
        trigonometric::TAN,
        hyperbolic::TANH,
        casts::TIMESTAMP,
        rounding::TRUNC,
        text::UPPER,
        choose::WHERE,
        calendar::YEAR,
    ]
}
