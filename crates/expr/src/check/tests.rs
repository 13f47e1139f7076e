//! Types, semantics against tables that NumPy made, and mistakes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::tests::{mistake, sample, span, tree, typed, values};
use base::{DType, Field, Span};

/// `expression; dtype; values`, printed by NumPy 2.4 over the columns of the sample.
const NUMPY: &str = include_str!("numpy.txt");

#[test]
fn agrees_with_numpy() {
    let (schema, _) = sample();
    let mut wrong = Vec::new();
    for line in NUMPY.lines().filter(|l| !l.starts_with('#')) {
        let [text, dtype, expected] = line.split("; ").collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let found = typed(text, &schema).unwrap_or_else(|d| panic!("{text}: {d:?}"));
        let list = values(text).join(" ");
        if found.dtype.name() != dtype || list != expected {
            wrong.push(format!("{text}: {} {list}, NumPy has {dtype} {expected}", found.dtype));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn missing_values_propagate() {
    for (text, expected) in [
        ("n + 1", "2.0 nan null 5.0"),
        ("n > 2", "False False null True"),
        ("sqrt(n)", "1.0 nan null 2.0"),
        ("m and b", "True False null False"),
        ("m or b", "True False True null"),
        ("m & (i > 100)", "False False False False"),
        ("not m", "False True null null"),
        ("m ^ b", "False False null null"),
        ("isnull(n)", "False False True False"),
        ("isnan(n)", "False True null False"),
        ("coalesce(n, -1)", "1.0 nan -1.0 4.0"),
        ("where(m, 1, 2)", "1 2 null null"),
        ("where(b, n, 0.0)", "1.0 0.0 null 0.0"),
        ("where(isnull(n), 0.5, n)", "1.0 nan 0.5 4.0"),
        ("n + null", "null null null null"),
        ("l ** where(l < 0, null, l)", "4 27 null 1"),
    ] {
        assert_eq!(values(text).join(" "), expected, "{text}");
    }
}

#[test]
fn strings_and_times() {
    for (text, expected) in [
        ("s == 'a'", "True False False False"),
        ("s < 'b'", "True False True False"),
        ("contains(s, 'b')", "False True True False"),
        ("where(b, s, 'z')", "'a' 'z' 'Ab' 'z'"),
        ("upper(s)", "'A' 'B' 'AB' 'É'"),
        ("len(s) + i", "8 -6 2 4"),
        ("t >= '1970-01-01'", "True False True True"),
        ("t - timestamp('1970-01-01')", "0 -1 86400000000 1"),
        ("year(t)", "1970 1969 1970 1970"),
        ("dayofyear(t)", "1 365 2 1"),
    ] {
        assert_eq!(values(text).join(" "), expected, "{text}");
    }
}

#[test]
fn mistakes_are_placed_and_explained() {
    for (text, code, place, message, help) in [
        (
            "dd + 1",
            Code::UnknownName,
            (0, 2),
            "no column or parameter named `dd`",
            "there are: p, digits, b, i, l, f, d, s, t, n, m",
        ),
        (
            "sqr(d)",
            Code::UnknownFunction,
            (0, 3),
            "no function named `sqr`",
            "did you mean `sqrt`?",
        ),
        (
            "sin(d, d)",
            Code::WrongArguments,
            (0, 3),
            "`sin` does not take 2 arguments",
            "it is called as `sin(x)`",
        ),
        (
            "1 + s",
            Code::TypeMismatch,
            (4, 5),
            "`+` takes numbers, not string",
            "texts cannot be put together",
        ),
        (
            "i and b",
            Code::TypeMismatch,
            (0, 1),
            "`and` takes bools, not int32",
            "compare it: `x != 0`",
        ),
        (
            "d > 1.5 & b",
            Code::TypeMismatch,
            (4, 7),
            "`&` takes integers or bools, not float64",
            "`&` and `|` bind more tightly than comparisons: put parentheses, as in `(a > 1) & (b < 2)`",
        ),
        (
            "b - b",
            Code::TypeMismatch,
            (0, 5),
            "bools cannot be subtracted",
            "write `x != y`, or `int64(x)`",
        ),
        (
            "i ** -1",
            Code::TypeMismatch,
            (5, 7),
            "integers to negative integer powers are not allowed",
            "write the exponent or the base as a float, such as `x ** -1.0`",
        ),
        (
            "s > 1",
            Code::TypeMismatch,
            (0, 5),
            "string and int64 cannot be compared",
            "a text is compared with a text: put quotes around the value",
        ),
        (
            "d == null",
            Code::TypeMismatch,
            (5, 9),
            "what is compared with `null` is missing, never true",
            "write `isnull(x)` or `not isnull(x)`",
        ),
        (
            "i + 3000000000",
            Code::TypeMismatch,
            (4, 14),
            "`3000000000` is not a value of type int32",
            "convert the other side: `int64(x)`",
        ),
        (
            "sum(d) + 1",
            Code::MisplacedReduction,
            (0, 3),
            "`sum` makes one value of many rows",
            "use `reduce`, as in `reduce: { result: sum(…) }`",
        ),
        (
            "t > 'soon'",
            Code::TypeMismatch,
            (4, 10),
            "`'soon'` is not a value of type timestamp",
            "a time is written '2024-01-31' or '2024-01-31T12:30:00'",
        ),
        (
            "has_digits(l, 'x')",
            Code::TypeMismatch,
            (14, 17),
            "`has_digits` takes a string of digits, such as '42'",
            "",
        ),
        (
            "has_digits(d, 9)",
            Code::TypeMismatch,
            (11, 12),
            "`has_digits` takes an integer here, not float64",
            "it is called as `has_digits(k, digits)`",
        ),
        (
            "lpmv(i, 1, d)",
            Code::NotConstant,
            (5, 6),
            "`lpmv` needs a constant here",
            "it is called as `lpmv(m, l, x)`",
        ),
        (
            "sin",
            Code::UnknownName,
            (0, 3),
            "no column or parameter named `sin`",
            "`sin` is a function: write `sin(…)`",
        ),
        (
            "null",
            Code::TypeMismatch,
            (0, 4),
            "the type of this `null` is not known",
            "write `float64(null)`, or another type",
        ),
        (
            "9223372036854775807 + 1",
            Code::BadLiteral,
            (0, 23),
            "the integer does not fit into int64",
            "write it as a float",
        ),
        (
            "where(i, 1, 2)",
            Code::TypeMismatch,
            (6, 7),
            "`where` takes bool here, not int32",
            "it is called as `where(condition, x, y)`",
        ),
    ] {
        let d = mistake(text);
        assert_eq!(
            (d.code, d.span, d.message.as_str()),
            (code, span(place.0, place.1), message),
            "{text}"
        );
        assert_eq!(d.help.first().map_or("", |h| h), help, "{text}");
    }
}

#[test]
fn all_mistakes_at_once() {
    let (schema, _) = sample();
    let list = typed("sinn(x) + (s * y) - cos(d, 1)", &schema).unwrap_err();
    let codes: Vec<_> = list.iter().map(|d| d.code).collect();
    assert_eq!(
        codes,
        [Code::UnknownFunction, Code::UnknownName, Code::UnknownName, Code::WrongArguments]
    );
}

fn function(name: &str, arguments: &[&str], body: &str) -> UserFunction {
    let arguments = arguments.iter().map(|a| (*a).to_owned()).collect();
    UserFunction { name: name.into(), arguments, body: tree(body) }
}

#[test]
fn functions_of_the_file_are_put_in_place() {
    let (schema, _) = sample();
    let mut functions = vec![
        function("twice", &["x"], "x * 2"),
        function("poly", &["x", "y"], "twice(x) + twice(y) + twice(x)"),
        function("loop", &["x"], "once(x)"),
        function("once", &["x"], "loop(x) + 1"),
    ];
    // Each calls the one before twice: 2^60 operations, if none were shared.
    for i in 0..60 {
        let body = match i {
            0 => "x + 1".to_owned(),
            _ => format!("g{}(x) * g{}(x)", i - 1, i - 1),
        };
        functions.push(function(&format!("g{i}"), &["x"], &body));
    }
    let scope = Scope { schema: &schema, row: &[], params: &[], functions: &functions };
    let check = |text: &str| check(&tree(text), &scope);
    assert_eq!(
        check("poly(d, f)").unwrap().to_string(),
        "((d * 2.0) + float64(f * float32(2.0))) + (d * 2.0)"
    );
    assert_eq!(check("loop(d)").unwrap_err()[0].code, Code::Recursion);
    assert_eq!(check("twice(d, d)").unwrap_err()[0].code, Code::WrongArguments);
    assert!(check("g14(d)").is_ok());
    let mistake = check("1 + g59(d)").unwrap_err();
    assert_eq!(mistake.len(), 1);
    assert_eq!((mistake[0].code, mistake[0].span), (Code::TooDeep, span(4, 7)));
    assert_eq!(
        mistake[0].message,
        "the function `g59` grows to 2,305,843,009,213,693,951 operations here"
    );
}

#[test]
fn functions_that_share_nothing_are_refused_as_soon() {
    let (schema, _) = sample();
    let mut functions = vec![function("f0", &["x"], "x * 1.5"), function("s0", &["x"], "sum(x)")];
    for i in 1..40 {
        let body = format!("f{0}(x + 1) + f{0}(x * 2)", i - 1);
        functions.push(function(&format!("f{i}"), &["x"], &body));
        let body = format!("s{0}(x + 1) + s{0}(x * 2)", i - 1);
        functions.push(function(&format!("s{i}"), &["x"], &body));
    }
    let scope = Scope { schema: &schema, row: &[], params: &[], functions: &functions };
    assert!(check(&tree("f10(d)"), &scope).is_ok());
    assert_eq!(check(&tree("f39(d)"), &scope).unwrap_err()[0].code, Code::TooDeep);
    let reduced = |text| split_reductions(&[tree(text)], &scope, &Schema::default());
    assert_eq!(reduced("s10(d)").unwrap().calls.len(), 1024);
    let mistakes = reduced("s39(d)").unwrap_err();
    assert_eq!((mistakes.len(), mistakes[0].code), (1, Code::TooDeep));
}

#[test]
fn the_least_integer_can_be_written() {
    for text in ["-9223372036854775808", "-2**63", "-(1 << 63)", "-9_223_372_036_854_775_807 - 1"] {
        assert_eq!(constant(&tree(text), &[], &[]), Ok(Value::Int(i64::MIN)), "{text}");
    }
    for text in ["2**63", "-2**64", "- -2**63", "9223372036854775807 + True"] {
        assert_eq!(
            constant(&tree(text), &[], &[]).unwrap_err()[0].code,
            Code::BadLiteral,
            "{text}"
        );
    }
    assert_eq!(constant(&tree("0 << 64"), &[], &[]), Ok(Value::Int(0)));
    assert_eq!(constant(&tree("3 + True"), &[], &[]), Ok(Value::Int(4)));
}

#[test]
fn constants() {
    let params = [("n".to_owned(), Value::Float(1e8)), ("k".to_owned(), Value::Int(3))];
    let value = |text| constant(&tree(text), &params, &[]);
    assert_eq!(value("n").unwrap().as_i64(), Some(100_000_000));
    assert_eq!(value("2 * k + 1"), Ok(Value::Int(7)));
    assert_eq!(value("7 // 2"), Ok(Value::Int(3)));
    assert_eq!(value("2 ** -1"), Ok(Value::Float(0.5)));
    assert_eq!(value("-k / 2"), Ok(Value::Float(-1.5)));
    assert_eq!(value("sqrt(n)"), Ok(Value::Float(1e4)));
    assert_eq!(value("'a'"), Ok(Value::Str("a".into())));
    assert_eq!(value("null"), Ok(Value::Null));
    assert_eq!(value("random(1)").unwrap_err()[0].code, Code::NotConstant);
    let list = value("m + 1").unwrap_err();
    assert_eq!((list[0].code, list[0].span), (Code::UnknownName, Span::new(0, 1)));
}

#[test]
fn equal_parts_are_one_node() {
    let (schema, _) = sample();
    let typed = typed("sin(d) * sin(d) + cos(sin(d)) + (1 + 2) * pi", &schema).unwrap();
    let calls = typed.dag.needed([typed.root]).iter().filter(|n| **n).count();
    // d, sin, *, cos, +, constant, +
    assert_eq!(calls, 7);
    assert_eq!(typed.columns().len(), 1);
}

#[test]
fn reductions_are_taken_out() {
    let (mut schema, _) = sample();
    schema.fields.truncate(6);
    let keys = Schema {
        fields: vec![schema.fields[5].clone()],
        domain: base::Domain::rows(),
        ..Schema::default()
    };
    let functions = [function("rms", &["x"], "sqrt(sum(x**2) / count())")];
    let scope = Scope { schema: &schema, row: &[], params: &[], functions: &functions };
    let split = |list: &[&str], keys: &Schema| {
        split_reductions(&list.iter().map(|t| tree(t)).collect::<Vec<_>>(), &scope, keys)
    };
    let reduced = split(
        &["sqrt(sum(d*d) / count())", "rms(d) + sum(d ** 2)", "max(i) - min(i)", "upper(s)"],
        &keys,
    )
    .unwrap();
    let calls: Vec<_> = reduced.calls.iter().map(|c| c.text.as_str()).collect();
    assert_eq!(calls, ["sum(d * d)", "count()", "max(i)", "min(i)"]);
    assert_eq!(reduced.outputs[1].to_string(), "sqrt(#0 / float64(#1)) + #0");
    assert_eq!(reduced.outputs[2].dtype, DType::Int32);
    assert_eq!(reduced.schema.names().collect::<Vec<_>>(), ["s", "#0", "#1", "#2", "#3"]);

    for (text, code, place) in [
        ("sum(d) + i", Code::MisplacedReduction, (9, 10)),
        ("sum(mean(d))", Code::MisplacedReduction, (4, 8)),
        ("sum(dd)", Code::UnknownName, (4, 6)),
        ("sum(s)", Code::TypeMismatch, (0, 6)),
        ("quantile(d, i)", Code::NotConstant, (12, 13)),
        ("summ(d)", Code::UnknownFunction, (0, 4)),
    ] {
        let list =
            split(&[text], &Schema { fields: Vec::<Field>::new(), ..keys.clone() }).unwrap_err();
        assert_eq!(
            (list[0].code, list[0].span),
            (code, span(place.0, place.1)),
            "{text}: {list:?}"
        );
    }
}
