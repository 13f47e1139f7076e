//! Texts with `${expression}` in them: one way for names of files, arguments, addresses and
//! attributes.
use crate::build::Builder;
use crate::each::array;
use crate::operators::field;
use base::{Code, DType, Diagnostic, Field, Schema, Text, Value, did_you_mean};
use expr::{Expr, Typed};
use tasks::format::Format;
use tasks::{Piece, Template};

/// A piece of a text.
enum Part {
    /// As it stands.
    Literal(String),
    /// `${expression:format}` or `$name`.
    Value {
        /// The expression.
        text: Text,
        /// How its value is written, and where that stands.
        format: Option<Text>,
    },
}

/// The pieces of a text; `$$` is a dollar sign.
fn parts(text: &Text) -> Vec<Part> {
    let (source, mut list, mut at, mut literal) = (&text.text, Vec::new(), 0, String::new());
    while let Some(dollar) = source[at..].find('$').map(|i| at + i) {
        literal.push_str(&source[at..dollar]);
        let rest = &source[dollar + 1..];
        if rest.starts_with('$') {
            literal.push('$');
            at = dollar + 2;
            continue;
        }
        let (start, end, format) = match rest.strip_prefix('{') {
            Some(inner) => {
                let start = dollar + 2;
                let (colon, close) = marks(inner);
                at = (start + close + 1).min(source.len());
                let format = colon.map(|colon| text.slice(start + colon + 1, start + close));
                (start, start + colon.unwrap_or(close), format)
            }
            None => {
                let name = |c: char| c.is_alphanumeric() || c == '_';
                let end = rest.find(|c| !name(c)).unwrap_or(rest.len());
                at = dollar + 1 + end;
                (dollar + 1, at, None)
            }
        };
        if !literal.is_empty() {
            list.push(Part::Literal(std::mem::take(&mut literal)));
        }
        list.push(Part::Value { text: text.slice(start, end), format });
    }
    literal.push_str(&source[at..]);
    if !literal.is_empty() {
        list.push(Part::Literal(literal));
    }
    list
}

/// Where an expression ends: the colon before its format, if there is one, and the brace. Both stand
/// outside of quotes and brackets, as in Python's f-strings.
fn marks(inner: &str) -> (Option<usize>, usize) {
    let (mut depth, mut quote, mut colon) = (0usize, None, None);
    for (at, c) in inner.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if colon.is_none() => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, '}') if depth == 0 => return (colon, at),
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, ':') if depth == 0 && colon.is_none() => colon = Some(at),
            _ => {}
        }
    }
    (colon, inner.len())
}

/// A text whose values are known before the run.
pub fn constant(b: &mut Builder, text: &Text) -> Option<String> {
    let (mut out, mut good) = (String::new(), true);
    for part in parts(text) {
        match part {
            Part::Literal(literal) => out += &literal,
            Part::Value { text, format } => match known(b, &text, format.as_ref()) {
                Some(value) => out += &value,
                None => good = false,
            },
        }
    }
    good.then_some(out)
}

/// The text for a value that is known before the run.
fn known(b: &mut Builder, text: &Text, format: Option<&Text>) -> Option<String> {
    let expr = parsed(b, text, &Schema::default())?;
    let name = expr.as_name();
    let value = match name.and_then(|name| b.param(name)) {
        Some(value) => value.clone(),
        None => b.constant_expr(&expr)?,
    };
    name.iter().for_each(|name| b.depends(name));
    if value == Value::Null && b.row.is_some() {
        let message = format!("`{}` is missing in this row", text.text.trim());
        b.error(Diagnostic::error(Code::BadValue, text.whole(), message));
        return None;
    }
    let Some(spec) = format else { return Some(shown(&value)) };
    let (format, mut out) = (format_of(b, format)?, String::new());
    let written = match array(&value) {
        _ if value == Value::Null => Err("there is no value to be written".to_owned()),
        array => format.write(&array, 0, &mut out),
    };
    if let Err(why) = written {
        b.error(Diagnostic::error(Code::BadValue, spec.whole(), why));
        return None;
    }
    Some(out)
}

