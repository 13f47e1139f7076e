//! The verbs that run nothing, and `test`.
use crate::bench::{Bench, SERIES};

fn says(bench: &Bench, arguments: &str) -> String {
    let (out, err, code) = bench.run(arguments);
    assert_eq!(code, 0, "{arguments}: {err}");
    out
}

#[test]
fn the_starter_is_whole_and_its_test_passes() {
    let bench = Bench::new("");
    assert_eq!(says(&bench, "new mine.yaml"), "");
    says(&bench, "check mine.yaml");
    says(&bench, "run mine.yaml -q");
    assert!(says(&bench, "test mine.yaml").ends_with("1 test: 1 passed, 0 failed\n"));
    let (_, err, code) = bench.run("new mine.yaml");
    assert_eq!(code, 1);
    assert!(err.contains("exists already"), "{err}");
}

#[test]
fn tests_in_a_file_pass_or_fail() {
    let bench = Bench::new(SERIES);
    let out = says(&bench, "test p.yaml -w 2");
    assert!(out.contains("p.yaml … n = 1000: ok\n"), "{out}");
    std::fs::write(bench.path().join("q.yaml"), SERIES.replace("729", "730")).unwrap();
    let (out, _, code) = bench.run("test p.yaml q.yaml");
    assert_eq!(code, 3);
    assert!(out.contains("expected 730, got 729"), "{out}");
    assert!(out.ends_with("2 tests: 1 passed, 1 failed\n"), "{out}");
    assert_eq!(bench.left().len(), 1);
}

#[test]
fn everything_listed_is_explained() {
    let bench = Bench::new("");
    let all = says(&bench, "list");
    for title in ["operators", "functions", "reductions", "formats", "rules"] {
        assert!(all.contains(&format!("{title}\n")), "{all}");
        says(&bench, &format!("list {title}"));
    }
    for name in
        ["range", "reduce", "has_digits", "sum", "quantile", "netcdf", "parquet", "fuse-steps"]
    {
        assert!(says(&bench, &format!("doc {name}")).starts_with(name));
    }
    let (out, err, code) = bench.run("doc quantil");
    assert_eq!((out.as_str(), code), ("", 2));
    assert!(err.contains("did you mean `quantile`?"), "{err}");
}

#[test]
fn the_schema_is_json() {
    let text = says(&Bench::new(""), "schema");
    let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(schema["properties"]["steps"].is_object());
}

#[test]
fn plans_are_explained_and_drawn() {
    let bench = Bench::new(SERIES);
    assert!(says(&bench, "explain p.yaml").contains("rule "));
    assert!(says(&bench, "explain p.yaml --dot").starts_with("digraph"));
    assert!(says(&bench, "explain p.yaml --mermaid").starts_with("flowchart"));
    assert!(bench.left().is_empty());
}
