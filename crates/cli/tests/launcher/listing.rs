//! `files`: rows for whatever names there are.
use crate::bench::Bench;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

/// What a pipeline tells, as JSON.
fn report(bench: &Bench, arguments: &str) -> Value {
    let (out, _) = bench.good(&format!("run p.yaml --format json {arguments}"));
    serde_json::from_str(&out).unwrap()
}

fn column(report: &Value, step: &str, name: &str) -> Vec<String> {
    let rows = report["results"][step].as_array().unwrap();
    rows.iter().map(|row| row[name].as_str().unwrap_or_default().to_string()).collect()
}

#[test]
fn names_are_kept_as_they_are() {
    let bench = Bench::new("steps:\n  - files: [\"d/**/*\", \"./d/*\", \"d/x y\"]\n");
    let folder = bench.path().join("d");
    fs::create_dir_all(folder.join("inner/deep")).unwrap();
    fs::create_dir(folder.join(".git")).unwrap();
    let names = [
        "-dash",
        "_under",
        "a'b\"c",
        "x y",
        "x\ny",
        "ü.tar.gz",
        "[1].png",
        "$home",
        "inner/deep/z",
    ];
    for name in names.iter().chain(&[".hidden", ".git/config"]) {
        fs::write(folder.join(name), "four").unwrap();
    }
    symlink("x y", folder.join("link")).unwrap();
    let told = report(&bench, "-w 1");
    assert!(told["warnings"].as_array().is_none_or(Vec::is_empty), "{told}");
    // What is found as `./d/x` and as `d/x` has the name that comes first.
    let dot = |name: &str| if name.contains('/') { "" } else { "./" };
    let mut expected: Vec<String> =
        names.iter().chain(&["link"]).map(|name| format!("{}d/{name}", dot(name))).collect();
    expected.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    assert_eq!(column(&told, "files", "path"), expected);
    assert_eq!(told["results"], report(&bench, "-n 2 -w 2 --tile 2")["results"]);
    let row = &told["results"]["files"]
        .as_array()
        .unwrap()
        .iter()
        .find(|r| r["name"] == "ü.tar.gz")
        .unwrap()
        .clone();
    assert_eq!(
        (&row["stem"], &row["suffix"], &row["size"]),
        (&"ü.tar".into(), &".gz".into(), &4.into())
    );
}

#[test]
fn what_is_left_out_is_told() {
    let bench = Bench::new("steps:\n  - files: \"d/*\"\n");
    let folder = bench.path().join("d");
    fs::create_dir(&folder).unwrap();
    for name in ["good", "bad\u{fffd}"] {
        fs::write(folder.join(name), "").unwrap();
    }
    fs::write(folder.join(OsStr::from_bytes(b"b\xffd")), "").unwrap();
    symlink("nowhere", folder.join("dangling")).unwrap();
    let told = report(&bench, "");
    assert_eq!(column(&told, "files", "name"), ["bad\u{fffd}", "good"]);
    let warnings: Vec<&str> = told["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| w["message"].as_str().unwrap())
        .collect();
    assert!(
        warnings.iter().any(|w| w.contains(r#""d/b\xFFd" is left out: its name is not UTF-8"#)),
        "{warnings:?}"
    );
    assert!(warnings.iter().any(|w| w.contains("a link that leads nowhere")), "{warnings:?}");
    let (_, err, code) = bench.run("run p.yaml --deny warnings");
    assert_eq!(code, 2, "{err}");
}

#[test]
fn an_output_that_the_next_run_would_list_is_refused() {
    for (pattern, refused) in
        [("d/*.csv", true), ("**/*.csv", true), ("d/**", true), ("*/a.*", false)]
    {
        for operator in ["files", "read"] {
            let steps = format!("steps:\n  - {operator}: \"{pattern}\"\n  - write: d/list.csv\n");
            let bench = Bench::new(&steps);
            fs::create_dir(bench.path().join("d")).unwrap();
            fs::write(bench.path().join("d/a.csv"), "v\n1\n").unwrap();
            let (_, err, code) = bench.run("check p.yaml");
            assert_eq!(code, if refused { 2 } else { 0 }, "{operator} {pattern}: {err}");
            let told = err.contains("the next run would read `d/list.csv`");
            assert_eq!(told, refused, "{operator} {pattern}: {err}");
        }
    }
}

#[test]
fn a_file_with_the_name_of_a_pattern_is_read() {
    let bench = Bench::new("steps:\n  - read: scan[1].csv\n  - write: out.csv\n");
    fs::write(bench.path().join("scan[1].csv"), "v\n1\n").unwrap();
    fs::write(bench.path().join("scan1.csv"), "v\n2\n").unwrap();
    bench.good("run p.yaml --no-state");
    assert_eq!(fs::read_to_string(bench.path().join("out.csv")).unwrap(), "v\n1\n");
}

#[test]
fn the_files_of_another_run_are_other_rows() {
    let bench =
        Bench::new("steps:\n  - files: \"d/*\"\n  - select: [name, size]\n  - write: out.csv\n");
    fs::create_dir(bench.path().join("d")).unwrap();
    fs::write(bench.path().join("d/a"), "").unwrap();
    let out = || fs::read_to_string(bench.path().join("out.csv")).unwrap();
    bench.good("run p.yaml");
    assert_eq!(out(), "name,size\na,0\n");
    fs::write(bench.path().join("d/b"), "12").unwrap();
    fs::write(bench.path().join("d/a"), "1").unwrap();
    bench.good("run p.yaml");
    assert_eq!(out(), "name,size\na,1\nb,2\n");
}

#[test]
fn what_is_joined_with_listed_files_is_made_anew_when_others_are_listed() {
    let steps = "steps:\n  - read: names.csv\n    as: names\n  - files: \"d/*\"\n    as: listed\n  \
                 - join: name\n    from: [names, listed]\n  - reduce: { n: count(), s: sum(size) }\n  \
                 - write: out.csv\n";
    let bench = Bench::new(steps);
    fs::write(bench.path().join("names.csv"), "name\na\nb\nc\n").unwrap();
    fs::create_dir(bench.path().join("d")).unwrap();
    fs::write(bench.path().join("d/a"), "1").unwrap();
    let out = || fs::read_to_string(bench.path().join("out.csv")).unwrap();
    bench.good("run p.yaml");
    assert_eq!(out(), "n,s\n1,1\n");
    fs::write(bench.path().join("d/b"), "22").unwrap();
    bench.good("run p.yaml --overwrite");
    assert_eq!(out(), "n,s\n2,3\n");
}
