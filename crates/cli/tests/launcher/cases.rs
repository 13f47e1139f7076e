//! The pipeline files in `tests/cases/` and `pipelines/`: their tests pass, and their results have
//! the same bits on any number of threads, processes and tiles, and without any of the rules.
use crate::bench::Bench;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let entries = std::fs::read_dir(folder.canonicalize().unwrap()).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    // Those need packages of Python: `make interop` runs them.
    let python = |p: &Path| p.file_stem().is_some_and(|s| s.to_string_lossy().ends_with("_python"));
    files.retain(|p| p.extension().is_some_and(|e| e == "yaml") && !python(p));
    files.sort();
    assert!(files.len() >= 10, "the files are there");
    files
}

fn tested(folder: &str, threads: usize) {
    let bench = Bench::new("");
    let names: Vec<String> = files(folder).iter().map(|p| p.display().to_string()).collect();
    let (out, err, code) = bench.run(&format!("test -w {threads} {}", names.join(" ")));
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn cases_pass_on_one_thread() {
    tested("tests/cases", 1);
}

#[test]
fn cases_pass_on_three_threads() {
    tested("tests/cases", 3);
}

#[test]
fn examples_pass() {
    tested("pipelines", 3);
}

/// What a file's steps report, run with these arguments.
fn results(file: &Path, arguments: &str) -> String {
    let command = format!("run {} --format json {arguments}", file.display());
    let (out, err, code) = Bench::new("").run(&command);
    assert_eq!(code, 0, "{} {arguments}: {err}", file.display());
    let report: Value = serde_json::from_str(&out).unwrap();
    report["results"].to_string()
}

#[test]
fn cases_have_the_same_bits_everywhere() {
    for file in files("tests/cases") {
        let results = |arguments: &str| results(&file, arguments);
        let one = results("-w 1 --tile 1000000000");
        for arguments in ["-w 3", "-w 3 --tile 13000", "-n 2 -w 1 --tile 170", "-n 2 -w 2"] {
            assert_eq!(results(arguments), one, "{} {arguments}", file.display());
        }
    }
}

#[test]
fn rules_do_not_change_the_bits() {
    let rules: Vec<&str> = plan::rules::RULES.iter().map(|rule| rule.name).collect();
    for file in files("tests/cases") {
        let results = |arguments: &str| results(&file, arguments);
        let all = results("-w 2");
        for rule in &rules {
            assert_eq!(
                results(&format!("-w 2 --without {rule}")),
                all,
                "{} {rule}",
                file.display()
            );
        }
        let none = format!("-n 2 -w 1 --tile 1700 --without {}", rules.join(","));
        assert_eq!(results(&none), all, "{} without rules", file.display());
    }
}
