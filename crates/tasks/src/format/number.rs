//! Numbers by a format specification, as Python writes them.
use super::pad::{self, Parts};
use super::spec::Spec;

/// A number or a truth value, which Python takes for 0 or 1 here.
#[derive(Clone, Copy)]
pub(super) enum Number {
    Bool(bool),
    Int(i64),
    Float32(f32),
    Float(f64),
}

impl Number {
    /// As Tidemill shows it.
    pub(super) fn shown(self, out: &mut String) {
        match self {
            Number::Bool(b) => out.push_str(if b { "true" } else { "false" }),
            Number::Int(i) => out.push_str(&i.to_string()),
            Number::Float32(x) if x.is_nan() => out.push_str("nan"),
            Number::Float(x) if x.is_nan() => out.push_str("nan"),
            Number::Float32(x) => out.push_str(ryu::Buffer::new().format(x)),
            Number::Float(x) => out.push_str(ryu::Buffer::new().format(x)),
        }
    }

    /// Writes it by a specification.
    ///
    /// # Errors
    /// If the specification does not fit.
    pub(super) fn write(self, spec: &Spec, out: &mut String) -> Result<(), String> {
        let float_kind = spec.kind.is_some_and(|k| "eEfFgG%".contains(k));
        match self {
            Number::Bool(b) if !float_kind => int(spec, i64::from(b), out),
            Number::Int(i) if !float_kind => int(spec, i, out),
            Number::Bool(b) => float(spec, f64::from(u8::from(b)), shortest(0.0), out),
            Number::Int(i) => float(spec, i as f64, shortest(0.0), out),
            Number::Float32(x) => float(spec, x.into(), format!("{:e}", x.abs()), out),
            Number::Float(x) => float(spec, x, shortest(x), out),
        }
    }
}

/// The fewest digits that read back, with an exponent.
fn shortest(x: f64) -> String {
    format!("{:e}", x.abs())
}

fn sign(spec: &Spec, negative: bool) -> Option<char> {
    if negative { Some('-') } else { spec.sign.filter(|s| *s != '-') }
}

fn int(spec: &Spec, i: i64, out: &mut String) -> Result<(), String> {
    let refuse = |what: &str| Err(format!("the value is an integer, and its format has {what}"));
    if spec.precision.is_some() {
        return refuse("a precision, which only floats and texts have");
    }
    if spec.no_minus_zero {
        return refuse("`z`, which only floats have");
    }
    let size = i.unsigned_abs();
    let (prefix, digits, group) = match spec.kind {
        None | Some('d') => ("", size.to_string(), 3),
        Some('b') => ("0b", format!("{size:b}"), 4),
        Some('o') => ("0o", format!("{size:o}"), 4),
        Some('x') => ("0x", format!("{size:x}"), 4),
        Some('X') => ("0X", format!("{size:X}"), 4),
        Some('c') => return character(spec, i, out),
        Some(_) => return refuse("the type `s`, which only texts have"),
    };
    if group == 4 && spec.group == Some(',') {
        return refuse("`,`, which only decimal numbers have: `_` would do");
    }
    let prefix = if spec.alternate { prefix } else { "" };
    let sign = sign(spec, i < 0);
    pad::number(spec, &Parts { sign, prefix, digits, rest: String::new() }, group, out);
    Ok(())
}

/// The character of this number in Unicode.
fn character(spec: &Spec, i: i64, out: &mut String) -> Result<(), String> {
    if spec.sign.is_some() || spec.alternate || spec.group.is_some() {
        return Err("a format of type `c` has no sign, no `#` and no separators".to_owned());
    }
    let c = u32::try_from(i).ok().and_then(char::from_u32);
    let c = c.ok_or_else(|| format!("{i} is the number of no character"))?;
    pad::number(spec, &Parts { rest: c.to_string(), ..Parts::default() }, 3, out);
    Ok(())
}

