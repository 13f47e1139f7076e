//! Text → tokens, each with its bytes.
use super::{foreign, number};
use base::{Code, Diagnostic, Text, Value};
use std::ops::Range;

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A number or a string.
    Literal(Value),
    /// A name or a word such as `and`.
    Word,
    /// An operator, a parenthesis or a comma.
    Symbol(&'static str),
    /// The end of the text.
    End,
}

/// A token and where it stands in the text.
#[derive(Clone, Debug)]
pub struct Token {
    pub kind: Kind,
    pub bytes: Range<usize>,
}

/// Symbols, the longer before their beginnings.
const SYMBOLS: [&str; 23] = [
    "**", "//", "<<", ">>", "<=", ">=", "==", "!=", "+", "-", "*", "/", "%", "<", ">", "&", "|",
    "^", "~", "(", ")", ",", "[",
];

/// What users of other languages write, and how it is written here.
const FOREIGN: [(&str, &str); 21] = [
    ("===", "write `==`"),
    ("!==", "write `!=`"),
    ("**=", "an expression gives a value: write `x ** 2`"),
    ("+=", "an expression gives a value: write `x + 1`"),
    ("-=", "an expression gives a value: write `x - 1`"),
    ("*=", "an expression gives a value: write `x * 2`"),
    ("/=", "an expression gives a value: write `x / 2`"),
    ("::", "write the type as a function: `int64(x)`"),
    (":=", "an expression gives a value: its name stands before it, as in `map: { y: x + 1 }`"),
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("=>", "write `>=`"),
    ("=<", "write `<=`"),
    ("<>", "write `!=`"),
    ("=", "write `==` to compare"),
    ("!", "write `not x`, or `x != y`"),
    ("?", "write `a if condition else b`"),
    (":", "slices are not part of expressions"),
    (";", "one expression stands here"),
    ("{", "sets and mappings are not part of expressions"),
    ("}", "sets and mappings are not part of expressions"),
];

/// The tokens of `text[bytes]`, ending with [`Kind::End`].
pub fn tokens(text: &Text, bytes: Range<usize>) -> Result<Vec<Token>, Diagnostic> {
    let mut lexer = Lexer { text, all: &text.text[..bytes.end], at: bytes.start };
    let mut out = Vec::new();
    loop {
        let token = lexer.next()?;
        let end = token.kind == Kind::End;
        out.push(token);
        if end {
            return Ok(out);
        }
    }
}

struct Lexer<'a> {
    text: &'a Text,
    all: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Result<Token, Diagnostic> {
        self.at += self.rest().len() - self.rest().trim_start().len();
        let start = self.at;
        let kind = match self.rest().chars().next() {
            None => Kind::End,
            Some(c) if c.is_alphabetic() || c == '_' => self.word(),
            Some(c) if c.is_ascii_digit() => self.number()?,
            Some('.') if self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                self.number()?
            }
            Some(quote @ ('\'' | '"')) => self.string(quote)?,
            Some(c) => self.symbol(c)?,
        };
        Ok(Token { kind, bytes: start..self.at })
    }

    fn rest(&self) -> &str {
        &self.all[self.at..]
    }

    fn word(&mut self) -> Kind {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        self.at += end;
        Kind::Word
    }

    fn number(&mut self) -> Result<Kind, Diagnostic> {
        let length = number::length(self.rest());
        let word = &self.rest()[..length];
        let span = self.text.span(self.at, self.at + length);
        if word == number::BELOW_LEAST && self.behind_sign() {
            self.at += length;
            return Ok(Kind::Literal(Value::Int(i64::MIN)));
        }
        let value = number::value(word).map_err(|mistake| {
            let error = Diagnostic::error(mistake.code, span, mistake.message);
            let before = &self.all[..self.at];
            error.help(number::apart(before, word).unwrap_or(mistake.help))
        })?;
        self.at += length;
        Ok(Kind::Literal(value))
    }

    /// Whether a minus stands before, and before that no value that it takes something from.
    fn behind_sign(&self) -> bool {
        let Some(before) = self.all[..self.at].trim_end().strip_suffix('-') else { return false };
        let before = before.trim_end();
        let word = before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next();
        match before.chars().next_back() {
            None => true,
            Some(c) if c.is_alphanumeric() || c == '_' => {
                word.is_some_and(|word| super::parser::WORDS.contains(&word))
            }
            Some(c) => !matches!(c, ')' | '\'' | '"'),
        }
    }

    fn string(&mut self, quote: char) -> Result<Kind, Diagnostic> {
        let start = self.at;
        let mut out = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((i, c)) = chars.next() {
            if c == quote {
                self.at += i + 1;
                return Ok(Kind::Literal(Value::Str(out)));
            }
            if c != '\\' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some((_, c @ ('\\' | '\'' | '"'))) => out.push(c),
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                other => {
                    let end = start + other.map_or(i + 1, |(j, c)| j + c.len_utf8());
                    let span = self.text.span(start + i, end);
                    return Err(Diagnostic::error(Code::BadLiteral, span, "unknown escape")
                        .help(r#"there are: \\ \' \" \n \t"#));
                }
            }
        }
        let span = self.text.span(start, self.all.len());
        Err(Diagnostic::error(Code::ExprSyntax, span, "the string does not end")
            .label(format!("a closing {quote} is missing")))
    }

    fn symbol(&mut self, first: char) -> Result<Kind, Diagnostic> {
        let rest = self.rest();
        let known = SYMBOLS.into_iter().find(|s| rest.starts_with(s));
        let foreign = FOREIGN.into_iter().find(|(s, _)| rest.starts_with(s));
        match (known, foreign) {
            (known, Some((s, help))) if known.is_none_or(|k| k.len() < s.len()) => {
                Err(self.unexpected(s.len(), s).help(foreign::help(self.all, self.at, s, help)))
            }
            (Some("["), _) => {
                Err(self.unexpected(1, "[").help(foreign::bracket(self.all, self.at)))
            }
            (Some(symbol), _) => {
                self.at += symbol.len();
                Ok(Kind::Symbol(symbol))
            }
            _ if first == '.' => {
                Err(self.unexpected(1, ".").help(foreign::point(self.all, self.at)))
            }
            _ => Err(self
                .unexpected(first.len_utf8(), &first.to_string())
                .maybe_help(foreign::sign(self.all, self.at, first))),
        }
    }

    fn unexpected(&self, length: usize, what: &str) -> Diagnostic {
        let span = self.text.span(self.at, self.at + length);
        Diagnostic::error(Code::ExprSyntax, span, format!("`{what}` has no meaning here"))
    }
}
