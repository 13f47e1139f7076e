//! Which rows of a block meet an exception, one by one: it runs where there may be one.
use super::Exception;
use crate::Values;
use crate::dag::{Call, Nulls};
use crate::kernels::map::step;
use crate::kernels::{Arg, Element, Kernel, validity_at};
use base::{DType, Failure};
use std::sync::Arc;

/// The call that is true at the rows at which one of the name `operation` meets an exception. Its
/// arguments are the operation's, and last its result if `NanMade` is asked for. It is never
/// missing: what is missing meets nothing.
pub(crate) fn exact(exception: Exception, operation: &str) -> Call {
    let (name, kernel) = match (exception, operation) {
        (Exception::DivisionByZero, _) => ("#zero", rows(|a, i| at(a, 1, i) == 0)),
        (Exception::NegativePower, _) => ("#negative", rows(|a, i| at(a, 1, i) < 0)),
        (Exception::ShiftOutOfRange(of), _) => {
            let bits = super::bits_of(of);
            ("#shift", rows(move |a, i| !(0..bits).contains(&at(a, 1, i))))
        }
        (Exception::NanMade, _) => ("#nan", nan()),
        (Exception::CastSaturated(to), _) => ("#cast", rows(move |a, i| !fits(real(a, i), to))),
        (Exception::Overflow(to), operation) => overflow(to, operation),
    };
    Call { name, constants: vec![], kernel, nulls: Nulls::Never }
}

fn overflow(to: DType, operation: &str) -> (&'static str, Kernel) {
    let wide = move |value: Option<i128>| value.is_none_or(|v| !holds(to, v));
    match operation {
        "+" => ("#+", rows(move |a, i| wide(Some(big(a, 0, i) + big(a, 1, i))))),
        "-" => (
            "#-",
            rows(move |a, i| match a.len() {
                1 => wide(Some(-big(a, 0, i))),
                _ => wide(Some(big(a, 0, i) - big(a, 1, i))),
            }),
        ),
        "*" => ("#*", rows(move |a, i| wide(Some(big(a, 0, i) * big(a, 1, i))))),
        "abs" => ("#abs", rows(move |a, i| wide(Some(big(a, 0, i).abs())))),
        "**" => ("#**", rows(move |a, i| wide(power(big(a, 0, i), at(a, 1, i))))),
        // Only the least integer by -1 does not fit.
        "//" => ("#//", rows(move |a, i| at(a, 1, i) == -1 && wide(Some(-big(a, 0, i))))),
        // A conversion.
        _ => ("#int", rows(move |a, i| wide(Some(big(a, 0, i))))),
    }
}

/// The power of an integer; none if it is beyond all types.
fn power(base: i128, exponent: i64) -> Option<i128> {
    match base {
        0 | 1 => Some(base),
        -1 => Some(if exponent % 2 == 0 { 1 } else { -1 }),
        // Of other bases no negative power is an integer: that is another exception.
        _ if exponent < 0 => Some(0),
        _ => base.checked_pow(u32::try_from(exponent).ok()?),
    }
}

fn holds(to: DType, value: i128) -> bool {
    match to {
        DType::Int32 => i32::try_from(value).is_ok(),
        _ => i64::try_from(value).is_ok(),
    }
}

/// Whether a float, without its fraction, is in the integer type.
pub(super) fn fits(x: f64, to: DType) -> bool {
    match to {
        DType::Int32 => x > -2_147_483_649.0 && x < 2_147_483_648.0,
        // 2^63; there is no float just below -2^63 that is cut off to it.
        _ => (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x),
    }
}

/// Integer `i` of an argument.
fn at(arguments: &[Arg], argument: usize, i: usize) -> i64 {
    match arguments.get(argument).map(|a| a.values) {
        Some(Values::Int32(v)) => v[if v.len() == 1 { 0 } else { i }].into(),
        Some(Values::Int64(v)) => v[if v.len() == 1 { 0 } else { i }],
        _ => 1,
    }
}

fn big(arguments: &[Arg], argument: usize, i: usize) -> i128 {
    at(arguments, argument, i).into()
}

/// Float `i` of the first argument.
fn real(arguments: &[Arg], i: usize) -> f64 {
    arguments.first().map_or(0.0, |a| float(a, i).unwrap_or(0.0))
}

/// Float `i` of an argument, if that is one of floats.
fn float(argument: &Arg, i: usize) -> Option<f64> {
    match argument.values {
        Values::Float32(v) => Some(v[if v.len() == 1 { 0 } else { i }].into()),
        Values::Float64(v) => Some(v[if v.len() == 1 { 0 } else { i }]),
        _ => None,
    }
}

/// True where all arguments are there and `test` holds.
fn rows(test: impl Fn(&[Arg], usize) -> bool + Send + Sync + 'static) -> Kernel {
    Arc::new(move |arguments, out, len| {
        let out = fill(out, len)?;
        for (i, o) in out.iter_mut().enumerate() {
            *o = test(arguments, i) && arguments.iter().all(|a| validity_at(a, i));
        }
        Ok(())
    })
}

/// True where the last argument is NaN and none of the others is.
fn nan() -> Kernel {
    Arc::new(|arguments, out, len| {
        let out = fill(out, len)?;
        let Some((result, arguments)) = arguments.split_last() else { return Ok(()) };
        let is_nan = |a: &Arg, i| validity_at(a, i) && float(a, i).is_some_and(f64::is_nan);
        for (i, o) in out.iter_mut().enumerate() {
            *o = is_nan(result, i) && !arguments.iter().any(|a| is_nan(a, i));
        }
        Ok(())
    })
}

/// The values to write, none of them missing.
fn fill(out: &mut crate::kernels::Register, len: usize) -> Result<&mut [bool], Failure> {
    out.nullable = false;
    Ok(&mut bool::slice_mut(&mut out.values)?[..len])
}

/// Whether a bool is there and of this value, or (`or_missing`) not there.
pub(crate) fn is(value: bool, or_missing: bool) -> Call {
    let name = match (value, or_missing) {
        (true, false) => "#true",
        (false, false) => "#false",
        (true, true) => "#notfalse",
        (false, true) => "#nottrue",
    };
    let kernel: Kernel = Arc::new(move |arguments, out, len| {
        let out = fill(out, len)?;
        let Some(a) = arguments.first() else { return Ok(()) };
        let values = bool::slice(a.values)?;
        let by = step(values, len);
        for (i, o) in out.iter_mut().enumerate() {
            *o = if validity_at(a, i) { values[i * by] == value } else { or_missing };
        }
        Ok(())
    });
    Call { name, constants: vec![], kernel, nulls: Nulls::Never }
}
