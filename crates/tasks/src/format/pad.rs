//! What a written value is filled up with, and where.
use super::spec::Spec;

/// A written number, in parts: `-`, `0x`, `12345`, `.5e+06`.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) sign: Option<char>,
    pub(super) prefix: &'static str,
    /// Those that may be grouped.
    pub(super) digits: String,
    pub(super) rest: String,
}

/// Writes a number.
pub(super) fn number(spec: &Spec, parts: &Parts, size: usize, out: &mut String) {
    let align = spec.align.unwrap_or(if spec.zero { '=' } else { '>' });
    let fixed = usize::from(parts.sign.is_some()) + parts.prefix.len() + parts.rest.chars().count();
    let zeros = spec.filler() == '0' && align == '=';
    let least = if zeros { spec.width.saturating_sub(fixed) } else { 0 };
    let digits = grouped(&parts.digits, spec.group, size, least);
    let missing = spec.width.saturating_sub(fixed + digits.len());
    let (left, inner, right) = match align {
        '<' => (0, 0, missing),
        '=' => (0, missing, 0),
        '^' => (missing / 2, 0, missing - missing / 2),
        _ => (missing, 0, 0),
    };
    fill(spec, left, out);
    out.extend(parts.sign);
    out.push_str(parts.prefix);
    fill(spec, inner, out);
    out.push_str(&digits);
    out.push_str(&parts.rest);
    fill(spec, right, out);
}

/// Digits in groups of `size`, with zeros before them until they are `least` wide. A separator never
/// comes first, so that they may become one wider.
fn grouped(digits: &str, group: Option<char>, size: usize, least: usize) -> String {
    if digits.is_empty() {
        return String::new();
    }
    let separators = |n: usize| if group.is_some() { (n - 1) / size } else { 0 };
    let mut n = digits.len();
    while n + separators(n) < least {
        n += 1;
    }
    let padded = std::iter::repeat_n('0', n - digits.len()).chain(digits.chars());
    let mut out = String::with_capacity(n + separators(n));
    for (i, digit) in padded.enumerate() {
        if let Some(group) = group.filter(|_| i > 0 && (n - i).is_multiple_of(size)) {
            out.push(group);
        }
        out.push(digit);
    }
    out
}

/// Writes a text.
///
/// # Errors
/// If the specification is one for numbers.
pub(super) fn text(spec: &Spec, text: &str, out: &mut String) -> Result<(), String> {
    let numeric = [
        (spec.kind.is_some_and(|k| k != 's'), "a type of numbers"),
        (spec.sign.is_some(), "a sign"),
        (spec.no_minus_zero, "`z`"),
        (spec.alternate, "`#`"),
        (spec.group.is_some(), "separators"),
        (spec.align == Some('='), "the alignment `=`"),
    ];
    if let Some((_, what)) = numeric.iter().find(|(is, _)| *is) {
        return Err(format!(
            "the value is a text, and its format has {what}, which only numbers have"
        ));
    }
    let count = text.chars().count();
    let kept = spec.precision.unwrap_or(count).min(count);
    let missing = spec.width.saturating_sub(kept);
    let left = match spec.align {
        Some('>') => missing,
        Some('^') => missing / 2,
        _ => 0,
    };
    fill(spec, left, out);
    out.extend(text.chars().take(kept));
    fill(spec, missing - left, out);
    Ok(())
}

fn fill(spec: &Spec, count: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(spec.filler(), count));
}
