//! The tree that a text is parsed to, each node with its place in the file.
use base::{Span, Value};

/// An expression as the user wrote it. Two are equal if they differ in nothing but their places.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Expr) -> bool {
        self.kind == other.kind
    }
}

/// A word and its place; equal to the same word elsewhere.
#[derive(Clone, Debug)]
pub struct Word {
    /// The word.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

impl PartialEq for Word {
    fn eq(&self, other: &Word) -> bool {
        self.text == other.text
    }
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A number, a string, `True`, `False` or `null`.
    Literal(Value),
    /// A column, a parameter, or a constant such as `pi`.
    Name(String),
    /// `-x`
    Unary(UnaryOp, Box<Expr>),
    /// `x + y`
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `x < y`, or a chain `x < y <= z`, which means `x < y and y <= z`.
    Compare(Box<Expr>, Vec<(CompareOp, Expr)>),
    /// `f(x, y)`
    Call(Word, Vec<Expr>),
    /// `then if condition else otherwise`
    If {
        /// The value where the condition holds.
        then: Box<Expr>,
        /// A bool.
        condition: Box<Expr>,
        /// The value elsewhere.
        otherwise: Box<Expr>,
    },
    /// What could not be read: the mistake has been told.
    Unread,
}

/// Operators before their operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-x`
    Neg,
    /// `+x`
    Plus,
    /// `~x`
    Invert,
    /// `not x`
    Not,
}

impl UnaryOp {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            UnaryOp::Neg => "-",
            UnaryOp::Plus => "+",
            UnaryOp::Invert => "~",
            UnaryOp::Not => "not",
        }
    }
}

/// Operators between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it, and `symbol` shows it")]
pub enum BinaryOp {
    Or,
    And,
    BitOr,
    BitXor,
    BitAnd,
    Shl,
    Shr,
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Mod,
    Pow,
}

impl BinaryOp {
    /// All of them, the loosest first.
    pub const ALL: [BinaryOp; 14] = {
        use BinaryOp::*;
        [Or, And, BitOr, BitXor, BitAnd, Shl, Shr, Add, Sub, Mul, Div, FloorDiv, Mod, Pow]
    };

    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Or => "or",
            BinaryOp::And => "and",
            BinaryOp::BitOr => "|",
            BinaryOp::BitXor => "^",
            BinaryOp::BitAnd => "&",
            BinaryOp::Shl => "<<",
            BinaryOp::Shr => ">>",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::FloorDiv => "//",
            BinaryOp::Mod => "%",
            BinaryOp::Pow => "**",
        }
    }

    /// How tightly it binds, see [`level`].
    pub(super) fn level(self) -> u8 {
        match self {
            BinaryOp::Or => level::OR,
            BinaryOp::And => level::AND,
            BinaryOp::BitOr => level::BIT_OR,
            BinaryOp::BitXor => level::BIT_XOR,
            BinaryOp::BitAnd => level::BIT_AND,
            BinaryOp::Shl | BinaryOp::Shr => level::SHIFT,
            BinaryOp::Add | BinaryOp::Sub => level::SUM,
            BinaryOp::Mul | BinaryOp::Div | BinaryOp::FloorDiv | BinaryOp::Mod => level::PRODUCT,
            BinaryOp::Pow => level::POWER,
        }
    }
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it, and `symbol` shows it")]
pub enum CompareOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl CompareOp {
    /// All of them.
    pub const ALL: [CompareOp; 6] = {
        use CompareOp::*;
        [Eq, Ne, Lt, Le, Gt, Ge]
    };

    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            CompareOp::Eq => "==",
            CompareOp::Ne => "!=",
            CompareOp::Lt => "<",
            CompareOp::Le => "<=",
            CompareOp::Gt => ">",
            CompareOp::Ge => ">=",
        }
    }
}

/// Python's levels of precedence, the loosest first.
pub(super) mod level {
    pub const IF: u8 = 1;
    pub const OR: u8 = 2;
    pub const AND: u8 = 3;
    pub const NOT: u8 = 4;
    pub const COMPARE: u8 = 5;
    pub const BIT_OR: u8 = 6;
    pub const BIT_XOR: u8 = 7;
    pub const BIT_AND: u8 = 8;
    pub const SHIFT: u8 = 9;
    pub const SUM: u8 = 10;
    pub const PRODUCT: u8 = 11;
    pub const UNARY: u8 = 12;
    pub const POWER: u8 = 13;
    pub const ATOM: u8 = 14;
}

impl Expr {
    /// The name, if it is nothing but one.
    pub fn as_name(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// The names it uses (not those of functions), each at every place, in the order of the text.
    pub fn names(&self) -> Vec<(&str, Span)> {
        let mut out = Vec::new();
        self.visit(&mut |e| {
            if let ExprKind::Name(name) = &e.kind {
                out.push((name.as_str(), e.span));
            }
        });
        out
    }

    /// The functions it calls, each at every place, in the order of the text.
    pub fn calls(&self) -> Vec<(&str, Span)> {
        let mut out = Vec::new();
        self.visit(&mut |e| {
            if let ExprKind::Call(word, _) = &e.kind {
                out.push((word.text.as_str(), word.span));
            }
        });
        out
    }

    /// Shows this node and then all below it.
    pub fn visit<'a>(&'a self, see: &mut dyn FnMut(&'a Expr)) {
        see(self);
        match &self.kind {
            ExprKind::Literal(_) | ExprKind::Name(_) | ExprKind::Unread => {}
            ExprKind::Unary(_, x) => x.visit(see),
            ExprKind::Binary(_, x, y) => {
                x.visit(see);
                y.visit(see);
            }
            ExprKind::Compare(first, rest) => {
                first.visit(see);
                rest.iter().for_each(|(_, x)| x.visit(see));
            }
            ExprKind::Call(_, arguments) => arguments.iter().for_each(|x| x.visit(see)),
            ExprKind::If { then, condition, otherwise } => {
                then.visit(see);
                condition.visit(see);
                otherwise.visit(see);
            }
        }
    }
}
