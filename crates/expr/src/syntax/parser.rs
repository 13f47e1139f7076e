//! Tokens → tree: a Pratt parser of Python's grammar of expressions.
use super::expr::{BinaryOp, CompareOp, Expr, ExprKind, UnaryOp, Word, level};
use super::foreign;
use super::lexer::{Kind, Token, tokens};
use base::{Code, Diagnostic, Span, Text, Value};
use std::ops::Range;

/// How deeply expressions may be nested; long chains of operators count as nested too.
pub const MAX_DEPTH: u32 = 250;

/// Words that cannot be names.
pub const WORDS: [&str; 6] = ["and", "or", "not", "if", "else", "in"];

/// The expression that the whole text holds.
///
/// # Errors
/// The place where the text stops being an expression, and what is expected there.
pub fn parse(text: &Text) -> Result<Expr, Vec<Diagnostic>> {
    parse_part(text, 0..text.text.len())
}

/// The expression that these bytes of the text hold, such as one side of `1..=n`.
///
/// # Errors
/// As [`parse`]; also if the bytes are not within the text.
pub fn parse_part(text: &Text, bytes: Range<usize>) -> Result<Expr, Vec<Diagnostic>> {
    if text.text.get(bytes.clone()).is_none() {
        let message = "the expression lies outside of the text";
        return Err(vec![Diagnostic::error(Code::ExprSyntax, text.whole(), message)]);
    }
    let tokens = tokens(text, bytes).map_err(|d| vec![d])?;
    let mut parser = Parser { text, tokens, at: 0, depth: 0 };
    parser.whole().map_err(|d| vec![*d])
}

/// A tree and its height.
type Parsed = Result<(Expr, u32), Box<Diagnostic>>;

struct Parser<'a> {
    text: &'a Text,
    tokens: Vec<Token>,
    at: usize,
    depth: u32,
}

enum Infix {
    Binary(BinaryOp),
    Compare(CompareOp),
    If,
}