/// `shortest` has the fewest digits that read back to its size.
fn float(spec: &Spec, x: f64, shortest: String, out: &mut String) -> Result<(), String> {
    if matches!(spec.kind, Some('d' | 'b' | 'o' | 'x' | 'X' | 'c' | 's')) {
        let kind = spec.kind.unwrap_or_default();
        return Err(format!("the value is a float, and its format has the type `{kind}`"));
    }
    let size = x.abs();
    let mut written = match spec.kind.map(|k| k.to_ascii_lowercase()) {
        _ if x.is_nan() => "nan".to_owned(),
        _ if size.is_infinite() => "inf".to_owned(),
        Some('e') => scientific(spec, size),
        Some('f') => fixed(spec, size),
        Some('%') => fixed(spec, size * 100.0),
        Some(_) => general(spec, size, false),
        None if spec.precision.is_some() => general(spec, size, true),
        None => repr(spec, &shortest),
    };
    if spec.kind == Some('%') {
        written.push('%');
    }
    if spec.kind.is_some_and(char::is_uppercase) {
        written.make_ascii_uppercase();
    }
    let zero =
        !written.split(['e', 'E']).next().is_some_and(|m| m.contains(|c| ('1'..='9').contains(&c)));
    let negative = x.is_sign_negative() && !x.is_nan();
    let negative = negative && !(spec.no_minus_zero && zero && x.is_finite());
    let rest = written.split_off(written.bytes().take_while(u8::is_ascii_digit).count());
    let parts = Parts { sign: sign(spec, negative), prefix: "", digits: written, rest };
    pad::number(spec, &parts, 3, out);
    Ok(())
}

fn fixed(spec: &Spec, size: f64) -> String {
    let precision = spec.precision.unwrap_or(6);
    let point = if spec.alternate && precision == 0 { "." } else { "" };
    // A percentage may have become infinite.
    if size.is_infinite() { "inf".to_owned() } else { format!("{size:.precision$}{point}") }
}

fn scientific(spec: &Spec, size: f64) -> String {
    let written = format!("{size:.*e}", spec.precision.unwrap_or(6));
    let (mantissa, exponent) = split(&written);
    let point = if spec.alternate && !mantissa.contains('.') { "." } else { "" };
    format!("{mantissa}{point}{}", power(exponent))
}

/// By significant digits, with an exponent if the number is very large or small. With `whole`, as
/// Python does without a type, a digit always follows the point.
fn general(spec: &Spec, size: f64, whole: bool) -> String {
    let digits = spec.precision.unwrap_or(6).max(1);
    let written = format!("{size:.*e}", digits - 1);
    let (mantissa, exponent) = split(&written);
    let most = digits as i32 - i32::from(whole);
    let exponential = exponent < -4 || exponent >= most;
    let plain = match exponential {
        true => mantissa.to_owned(),
        false => format!("{size:.*}", usize::try_from(digits as i32 - 1 - exponent).unwrap_or(0)),
    };
    let mut plain = match spec.alternate {
        true if !plain.contains('.') => plain + ".",
        false if plain.contains('.') => {
            plain.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => plain,
    };
    if exponential {
        return plain + &power(exponent);
    }
    if whole && plain.ends_with('.') {
        plain.push('0');
    } else if whole && !plain.contains('.') {
        plain.push_str(".0");
    }
    plain
}

/// As Python's `repr` writes it, of `12.5` as `1.25e1`.
fn repr(spec: &Spec, shortest: &str) -> String {
    let (mantissa, exponent) = split(shortest);
    if !(-4..16).contains(&exponent) {
        let point = if spec.alternate && !mantissa.contains('.') { "." } else { "" };
        return format!("{mantissa}{point}{}", power(exponent));
    }
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let Ok(before) = usize::try_from(exponent + 1) else {
        return format!("0.{}{digits}", "0".repeat((-exponent - 1) as usize));
    };
    match digits.split_at_checked(before) {
        Some(("", behind)) => format!("0.{behind}"),
        Some((before, "")) => format!("{before}.0"),
        Some((before, behind)) => format!("{before}.{behind}"),
        None => format!("{digits}{}.0", "0".repeat(before - digits.len())),
    }
}

/// Of `1.5e7` the `1.5` and the 7.
fn split(written: &str) -> (&str, i32) {
    let (mantissa, exponent) = written.split_once('e').unwrap_or((written, "0"));
    (mantissa, exponent.parse().unwrap_or(0))
}

/// `e+07`
fn power(exponent: i32) -> String {
    format!("e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}
