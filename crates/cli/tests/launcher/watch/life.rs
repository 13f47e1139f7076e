//! What happens to files, one after the other, and rows that are told of it as JSON: they make the
//! table at every moment.
use super::{PIPELINE, Watching, bench, cold, input, output, put};
use crate::bench::Bench;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

/// The rows that changes as JSON make, as CSV.
fn made(bench: &Bench) -> Vec<String> {
    let mut rows: BTreeMap<String, i64> = BTreeMap::new();
    for line in fs::read_to_string(bench.path().join("changes.json")).unwrap().lines() {
        let change: Value = serde_json::from_str(line).unwrap();
        let cells = change["row"].as_object().unwrap().values().map(Value::to_string);
        let count = rows.entry(cells.collect::<Vec<_>>().join(",")).or_default();
        *count += if change["change"] == "+" { 1 } else { -1 };
        assert!((0..=1).contains(count), "{line}");
    }
    rows.into_iter().filter(|(_, count)| *count > 0).map(|(row, _)| row).collect()
}

/// A file that is half written is in the folder under its own name.
fn halve(bench: &Bench, i: u64) -> Vec<u8> {
    let whole = fs::read(input(bench, i)).unwrap();
    fs::write(input(bench, i), &whole[..whole.len() / 2]).unwrap();
    whole
}

fn lives(arguments: &str) {
    let bench = bench();
    let pipeline = PIPELINE.replace("mean: mean(x), ", "").replace("sum(x)", "sum(k)");
    fs::write(bench.path().join("p.yaml"), &pipeline).unwrap();
    let to = File::create(bench.path().join("changes.json")).unwrap();
    let arguments = format!("{arguments} --changes --format json");
    let watching = Watching::printing(&bench, &arguments, to.into());
    let same = |what: &str| {
        assert_eq!(output(&bench), cold(&bench), "{what}");
        let mut rows: Vec<String> = output(&bench).lines().skip(1).map(str::to_owned).collect();
        rows.sort();
        assert_eq!(made(&bench), rows, "{what}");
    };
    watching.until("4 new: up to date");
    same("at first");
    // A file arrives half, and becomes whole.
    fs::copy(input(&bench, 3), input(&bench, 9)).unwrap();
    let whole = halve(&bench, 9);
    watching.until("09.parquet");
    fs::write(input(&bench, 9), whole).unwrap();
    watching.until("1 new: up to date");
    same("whole");
    // Many at once.
    for i in 10..60 {
        fs::copy(input(&bench, i % 4), input(&bench, i)).unwrap();
    }
    let mut new = 0;
    while new < 50 {
        let line = watching.until(" new: up to date");
        new += line.split(' ').next().unwrap().parse::<u64>().unwrap();
    }
    same("50 at once");
    // The pipeline gets a mistake, which is mended; meanwhile a file goes.
    fs::write(bench.path().join("p.yaml"), pipeline.replace("sum(k)", "sum(nothing)")).unwrap();
    watching.until("begins anew");
    fs::remove_file(input(&bench, 59)).unwrap();
    fs::write(bench.path().join("p.yaml"), pipeline.replace("k % 5", "k % 7")).unwrap();
    watching.until("up to date in");
    same("mended");
    // All files go, and others come.
    for i in 0..60 {
        drop(fs::remove_file(input(&bench, i)));
    }
    watching.until("no files are left");
    put(&bench, 5, 5, 15);
    watching.until("up to date in");
    same("filled again");
    put(&bench, 6, 6, 16);
    watching.until("1 new: up to date");
    same("two");
    watching.end();
}

#[test]
fn in_one_process() {
    lives("");
}

#[test]
fn in_two_processes() {
    lives("-n 2");
}

/// Their rows count in the places of those behind them, until it is found out.
#[test]
fn files_that_open_and_cannot_be_read_are_told_once() {
    for arguments in ["", "-n 2"] {
        let bench = bench();
        let pipeline = PIPELINE.replace("in/*", "good/*");
        fs::write(bench.path().join("good.yaml"), pipeline).unwrap();
        fs::create_dir(bench.path().join("good")).unwrap();
        let spoil = |i: u64| {
            let mut bytes = fs::read(input(&bench, i)).unwrap();
            bytes[4..100].fill(0xff);
            fs::write(input(&bench, i), bytes).unwrap();
        };
        // What counts: good files, and those that were.
        let good = |not: &[u64]| {
            for i in (0..10).filter(|i| !not.contains(i) && input(&bench, *i).exists()) {
                let name = format!("good/{i:02}.parquet");
                fs::copy(input(&bench, i), bench.path().join(name)).unwrap();
            }
            let (_, errors, code) = bench.run("run good.yaml -q --overwrite --out cold");
            assert_eq!(code, 0, "{errors}");
            fs::read_to_string(bench.path().join("cold/out/groups.csv")).unwrap()
        };
        let watching = Watching::start(&bench, arguments);
        watching.until("4 new: up to date");
        assert_eq!(output(&bench), good(&[]));
        let quiet = || {
            std::thread::sleep(Duration::from_millis(400));
            let lines: Vec<String> = watching.lines.try_iter().collect();
            assert!(lines.iter().all(|line| line.contains("up to date")), "{lines:#?}");
        };
        spoil(1);
        watching.until("left as it was");
        quiet();
        put(&bench, 6, 600, 9);
        watching.until("1 new: up to date");
        assert_eq!(output(&bench), good(&[1]));
        // One that was never good, in front of another.
        fs::copy(input(&bench, 3), bench.path().join("new")).unwrap();
        let mut bytes = fs::read(bench.path().join("new")).unwrap();
        bytes[4..100].fill(0xff);
        fs::write(bench.path().join("new"), bytes).unwrap();
        fs::rename(bench.path().join("new"), input(&bench, 5)).unwrap();
        watching.until("left as it was");
        quiet();
        assert_eq!(output(&bench), good(&[1, 5]));
        put(&bench, 7, 700, 3);
        watching.until("1 new: up to date");
        assert_eq!(output(&bench), good(&[1, 5]));
        put(&bench, 1, 100, 25);
        watching.until("1 changed: up to date");
        put(&bench, 5, 500, 4);
        watching.until("1 new: up to date");
        assert_eq!(output(&bench), good(&[]));
        watching.end();
    }
}

/// What somebody has put into an output, or under its name, is not taken away at the next change.
#[test]
fn an_output_that_has_become_something_else_stays() {
    let bench = bench();
    let pipeline = PIPELINE.replace("groups.csv", "groups.parquet");
    fs::write(bench.path().join("p.yaml"), pipeline).unwrap();
    let watching = Watching::start(&bench, "--no-state");
    watching.until("up to date in");
    let (out, moved) = (bench.path().join("out/groups.parquet"), bench.path().join("moved"));
    fs::write(out.join("notes.txt"), "mine").unwrap();
    put(&bench, 4, 400, 10);
    let line = watching.until("holds `notes.txt`");
    assert!(line.contains("outputs stay as they are"), "{line}");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 3);
    fs::rename(&out, &moved).unwrap();
    symlink(&moved, &out).unwrap();
    put(&bench, 5, 500, 10);
    watching.until("is a symbolic link");
    assert!(out.is_symlink());
    assert_eq!(fs::read_dir(&moved).unwrap().count(), 3);
    fs::remove_file(&out).unwrap();
    put(&bench, 6, 600, 10);
    let end = Instant::now() + Duration::from_secs(30);
    while !out.is_dir() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(fs::read_dir(&out).unwrap().count(), 2);
    watching.end();
}
