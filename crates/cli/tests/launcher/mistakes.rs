//! What a user may get wrong.
use crate::bench::{Bench, SERIES};

#[test]
fn wrong_flags_are_usage_errors() {
    let bench = Bench::new(SERIES);
    for arguments in [
        "",
        "runn p.yaml",
        "run",
        "run p.yaml --set n",
        "run p.yaml -w 0",
        "run p.yaml -n 0",
        "run p.yaml --tile 0",
        "run p.yaml --tile lat=x",
        "run p.yaml --format xml",
        "explain p.yaml --dot --mermaid",
    ] {
        let (out, err, code) = bench.run(arguments);
        assert_eq!((out.as_str(), code), ("", 2), "{arguments}: {err}");
        assert!(!err.is_empty());
    }
}

#[test]
fn mistakes_in_the_file_are_all_told_with_their_places() {
    let text = SERIES.replace("1 / k", "1 / kk").replace("range:", "rnge:");
    let bench = Bench::new(&text);
    for verb in ["run p.yaml", "check p.yaml", "explain p.yaml", "run p.yaml -n 2"] {
        let (out, err, code) = bench.run(verb);
        assert_eq!((out.as_str(), code), ("", 2), "{verb}");
        assert!(err.contains("p.yaml:4:5") && err.contains("`range`"), "{verb}: {err}");
    }
}

#[test]
fn a_missing_pipeline_is_told() {
    let (_, err, code) = Bench::new("").run("run nowhere.yaml");
    assert_eq!(code, 2);
    assert!(err.contains("nowhere.yaml"), "{err}");
}

#[test]
fn an_unknown_parameter_is_told() {
    let (_, err, code) = Bench::new(SERIES).run("run p.yaml --set digit=3");
    assert_eq!(code, 2);
    assert!(err.contains("digits"), "{err}");
}

#[test]
fn too_much_memory_is_refused() {
    let text =
        "steps:\n  - range: { k: 1..=1e13 }\n  - map: { z: sqrt(k) }\n  - write: z.parquet\n";
    let bench = Bench::new(text);
    let (out, err, code) = bench.run("run p.yaml --tile 1e12 -w 1");
    assert_eq!((out.as_str(), code), ("", 5), "{err}");
    assert!(err.contains("--tile"), "{err}");
    assert!(bench.left().is_empty());
}

#[test]
fn the_hidden_verb_is_not_for_users() {
    let (out, _, code) = Bench::new("").run("process-of-a-run");
    assert_eq!((out.as_str(), code), ("", 4));
}