/// An expression of a text. One that is nothing but a name that is not there gets the mistake that
/// knows of dollar signs.
fn parsed(b: &mut Builder, text: &Text, schema: &Schema) -> Option<Expr> {
    let name = text.text.trim();
    let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    b.used.borrow_mut().insert(name.to_owned());
    let there = schema.field(name).is_some()
        || b.param(name).is_some()
        || expr::CONSTANTS.iter().any(|(n, _)| *n == name);
    if plain && !there {
        let known = b.row.as_ref().map_or(&b.params, |row| &row.constants);
        let mut names: Vec<String> = known.iter().map(|(n, _)| n.clone()).collect();
        names.extend(schema.names().map(str::to_owned));
        let what = if schema.fields.is_empty() { "parameter" } else { "column or parameter" };
        let message = format!("no {what} is called `{name}`");
        let near = did_you_mean(name, names.iter().map(String::as_str));
        let error = Diagnostic::error(Code::UnknownParam, text.whole(), message);
        b.error(error.maybe_help(near).help("`$$` stands for a dollar sign"));
        return None;
    }
    let expr = b.diagnostics.take(expr::parse(text))?;
    for (name, _) in expr.names() {
        b.used.borrow_mut().insert(name.to_string());
    }
    Some(expr)
}

fn format_of(b: &mut Builder, format: Option<&Text>) -> Option<Format> {
    let Some(text) = format else { return Some(Format::default()) };
    match Format::parse(&text.text) {
        Ok(format) => Some(format),
        Err(why) => {
            b.error(Diagnostic::error(Code::BadValue, text.whole(), why));
            None
        }
    }
}

/// Texts of a step that have values of its rows in them: expressions become columns behind those
/// that come in.
pub struct Templates<'a> {
    schema: &'a Schema,
    /// The columns to make, in their order behind those of the schema.
    pub columns: Vec<(Field, Typed)>,
}

impl<'a> Templates<'a> {
    /// None yet, over the columns of a schema.
    pub fn new(schema: &'a Schema) -> Templates<'a> {
        Templates { schema, columns: Vec::new() }
    }

    /// A text.
    pub fn text(&mut self, b: &mut Builder, text: &Text) -> Option<Template> {
        let (mut pieces, mut good) = (Vec::new(), true);
        for part in parts(text) {
            match part {
                Part::Literal(literal) => pieces.push(Piece::Text(literal)),
                Part::Value { text, format } => match self.value(b, &text, format.as_ref()) {
                    Some(piece) => pieces.push(piece),
                    None => good = false,
                },
            }
        }
        good.then_some(Template(joined(pieces)))
    }

    fn value(&mut self, b: &mut Builder, text: &Text, format: Option<&Text>) -> Option<Piece> {
        let expr = parsed(b, text, self.schema)?;
        let fixed = expr.names().iter().all(|(name, _)| self.schema.field(name).is_none());
        if fixed {
            return known(b, text, format).map(Piece::Text);
        }
        let typed = b.check(&expr, self.schema)?;
        let (spec, format) = (format, format_of(b, format)?);
        self.fits(b, &format, spec, typed.dtype)?;
        let at = typed.as_column().and_then(|name| self.schema.position(name));
        let at = at.unwrap_or_else(|| self.column(typed));
        Some(Piece::Column { at, format })
    }

    /// Whether a format can be about values of a type: it is tried.
    fn fits(&self, b: &mut Builder, format: &Format, at: Option<&Text>, of: DType) -> Option<()> {
        let sample = match of {
            DType::Bool => Value::Bool(true),
            DType::Int32 | DType::Int64 => Value::Int(1),
            DType::Float32 | DType::Float64 => Value::Float(1.0),
            DType::Timestamp => Value::Timestamp(0),
            DType::String | DType::Binary => Value::Str("a".to_owned()),
        };
        let (array, at) = (array(&sample), at.map(Text::whole).unwrap_or_default());
        let tried = format.write(&array, 0, &mut String::new());
        tried.map_err(|why| b.error(Diagnostic::error(Code::BadValue, at, why))).ok()
    }

    /// The type of the column that stands here.
    pub fn dtype(&self, at: usize) -> Option<DType> {
        let own = || self.columns.get(at - self.schema.fields.len()).map(|(field, _)| field.dtype);
        self.schema.fields.get(at).map(|field| field.dtype).or_else(own)
    }

    /// An expression as a column of its own: where it will stand.
    pub fn column(&mut self, typed: Typed) -> usize {
        let field = field(&format!("#{}", self.columns.len()), &typed, self.schema);
        self.columns.push((field, typed));
        self.schema.fields.len() + self.columns.len() - 1
    }
}

/// Neighbouring texts are one.
fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut list: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (list.last_mut(), piece) {
            (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
            (_, piece) => list.push(piece),
        }
    }
    list
}

/// A value as texts show it: whole floats without a fraction, as names of files have them.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Float(x) if x.fract() == 0.0 && x.abs() < 1e15 => format!("{x}"),
        value => value.to_string(),
    }
}
