//! Precedence, places, mistakes, and that printing and parsing undo each other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use base::{Code, Diagnostic, Span, Text, Value};
use proptest::prelude::*;

fn tree(text: &str) -> Expr {
    parse(&Text::plain(text, 0)).unwrap_or_else(|d| panic!("{text}: {d:?}"))
}

fn mistake(text: &str) -> Diagnostic {
    parse(&Text::plain(text, 0)).expect_err(text).remove(0)
}

/// Every node in parentheses, to see what binds to what.
fn grouped(e: &Expr) -> String {
    match &e.kind {
        ExprKind::Unary(op, x) => format!("({} {})", op.symbol(), grouped(x)),
        ExprKind::Binary(op, x, y) => format!("({} {} {})", grouped(x), op.symbol(), grouped(y)),
        ExprKind::Compare(x, rest) => {
            let rest: String =
                rest.iter().map(|(op, y)| format!(" {} {}", op.symbol(), grouped(y))).collect();
            format!("({}{rest})", grouped(x))
        }
        ExprKind::If { then, condition, otherwise } => {
            format!("({} if {} else {})", grouped(then), grouped(condition), grouped(otherwise))
        }
        _ => e.to_string(),
    }
}

#[test]
fn binds_as_python_does() {
    for (text, expected) in [
        ("-x**2", "(- (x ** 2))"),
        ("2**-1", "(2 ** (- 1))"),
        ("2**3**2", "(2 ** (3 ** 2))"),
        ("-2**-x**2", "(- (2 ** (- (x ** 2))))"),
        ("a+b*c", "(a + (b * c))"),
        ("a-b-c", "((a - b) - c)"),
        ("a//b%c*d", "(((a // b) % c) * d)"),
        ("~a & b", "((~ a) & b)"),
        ("a & b == c", "((a & b) == c)"),
        ("a | b ^ c & d << 1 + 2", "(a | (b ^ (c & (d << (1 + 2)))))"),
        ("not a == b and c or d", "(((not (a == b)) and c) or d)"),
        ("a < b <= c", "(a < b <= c)"),
        ("a if b else c if d else e", "(a if b else (c if d else e))"),
        ("a or b if c else d", "((a or b) if c else d)"),
        ("not not a", "(not (not a))"),
        ("- - a", "(- (- a))"),
        ("(a < b) & (c > 1e8)", "((a < b) & (c > 100000000.0))"),
    ] {
        assert_eq!(grouped(&tree(text)), expected, "{text}");
    }
}

