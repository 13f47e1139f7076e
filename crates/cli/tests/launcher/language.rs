//! The pipeline file as a whole: its size, its names, its parameters, and what is told of it when.
use crate::bench::Bench;
use std::fmt::Write;

/// What a run of this pipeline reports, as JSON.
fn results(pipeline: &str) -> String {
    let (out, err, code) = Bench::new(pipeline).run("run p.yaml -q --format json -w 2");
    assert_eq!(code, 0, "{err}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    report["results"].to_string()
}

#[test]
fn users_columns_may_be_called_as_ours() {
    let bench = Bench::new("");
    std::fs::write(
        bench.path().join("in.csv"),
        "k,#0,#key0,#argument0,##1\n1,2,3,4,5\n1,6,7,8,9\n",
    )
    .unwrap();
    for (steps, expected) in [
        ("distinct: k", "##1\":5,\"#0\":2"),
        ("reduce: { m: sum(k), n: max(k) }\n    by: { g: k }", "\"m\":2"),
        ("reduce: { m: mean(k), n: count() }", "\"m\":1"),
        ("join: { k: k }\n    from: [read, right]", "\"#0\":2"),
    ] {
        let right = "\n  - rows: [{ k: 1.0 }]\n    as: right";
        let order = match steps.starts_with("join") {
            true => format!("{right}\n  - {steps}"),
            false => format!("\n  - {steps}"),
        };
        std::fs::write(bench.path().join("p.yaml"), format!("steps:\n  - read: in.csv{order}\n"))
            .unwrap();
        let (out, err, code) = bench.run("run p.yaml -q --format json");
        assert_eq!(code, 0, "{steps}: {err}");
        let plain = out.replace(": ", ":").replace(", ", ",");
        let all = expected.split(',').all(|part| plain.contains(part));
        assert!(all, "{steps}: {out}");
    }
}

#[test]
fn a_range_of_no_rows_has_parts() {
    let bench = Bench::new(
        "steps:\n  - rows: [{ a: 1 }]\n  - filter: a > 5\n  - partition: a\n    into: 5\n    how: range\n  - write: o.parquet\n",
    );
    let (_, err, code) = bench.run("run p.yaml -w 2");
    assert_eq!(code, 0, "{err}");
}

#[test]
fn what_emitters_write_for_nothing_is_nothing() {
    for nothing in ["", "~", "null"] {
        let text = format!(
            "steps:\n  - rows: [{{ a: 1 }}, {{ a: 1 }}]\n    as: x\n  - concat: {nothing}\n    from: [x, x]\n  - distinct: {nothing}\n  - reduce: {{ n: count() }}\n"
        );
        assert_eq!(results(&text), r#"{"reduce":[{"n":1}]}"#, "{nothing}");
    }
}

#[test]
fn parameters_are_numbers_as_expressions_write_them() {
    let text = "params: { a: .inf, b: nan, c: 0x10, d: 1/3, e2: 2*pi, f: 1_000, g: -inf, h: 2020-01-01, s: 1.5 }
steps:
  - rows: [{ x: .inf }, { x: 1.5 }]
  - map: { a: a > 1, b: isnan(b), c: c, d: d * 3, e2: e2 / pi, f: f, g: g < 0, h: len(h), s: s }
  - top: 1
";
    let expected =
        r#"{"a":true,"b":true,"c":16,"d":1.0,"e2":2.0,"f":1000,"g":true,"h":10,"s":1.5,"x":"inf"}"#;
    let found = results(text);
    assert!(found.contains(&expected[1..expected.len() - 12]), "{found}");
    let bench = Bench::new(text);
    let (out, err, code) =
        bench.run("run p.yaml -q --format json --set s=2 --set b=0x10 --set d=1/4");
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("2.0") && out.contains("0.75"), "a float stays a float: {out}");
}

#[test]
fn notes_are_told_by_check_alone() {
    let text = "params: { k: 1, pi: 3 }
functions: { sin(x): x * 2 }
steps:
  - rows: [{ k: 1, e: 2 }]
  - map: { a: k ^ 2, b: e + pi, c: sin(k) }
  - reduce: { s: std(a), v: \"var(a, 1)\" }
";
    let (_, err, code) = Bench::new(text).run("check p.yaml");
    assert_eq!(code, 0, "{err}");
    let codes: Vec<&str> = err.lines().filter_map(|l| l.strip_prefix("note[")?.get(..5)).collect();
    // pi and sin at their definitions; `k ^ 2`, its k, `e`, and k again; std.
    assert_eq!(codes, ["W0002", "W0002", "W0002", "W0003", "W0002", "W0002", "W0004"], "{err}");
    let (_, err, code) = Bench::new(text).run("run p.yaml -q --deny warnings");
    assert_eq!((code, err.contains("W00")), (0, false), "{err}");
    let allowed = format!("allow: [W0002, W0003, W0004]\n{text}");
    let (_, err, _) = Bench::new(&allowed).run("check p.yaml");
    assert_eq!(err, "p.yaml: no mistakes\n");
}

#[test]
fn a_column_that_was_left_out_is_not_taken_for_a_constant_in_silence() {
    let bench = Bench::new("steps:\n  - read: in.csv\n    columns: [x]\n  - map: { y: e * x }\n");
    std::fs::write(bench.path().join("in.csv"), "x,e\n1,2\n").unwrap();
    let (_, err, code) = bench.run("run p.yaml -q");
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("warning[W0002]: `e` is the constant 2.718281828459045"), "{err}");
}

#[test]
fn of_many_mistakes_a_hundred_are_told_and_the_rest_counted() {
    let mut text = "steps:\n  - range: { k: 0..3 }\n".to_owned();
    (0..2_000).for_each(|i| _ = writeln!(text, "  - mapp: {{ r{i}: k }}"));
    let (_, err, code) = Bench::new(&text).run("check p.yaml");
    assert_eq!((code, err.matches("error[").count()), (2, 100));
    assert!(err.contains("\n… and 1,900 more\n"), "{}", &err[err.len() - 200..]);
}

#[test]
fn large_files_are_checked_in_time() {
    let mut columns = "steps:\n  - range: { k: 0..3 }\n  - map:\n".to_owned();
    (0..3_000).for_each(|i| _ = writeln!(columns, "      r{i}: k * {i}.5 + {i}"));
    let mut steps = "steps:\n  - range: { k: 0..3 }\n".to_owned();
    (0..1_500).for_each(|i| _ = writeln!(steps, "  - map: {{ r: k * {i}.5 }}"));
    for text in [columns, steps] {
        let (_, err, code) = Bench::new(&text).run("check p.yaml");
        assert_eq!((&*err, code), ("p.yaml: no mistakes\n", 0));
    }
}

#[test]
fn bytes_that_are_no_text_have_a_line() {
    let bench = Bench::new("");
    std::fs::write(bench.path().join("p.yaml"), b"steps:\n  - read: a\xffb.csv\n").unwrap();
    let (_, err, code) = bench.run("check p.yaml");
    assert_eq!(code, 2);
    assert!(err.contains("p.yaml:2:12") && err.contains("0xff"), "{err}");
}

#[test]
fn a_carriage_return_ends_a_line() {
    let text = "# a comment\rsteps:\r  - range: { k: 0..3 }\r  - map: { a: kk }\r";
    let (_, err, code) = Bench::new(text).run("check p.yaml");
    assert_eq!(code, 2);
    assert!(err.contains("p.yaml:4:15"), "{err}");
}

#[test]
fn a_file_that_cannot_be_tested_is_counted() {
    let (out, _, code) = Bench::new("steps: [{ rang: 1 }]").run("test p.yaml");
    assert_eq!(code, 2);
    assert_eq!(out, "0 tests: 0 passed, 0 failed, 1 not run for mistakes in the pipeline\n");
}