impl Parser<'_> {
    fn whole(&mut self) -> Result<Expr, Box<Diagnostic>> {
        if self.peek().kind == Kind::End {
            return Err(Box::new(self.error("an expression is missing")));
        }
        let (expr, _) = self.expression(level::IF)?;
        match self.peek().kind {
            Kind::End => Ok(expr),
            _ => Err(Box::new(self.after_expression())),
        }
    }

    fn peek(&self) -> &Token {
        // The last token is the end, and is never passed.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn word(&self) -> &str {
        &self.text.text[self.peek().bytes.clone()]
    }

    fn span(&self) -> Span {
        let bytes = &self.peek().bytes;
        self.text.span(bytes.start, bytes.end)
    }

    fn advance(&mut self) -> Span {
        let span = self.span();
        self.at += 1;
        span
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek().kind, Kind::Symbol(s) if s == symbol);
        self.at += usize::from(found);
        found
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.peek().kind == Kind::Word && self.word() == word;
        self.at += usize::from(found);
        found
    }

    fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(Code::ExprSyntax, self.span(), message)
    }

    /// What to say where an expression is complete but the text goes on.
    fn after_expression(&self) -> Diagnostic {
        let message = format!("`{}` cannot stand after an expression", self.word());
        let error = self.error(message);
        match (&self.peek().kind, self.word()) {
            (Kind::Symbol(")"), _) => error.help("there is no `(` that it closes"),
            (Kind::Symbol(","), _) => error.help(self.comma()),
            (_, "in") => error.help(foreign::IN),
            (_, "not") if self.ahead(1) == "in" => error.help("write `x != 1 and x != 2`"),
            (_, "not") => error.help("write `and not` or `or not`"),
            (_, "is" | "IS") => error.help(match self.ahead(1).to_lowercase().as_str() {
                "not" => "write `not isnull(x)`, or `x != y`",
                _ => "write `isnull(x)`, or `x == y`",
            }),
            (_, "between" | "BETWEEN") => error.help("write `low <= x <= high`"),
            (_, "like" | "LIKE" | "ilike" | "ILIKE") => error.help(
                "write `contains(text, part)`, `startswith(text, start)` or `endswith(text, end)`",
            ),
            (_, "when" | "WHEN" | "then" | "THEN") => error.help("write `a if condition else b`"),
            (_, "as" | "AS") => error.help("write the type as a function: `float64(x)`"),
            (_, "AND" | "OR" | "And" | "Or" | "xor") => {
                let lower = self.word().to_lowercase();
                error.help(match lower.as_str() {
                    "xor" => "write `x != y`".to_owned(),
                    _ => format!("write `{lower}`"),
                })
            }
            (_, "div") => error.help("write `x // y`"),
            (_, "mod") => error.help("write `x % y`"),
            (_, "desc" | "asc" | "DESC" | "ASC") => {
                error.help("`-name` puts the greatest first: `sort: [-x]`")
            }
            _ if self.behind_name("lambda") => {
                error.help("functions have names: `functions: { f(x): x + 1 }`")
            }
            _ if self.behind_name("distinct") => error.help(
                "distinct values: a step `distinct: [x]`, and behind it `reduce: { n: count() }`",
            ),
            _ if self.behind_name("case") => error.help("write `a if condition else b`"),
            _ => error.help("an operator such as `+` or `and` is expected between two values"),
        }
    }

    /// The word of a later token.
    fn ahead(&self, by: usize) -> &str {
        self.tokens.get(self.at + by).map_or("", |t| &self.text.text[t.bytes.clone()])
    }

    /// Whether this word stands just before.
    fn behind_name(&self, name: &str) -> bool {
        let before = self.at.checked_sub(1).map(|i| &self.text.text[self.tokens[i].bytes.clone()]);
        before.is_some_and(|word| word.eq_ignore_ascii_case(name))
    }

    /// What a comma may mean: `1,000`, `1,5`, or a list.
    fn comma(&self) -> String {
        let before = self.at.checked_sub(1).map(|i| &self.text.text[self.tokens[i].bytes.clone()]);
        let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match (before, self.ahead(1)) {
            (Some(head), tail) if number(head) && number(tail) && tail.len() == 3 => {
                format!("numbers have no separators: write {head}{tail}")
            }
            (Some(head), tail) if number(head) && number(tail) => {
                format!("a decimal point is a point: write {head}.{tail}")
            }
            _ => "one expression stands here, not a list".into(),
        }
    }

    fn too_deep(&self, span: Span) -> Box<Diagnostic> {
        let message = format!("the expression is nested more than {MAX_DEPTH} deep");
        let error = Diagnostic::error(Code::TooDeep, span, message);
        Box::new(error.help("give parts of it names in a `map` step before this one"))
    }

    fn node(&self, kind: ExprKind, span: Span, height: u32) -> Parsed {
        if height > MAX_DEPTH {
            Err(self.too_deep(span))
        } else {
            Ok((Expr { kind, span }, height))
        }
    }

    /// An expression whose operators bind at least as tightly as `min`.
    fn expression(&mut self, min: u8) -> Parsed {
        if self.depth >= MAX_DEPTH {
            return Err(self.too_deep(self.span()));
        }
        self.depth += 1;
        let result = self.prefix(min).and_then(|left| self.infixes(left, min));
        self.depth -= 1;
        result
    }

    fn infixes(&mut self, mut left: (Expr, u32), min: u8) -> Parsed {
        loop {
            left = match self.infix() {
                Some(Infix::Binary(op)) if op.level() >= min => self.binary(left, op)?,
                Some(Infix::Compare(_)) if level::COMPARE >= min => self.comparison(left)?,
                Some(Infix::If) if level::IF >= min => self.conditional(left)?,
                _ => return Ok(left),
            };
        }
    }

    fn infix(&self) -> Option<Infix> {
        let word = match self.peek().kind {
            Kind::Symbol(symbol) => symbol,
            Kind::Word => self.word(),
            _ => return None,
        };
        if word == "if" {
            return Some(Infix::If);
        }
        if let Some(op) = CompareOp::ALL.into_iter().find(|op| op.symbol() == word) {
            return Some(Infix::Compare(op));
        }
        BinaryOp::ALL.into_iter().find(|op| op.symbol() == word).map(Infix::Binary)
    }

    fn binary(&mut self, (left, height): (Expr, u32), op: BinaryOp) -> Parsed {
        self.advance();
        // `**` takes a sign on its right and is the only one that groups from the right.
        let min = if op == BinaryOp::Pow { level::UNARY } else { op.level() + 1 };
        let (right, other) = self.expression(min)?;
        let span = left.span.to(right.span);
        let kind = ExprKind::Binary(op, Box::new(left), Box::new(right));
        self.node(kind, span, height.max(other) + 1)
    }

    fn comparison(&mut self, (first, mut height): (Expr, u32)) -> Parsed {
        let mut rest = Vec::new();
        let mut span = first.span;
        while let Some(Infix::Compare(op)) = self.infix() {
            self.advance();
            let (next, other) = self.expression(level::COMPARE + 1)?;
            height = height.max(other) + 1;
            span = span.to(next.span);
            rest.push((op, next));
        }
        self.node(ExprKind::Compare(Box::new(first), rest), span, height)
    }

    fn conditional(&mut self, (then, height): (Expr, u32)) -> Parsed {
        let word = self.advance();
        let (condition, second) = self.expression(level::OR)?;
        if !self.eat_word("else") {
            let error = self.error("`else` is missing").other(word, "for this `if`");
            return Err(Box::new(error.help("write `a if condition else b`")));
        }
        let (otherwise, third) = self.expression(level::IF)?;
        let span = then.span.to(otherwise.span);
        let kind = ExprKind::If {
            then: Box::new(then),
            condition: Box::new(condition),
            otherwise: Box::new(otherwise),
        };
        self.node(kind, span, height.max(second).max(third) + 1)
    }

    fn prefix(&mut self, min: u8) -> Parsed {
        match self.peek().kind.clone() {
            Kind::Literal(Value::Int(i64::MIN)) => Err(Box::new(Diagnostic::error(
                Code::BadLiteral,
                self.span(),
                "the integer does not fit into int64",
            ))),
            Kind::Literal(value) => {
                let span = self.advance();
                self.node(ExprKind::Literal(value), span, 1)
            }
            Kind::Word if self.word() == "not" && min > level::NOT => {
                let error = self.error("`not` binds less tightly than the operator before it");
                Err(Box::new(error.help("put it in parentheses: `(not x)`")))
            }
            Kind::Word if self.word() == "not" => self.unary(UnaryOp::Not, level::NOT),
            Kind::Word if WORDS.contains(&self.word()) => Err(Box::new(self.missing_operand())),
            Kind::Word => self.name_or_call(),
            Kind::Symbol("-") => self.unary(UnaryOp::Neg, level::UNARY),
            Kind::Symbol("+") => self.unary(UnaryOp::Plus, level::UNARY),
            Kind::Symbol("~") => self.unary(UnaryOp::Invert, level::UNARY),
            Kind::Symbol("(") => self.parenthesis(),
            _ => Err(Box::new(self.missing_operand())),
        }
    }

    fn missing_operand(&self) -> Diagnostic {
        let here = match self.peek().kind {
            Kind::End => "the end of the expression".to_owned(),
            _ => format!("`{}`", self.word()),
        };
        let before = self.at.checked_sub(1).map(|i| &self.text.text[self.tokens[i].bytes.clone()]);
        match before {
            Some(word) => self.error(format!("a value is missing between `{word}` and {here}")),
            None => self.error(format!("a value is missing before {here}")),
        }
        .label("a number, a name, a call or `(` is expected")
        .maybe_help(self.instead().map(str::to_owned))
    }

    /// What to write for what stands in the place of a value.
    fn instead(&self) -> Option<&'static str> {
        match self.word() {
            "if" => Some("write `x if condition else y`, or `where(condition, x, y)`"),
            "in" => Some(foreign::IN),
            "*" if self.behind_name("(") => Some("`count()` counts rows"),
            _ => None,
        }
    }

    fn unary(&mut self, op: UnaryOp, min: u8) -> Parsed {
        let start = self.advance();
        if op == UnaryOp::Neg
            && self.peek().kind == Kind::Literal(Value::Int(i64::MIN))
            && self.ahead(1) != "**"
        {
            // The lexer makes it of a number that is an integer only behind a minus.
            let span = start.to(self.advance());
            return self.node(ExprKind::Literal(Value::Int(i64::MIN)), span, 1);
        }
        let (operand, height) = self.expression(min)?;
        let span = start.to(operand.span);
        self.node(ExprKind::Unary(op, Box::new(operand)), span, height + 1)
    }

    fn parenthesis(&mut self) -> Parsed {
        let open = self.advance();
        let (inner, height) = self.expression(level::IF)?;
        if matches!(self.peek().kind, Kind::Symbol(",")) {
            let error = self.error("lists in parentheses are not part of expressions");
            return Err(Box::new(error.help("a function's name before `(` may be missing")));
        }
        let close = self.close(open)?;
        self.node(inner.kind, open.to(close), height)
    }

    fn close(&mut self, open: Span) -> Result<Span, Box<Diagnostic>> {
        let span = self.span();
        if self.eat(")") {
            return Ok(span);
        }
        let error = match self.peek().kind {
            Kind::End => self.error("`)` is missing").label("expected here"),
            _ => self.after_expression(),
        };
        Err(Box::new(error.other(open, "this `(` is open")))
    }

    fn name_or_call(&mut self) -> Parsed {
        let text = self.word().to_owned();
        let span = self.advance();
        if matches!(self.peek().kind, Kind::Symbol("(")) {
            return self.call(Word { text, span });
        }
        let kind = match text.as_str() {
            "True" | "true" => ExprKind::Literal(Value::Bool(true)),
            "False" | "false" => ExprKind::Literal(Value::Bool(false)),
            "None" | "null" => ExprKind::Literal(Value::Null),
            _ => ExprKind::Name(text),
        };
        self.node(kind, span, 1)
    }

    fn call(&mut self, word: Word) -> Parsed {
        let open = self.advance();
        let mut arguments = Vec::new();
        let mut height = 0;
        // As in Python, a comma may follow the last argument.
        while !matches!(self.peek().kind, Kind::Symbol(")")) {
            let (argument, other) = self.expression(level::IF)?;
            height = height.max(other);
            arguments.push(argument);
            if !self.eat(",") {
                break;
            }
        }
        let span = word.span.to(self.close(open)?);
        self.node(ExprKind::Call(word, arguments), span, height + 1)
    }
}
