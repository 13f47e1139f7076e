//! The parts of a format specification.
use std::iter::Peekable;
use std::str::Chars;

/// More characters than this are a mistake, and more than the system's formatting can do.
const MOST: usize = 10_000;

/// `[[fill]align][sign][z][#][0][width][,|_][.precision][type]`
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Spec {
    pub(super) fill: Option<char>,
    /// `<`, `>`, `=` or `^`
    pub(super) align: Option<char>,
    /// `+`, `-` or a blank
    pub(super) sign: Option<char>,
    /// No minus before a zero.
    pub(super) no_minus_zero: bool,
    pub(super) alternate: bool,
    /// A zero before the width.
    pub(super) zero: bool,
    pub(super) width: usize,
    /// `,` or `_`
    pub(super) group: Option<char>,
    pub(super) precision: Option<usize>,
    pub(super) kind: Option<char>,
}

impl Spec {
    /// Reads one.
    pub(super) fn parse(text: &str) -> Result<Spec, String> {
        let bad = |what: &str| format!("the format `{text}` {what}");
        let mut spec = Spec::default();
        let mut chars = text.chars().peekable();
        spec.align_of(&mut chars);
        spec.sign = chars.next_if(|c| matches!(c, '+' | '-' | ' '));
        spec.no_minus_zero = chars.next_if_eq(&'z').is_some();
        spec.alternate = chars.next_if_eq(&'#').is_some();
        spec.zero = spec.fill.is_none() && chars.next_if_eq(&'0').is_some();
        spec.width = digits(&mut chars).map_err(|()| bad("is too wide"))?.unwrap_or(0);
        spec.group = chars.next_if(|c| matches!(c, ',' | '_'));
        if chars.next_if_eq(&'.').is_some() {
            let precision = digits(&mut chars).map_err(|()| bad("has too many digits"))?;
            spec.precision = Some(precision.ok_or_else(|| bad("lacks the digits behind `.`"))?);
        }
        spec.kind = chars.next();
        match (spec.kind, chars.next()) {
            (Some(c), None) if !"bcdoxXeEfFgG%s".contains(c) => {
                Err(bad(&format!("has no type `{c}`: the types are d b o x X c e E f F g G % s")))
            }
            (_, Some(_)) => Err(bad(
                "cannot be read: it would be `[[fill]align][sign][#][0][width][,][.precision][type]`, \
                 as in Python",
            )),
            (_, None) => Ok(spec),
        }
    }

    /// The alignment, and what stands before it to fill with.
    fn align_of(&mut self, chars: &mut Peekable<Chars>) {
        let is_align = |c: char| matches!(c, '<' | '>' | '=' | '^');
        let mut ahead = chars.clone();
        let (first, second) = (ahead.next(), ahead.next());
        if let (Some(fill), Some(align)) = (first, second.filter(|c| is_align(*c))) {
            (self.fill, self.align) = (Some(fill), Some(align));
            *chars = ahead;
        } else {
            self.align = chars.next_if(|c| is_align(*c));
        }
    }

    /// What fills: a zero before the width is a zero.
    pub(super) fn filler(&self) -> char {
        self.fill.unwrap_or(if self.zero { '0' } else { ' ' })
    }
}

/// A number, if one stands here.
fn digits(chars: &mut Peekable<Chars>) -> Result<Option<usize>, ()> {
    let mut number = None;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        chars.next();
        let longer = number.unwrap_or(0) * 10 + digit as usize;
        number = Some(longer).filter(|n| *n <= MOST);
        number.ok_or(())?;
    }
    Ok(number)
}
