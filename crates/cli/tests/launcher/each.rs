//! `each`: a small pipeline for every row.
use crate::bench::Bench;
use serde_json::Value;
use std::fs;

/// Tables of stations: some good, one with another column, one empty, one that is not there.
const STATIONS: &str = "title: Stations
steps:
  - range: { i: 1..=8 }
  - map: { gain: i * 10 }
  - each:
      - read: in/s${i}.csv
      - map: { u: t * gain }
      - write: out/r${i}.csv
      - reduce: { m: mean(u), n: count() }
";

fn stations(more: &str) -> Bench {
    let bench = Bench::new(&format!("{STATIONS}{more}"));
    let folder = bench.path().join("in");
    fs::create_dir(&folder).unwrap();
    for i in 1..=4 {
        fs::write(folder.join(format!("s{i}.csv")), format!("t\n{i}.5\n{i}.0\n")).unwrap();
    }
    fs::write(folder.join("s5.csv"), "other\n1\n").unwrap();
    fs::write(folder.join("s6.csv"), "").unwrap();
    fs::write(folder.join("s8.csv"), "t\n8.5\n").unwrap();
    bench
}

fn rows(bench: &Bench, arguments: &str) -> Vec<Value> {
    let (out, _) = bench.good(&format!("run p.yaml --format json {arguments}"));
    let report: Value = serde_json::from_str(&out).unwrap();
    report["results"]["each"].as_array().unwrap().clone()
}

#[test]
fn bad_files_among_good_ones_are_errors_of_their_rows() {
    let bench = stations("    on_error: keep\n    errors: failed.csv\n");
    let all = rows(&bench, "-w 1");
    assert_eq!(all.len(), 8);
    let failed: Vec<bool> = all.iter().map(|row| !row["error"].is_null()).collect();
    assert_eq!(failed, [false, false, false, false, true, true, true, false]);
    assert_eq!((&all[1]["m"], &all[1]["n"]), (&45.0.into(), &2.into()));
    for (row, words) in [
        (4, "step \"read\" (p.yaml:6:15): in/s5.csv"),
        (5, "step \"read\" (p.yaml:6:15): in/s6.csv"),
        (6, "step \"read\" (p.yaml:6:15): there is no file `in/s7.csv`"),
    ] {
        let error = all[row]["error"].as_str().unwrap();
        assert!(error.contains(words), "{error}");
        assert!(all[row]["m"].is_null());
    }
    let letters = fs::read_to_string(bench.path().join("failed.csv")).unwrap();
    assert_eq!(letters.lines().count(), 4, "{letters}");
    let written = |i: u32| bench.path().join(format!("out/r{i}.csv"));
    assert_eq!(fs::read_to_string(written(2)).unwrap(), "t,u\n2.5,50.0\n2.0,40.0\n");
    assert!(!written(5).exists() && !written(6).exists());
    for arguments in ["-w 3", "-n 2 -w 1", "-n 2 -w 2"] {
        assert_eq!(rows(&bench, &format!("--overwrite {arguments}")), all, "{arguments}");
    }
}

#[test]
fn failed_rows_can_be_left_out() {
    let bench = stations("    on_error: skip\n");
    let all = rows(&bench, "-w 2");
    let kept: Vec<i64> = all.iter().filter_map(|row| row["i"].as_i64()).collect();
    assert_eq!(kept, [1, 2, 3, 4, 8]);
}

#[test]
fn the_first_failed_row_ends_the_run_if_nothing_is_said() {
    let bench = stations("");
    let (_, err, code) = bench.run("run p.yaml -w 2");
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("in/s5.csv") && err.contains("i: 5"), "{err}");
    let staged = fs::read_dir(bench.path().join("out")).unwrap();
    let names: Vec<String> =
        staged.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.iter().all(|name| !name.contains("partial")), "{names:?}");
}

#[test]
fn two_rows_that_write_one_name_are_told_apart() {
    let bench = Bench::new(
        "steps:\n  - range: { i: 0..4 }\n  - each:\n      - range: { k: 0..3 }\n      - write: out/r${i // 2}.csv\n    on_error: keep\n",
    );
    let (out, _) = bench.good("run p.yaml --format json -w 1");
    let report: Value = serde_json::from_str(&out).unwrap();
    let rows = report["results"]["each"].as_array().unwrap();
    let failed = rows.iter().filter(|row| !row["error"].is_null()).count();
    assert_eq!((rows.len(), failed), (4, 2), "{out}");
    assert!(out.contains("another row writes") || out.contains("exists already"), "{out}");
}

#[test]
fn a_row_can_become_none_or_many_and_batches_can_be_empty() {
    let bench = Bench::new(
        "params: { most: 4 }\nsteps:\n  - range: { i: 0..most }\n  - each:\n      - range: { k: 0..i }\n      - map: { v: k * i }\n    like: { i: 3 }\n",
    );
    let all = rows(&bench, "-w 2");
    let pairs: Vec<(i64, i64)> =
        all.iter().map(|r| (r["i"].as_i64().unwrap(), r["v"].as_i64().unwrap())).collect();
    assert_eq!(pairs, [(1, 0), (2, 0), (2, 2), (3, 0), (3, 3), (3, 6)]);
    assert!(rows(&bench, "--set most=0").is_empty());
}

#[test]
fn rows_that_are_done_are_not_done_again() {
    let bench = stations("    on_error: keep\n");
    let first = rows(&bench, "-w 2");
    let file = bench.path().join("out/r2.csv");
    let before = file.metadata().unwrap().modified().unwrap();
    fs::write(bench.path().join("in/s7.csv"), "t\n7\n8\n").unwrap();
    let second = rows(&bench, "-w 1");
    assert_eq!(file.metadata().unwrap().modified().unwrap(), before);
    assert_eq!(second[..6], first[..6]);
    assert_eq!(second[6]["m"], 525.0);
}

#[test]
fn what_comes_of_a_reduction_needs_an_example() {
    let steps = "steps:\n  - rows: [{ a: 1 }, { a: 2 }, { a: 2 }]\n  - reduce: { n: count() }\n    by: a\n  - each:\n      - range: { k: 0..n }\n      - reduce: { s: sum(k * a) }\n";
    let (_, err, code) = Bench::new(steps).run("run p.yaml");
    assert_eq!(code, 2);
    assert!(err.contains("like:"), "{err}");
    let bench = Bench::new(&format!("{steps}    like: {{ a: 1, n: 3 }}\n"));
    let all = rows(&bench, "-w 2");
    assert_eq!((all.len(), &all[1]["s"]), (2, &2.into()));
}
