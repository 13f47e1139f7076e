//! Groups and rows that need several times the memory they are given: the same bits, within it.
use crate::bench::{BINARY, Bench};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// A million groups, in the order of their keys.
const GROUPS: &str = "title: Many groups
params: { n: 1000000 }
steps:
  - range: { i: 0..n }
  - map: { k: i * 7919 % n, v: sin(i) }
  - reduce: { s: sum(v), most: max(v), n: count() }
    by: k
  - write: out.parquet
";

/// A million rows in the order of a number without any.
const ROWS: &str = "title: Many rows
params: { n: 1000000 }
steps:
  - range: { i: 0..n }
  - map: { v: sin(i * i), a: i + 1, b: i * 2, c: cos(i), d: i * 3 }
  - sort: v
  - write: out.arrow
";

/// A table beside another one that is too large to be given to all processes.
const JOIN: &str = "title: A large join
params: { n: 2200000 }
steps:
  - range: { i: 0..n }
  - map: { k: i * 7919 % n, v: i * 2, w: i * 3 }
    as: right
  - range: { j: 0..300000 }
  - map: { k: j * 31 }
    as: left
  - join: k
    from: [left, right]
    how: left
  - write: out.arrow
";

/// The most memory that a process and each of its children has had, as `/proc` says, until it ends.
fn peaks(child: &mut Child) -> Vec<u64> {
    let mut peaks = std::collections::HashMap::new();
    loop {
        let pids = fs::read_dir("/proc").unwrap().flatten();
        let pids = pids.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
        for pid in pids {
            let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { continue };
            let number = |name: &str| {
                let line = status.lines().find(|line| line.starts_with(name))?;
                line.split_whitespace().nth(1)?.parse::<u64>().ok()
            };
            if pid == child.id() || number("PPid:") == Some(child.id().into()) {
                peaks.insert(pid, number("VmHWM:").unwrap_or(0) * 1024);
            }
        }
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return peaks.into_values().collect();
        }
        sleep(Duration::from_millis(20));
    }
}

/// The bytes of an output, its parts one after the other.
fn written(path: &Path) -> Vec<Vec<u8>> {
    if path.is_file() {
        return vec![fs::read(path).unwrap()];
    }
    let mut parts: Vec<_> = fs::read_dir(path).unwrap().map(|e| e.unwrap().path()).collect();
    parts.sort();
    parts.iter().map(|part| fs::read(part).unwrap()).collect()
}

/// Runs a pipeline in so many megabytes a process with one thread, and with three.
fn within(pipeline: &str, output: &str, one: u64, three: u64) {
    let bench = Bench::new(pipeline);
    let path = bench.path().join(output);
    let run = |arguments: &str| {
        let arguments = format!("run p.yaml --overwrite --no-state --tile 20000 {arguments}");
        let mut child = Command::new(BINARY)
            .current_dir(bench.path())
            .args(arguments.split_whitespace())
            .env("TIDEMILL_SPILL", bench.path())
            .env("SOURCE_DATE_EPOCH", "1000000000")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let peaks = peaks(&mut child);
        let notes = child.wait_with_output().unwrap().stderr;
        (peaks, String::from_utf8(notes).unwrap(), written(&path))
    };
    let (_, notes, free) = run("-w 2 --memory 4GB");
    assert!(!notes.contains("spilled"), "{notes}");
    let spread = [("-w 1", one), ("-w 3", three), ("-n 2 -w 1", one), ("-n 2 -w 3", three)];
    for (how, memory) in spread {
        let (peaks, notes, found) = run(&format!("{how} --memory {memory}MB"));
        assert!(notes.contains("spilled"), "{how}: {notes}");
        assert!(found == free, "{how}: another result");
        let most = peaks.iter().max().unwrap() / 1_000_000;
        assert!(most <= memory, "{how}: {most} MB of {memory}: {notes}");
    }
    // The pipeline and the output: nothing of what was spilled.
    assert_eq!(bench.left(), [Path::new(output)]);
}

#[test]
fn groups() {
    within(GROUPS, "out.parquet", 120, 120);
}

#[test]
fn rows() {
    within(ROWS, "out.arrow", 150, 180);
}

#[test]
fn joins() {
    within(JOIN, "out.arrow", 60, 120);
}

#[test]
fn joins_with_what_all_have() {
    // All processes get the table, and it needs four times what is left for it.
    within(&JOIN.replace("n: 2200000", "n: 600000"), "out.arrow", 75, 125);
}

#[test]
fn a_folder_to_spill_to_must_be_there() {
    let bench = Bench::new(GROUPS);
    let (_, notes, code) = bench.run("run p.yaml --memory 200MB --spill nowhere");
    assert_eq!(code, 1, "{notes}");
    assert!(notes.contains("nowhere is no folder for --spill"), "{notes}");
}

#[test]
fn what_is_fixed_must_fit() {
    let bench = Bench::new(GROUPS);
    let (_, notes, code) = bench.run("run p.yaml --memory 20MB");
    assert_eq!(code, 5, "{notes}");
    assert!(notes.contains("(--memory)"), "{notes}");
    let (text, notes, code) = bench.run("explain p.yaml --memory 200MB");
    assert_eq!(code, 0, "{notes}");
    assert!(text.contains("rows and groups beyond"), "{text}");
}

#[test]
fn all_matches_of_a_tile_must_fit() {
    let bench = Bench::new(
        "steps:
  - range: { i: 0..8000 }
  - map: { k: i * 0, v: i * 2 }
    as: right
  - range: { j: 0..8000 }
  - map: { k: j * 0 }
    as: left
  - join: k
    from: [left, right]
  - reduce: { n: count(), s: sum(v) }
",
    );
    for how in ["-w 2", "-n 2 -w 1"] {
        let (_, notes, code) = bench.run(&format!("run p.yaml --memory 200MB {how}"));
        assert_eq!(code, 5, "{notes}");
        let wanted =
            "64000000 rows of the right side of a join match those of one tile of the left";
        assert!(notes.contains(wanted) && notes.contains("smaller tiles (`--tile`)"), "{notes}");
    }
    let (found, notes, code) = bench.run("run p.yaml --memory 200MB -w 2 --tile 50");
    assert_eq!(code, 0, "{notes}");
    assert!(found.contains("64000000"), "{found}");
}