#[test]
fn numbers_and_strings() {
    for (text, expected) in [
        ("1_000", Value::Int(1000)),
        ("0xFF", Value::Int(255)),
        ("0b101", Value::Int(5)),
        ("1e8", Value::Float(1e8)),
        (".5", Value::Float(0.5)),
        ("2.", Value::Float(2.0)),
        ("1E-3", Value::Float(1e-3)),
        ("'it''s'", Value::Str("it".into())),
        (r#""a\"b\\""#, Value::Str("a\"b\\".into())),
        ("True", Value::Bool(true)),
        ("None", Value::Null),
    ] {
        if text == "'it''s'" {
            assert_eq!(mistake(text).code, Code::ExprSyntax);
            continue;
        }
        assert_eq!(tree(text).kind, ExprKind::Literal(expected), "{text}");
    }
}

#[test]
fn every_node_knows_its_place() {
    let text = Text::plain("sin(ab) + (c * 2)", 100);
    let expr = parse(&text).unwrap();
    assert_eq!(expr.span, Span::new(100, 117));
    let ExprKind::Binary(_, left, right) = &expr.kind else { panic!() };
    assert_eq!((left.span, right.span), (Span::new(100, 107), Span::new(110, 117)));
    assert_eq!(expr.names(), [("ab", Span::new(104, 106)), ("c", Span::new(111, 112))]);
    assert_eq!(expr.calls(), [("sin", Span::new(100, 103))]);
}

#[test]
fn mistakes_say_where_and_what() {
    for (text, span, message, help) in [
        ("a = b", (2, 3), "`=` has no meaning here", "write `==` to compare"),
        ("a && b", (2, 4), "`&&` has no meaning here", "write `and`"),
        ("a || b", (2, 4), "`||` has no meaning here", "write `or`"),
        ("!a", (0, 1), "`!` has no meaning here", "write `not x`, or `x != y`"),
        ("np.sin(x)", (2, 3), "`.` has no meaning here", "names have no parts: write `sin(…)`"),
        ("2x", (0, 2), "`2x` is not a number", "to multiply write `2 * x`"),
        (
            "a b",
            (2, 3),
            "`b` cannot stand after an expression",
            "an operator such as `+` or `and` is expected between two values",
        ),
        ("a)", (1, 2), "`)` cannot stand after an expression", "there is no `(` that it closes"),
        (
            "1 + not a",
            (4, 7),
            "`not` binds less tightly than the operator before it",
            "put it in parentheses: `(not x)`",
        ),
        ("a if b", (6, 6), "`else` is missing", "write `a if condition else b`"),
        ("007", (0, 3), "`007` starts with a zero", "write `7`"),
    ] {
        let d = mistake(text);
        assert_eq!((d.span, d.message.as_str()), (Span::new(span.0, span.1), message), "{text}");
        assert_eq!(d.help, [help], "{text}");
    }
    assert_eq!(mistake("(a + b").message, "`)` is missing");
    assert_eq!(
        mistake("f(a,").message,
        "a value is missing between `,` and the end of the expression"
    );
    assert_eq!(mistake("f(a b)").message, "`b` cannot stand after an expression");
    assert_eq!(mistake("").message, "an expression is missing");
    assert_eq!(
        mistake("a +").message,
        "a value is missing between `+` and the end of the expression"
    );
    assert_eq!(mistake("x[0]").code, Code::ExprSyntax);
    assert_eq!(mistake("'abc").message, "the string does not end");
    for text in ["9223372036854775808", "x - 9223372036854775808", "(x) - 9223372036854775808"] {
        assert_eq!(mistake(text).code, Code::BadLiteral, "{text}");
    }
    for text in ["-9223372036854775808", "x * -9223372036854775808", "not -9223372036854775808"] {
        assert!(parse(&Text::plain(text, 0)).is_ok(), "{text}");
    }
}

#[test]
fn deep_nesting_is_an_error_not_a_crash() {
    for text in [
        "(".repeat(100_000) + "1" + &")".repeat(100_000),
        "-".repeat(100_000) + "1",
        "1".to_owned() + &"+1".repeat(100_000),
        "2".to_owned() + &"**2".repeat(100_000),
        "f(".repeat(100_000),
        "a < ".repeat(100_000) + "b",
        "a if b else ".repeat(100_000) + "c",
    ] {
        assert_eq!(mistake(&text).code, Code::TooDeep);
    }
}

#[test]
fn part_of_a_text() {
    let text = Text::plain("1..=n + 1", 10);
    assert_eq!(parse_part(&text, 0..1).unwrap().to_string(), "1");
    let end = parse_part(&text, 4..9).unwrap();
    assert_eq!((end.to_string().as_str(), end.span), ("n + 1", Span::new(14, 19)));
    assert!(parse_part(&text, 4..99).is_err());
}

fn any_expr() -> impl Strategy<Value = Expr> {
    let at = |kind| Expr { kind, span: Span::default() };
    let leaf = prop_oneof![
        (0..i64::MAX).prop_map(move |i| at(ExprKind::Literal(Value::Int(i)))),
        proptest::num::f64::POSITIVE
            .prop_filter("finite", |x| x.is_finite())
            .prop_map(move |x| at(ExprKind::Literal(Value::Float(x)))),
        "[a-z'\"\\\\\n é]{0,5}".prop_map(move |s| at(ExprKind::Literal(Value::Str(s)))),
        "[xyz][a-z_0-9]{0,3}".prop_map(move |s| at(ExprKind::Name(s))),
        any::<bool>().prop_map(move |b| at(ExprKind::Literal(Value::Bool(b)))),
    ];
    leaf.prop_recursive(6, 40, 3, move |inner| {
        let sub = || inner.clone().prop_map(Box::new);
        let binary = proptest::sample::select(&BinaryOp::ALL[..]);
        let compare = proptest::sample::select(&CompareOp::ALL[..]);
        let unary = proptest::sample::select(
            &[UnaryOp::Neg, UnaryOp::Plus, UnaryOp::Invert, UnaryOp::Not][..],
        );
        prop_oneof![
            (binary, sub(), sub()).prop_map(move |(op, x, y)| at(ExprKind::Binary(op, x, y))),
            (unary, sub()).prop_map(move |(op, x)| at(ExprKind::Unary(op, x))),
            (sub(), proptest::collection::vec((compare, inner.clone()), 1..3))
                .prop_map(move |(x, rest)| at(ExprKind::Compare(x, rest))),
            (sub(), sub(), sub()).prop_map(move |(then, condition, otherwise)| at(ExprKind::If {
                then,
                condition,
                otherwise
            })),
            ("f[a-z]{0,3}", proptest::collection::vec(inner.clone(), 0..3)).prop_map(
                move |(text, arguments)| {
                    at(ExprKind::Call(Word { text, span: Span::default() }, arguments))
                }
            ),
        ]
    })
}

proptest! {
    #[test]
    fn parsing_undoes_printing(expr in any_expr()) {
        prop_assert_eq!(tree(&expr.to_string()), expr);
    }

    #[test]
    fn nothing_crashes_the_parser(text in "[-+*/%<>=!&|^~()\\[\\],.'\"a-z0-9_ é]{0,30}") {
        let _ = parse(&Text::plain(text, 0));
    }
}
