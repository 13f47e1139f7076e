//! Power cuts, as far as they can be made here: what a file system has after one is what was synced,
//! and of what was written since an arbitrary part. `POWER_CUTS=200` makes so many.
use crate::bench::{BINARY, Bench, Random};
use rustix::process::{Pid, Signal, kill_process};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const PAGE: usize = 4096;

/// Some seconds of compressing, and outputs of each kind that is gone on with.
const GRID: &str = "steps:
  - grid: { x: \"linspace(0, 1, 250)\", y: \"linspace(0, 3, 10_000)\" }
  - map: { z: sin(x * y) + cos(x - y), w: exp(x) * y }
    as: both
  - write: z.nc
    from: both
  - write: z.parquet
    from: both
  - write: c.nc
    deflate: 9
    from: both
  - filter: z > 1.25
    from: both
    as: some
  - write: z.csv
    from: some
  - write: z.arrow
    from: some
  - reduce: { s: sum(z), m: max(w), n: count() }
    from: both
    as: all
  - show: 5
";

const SUMS: &str = "steps:
  - read: c.nc
  - reduce: { s: sum(z), v: var(z), w: sum(w), x: sum(x), y: sum(y), n: count() }
";

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// All files below a folder that are on their way, or a ledger's.
fn under_way(folder: &Path, into: &mut Files) {
    // At the end of a run they get other names, and ledgers are put together.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            under_way(&path, into);
        } else if path.display().to_string().contains(".partial-") || is_ledger(&path) {
            into.extend(fs::read(&path).ok().map(|bytes| (path, bytes)));
        }
    }
}

fn is_ledger(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "ledger")
}

fn copy(bench: &Bench) -> Files {
    let mut files = Files::new();
    under_way(bench.path(), &mut files);
    files
}

/// The launcher and those that it has started.
fn family(child: &Child) -> Vec<Pid> {
    let path = format!("/proc/{0}/task/{0}/children", child.id());
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut all = vec![Pid::from_child(child)];
    all.extend(text.split_whitespace().filter_map(|n| Pid::from_raw(n.parse().ok()?)));
    all
}

fn signal(child: &Child, signal: Signal) {
    // Some may have ended.
    family(child).into_iter().for_each(|pid| {
        let _ = kill_process(pid, signal);
    });
}

/// The run is held while all that is on its way is copied.
fn held(bench: &Bench, child: &Child) -> Files {
    signal(child, Signal::STOP);
    sleep(Duration::from_millis(5));
    let files = copy(bench);
    signal(child, Signal::CONT);
    files
}

/// How often it is noted that all is synced.
fn synced(files: &Files) -> usize {
    let notes = |bytes: &Vec<u8>| bytes.windows(8).filter(|w| *w == b"\"synced\"").count();
    files.iter().filter(|(path, _)| is_ledger(path)).map(|(_, bytes)| notes(bytes)).sum()
}

/// What may be there after the cut, of a file that held `before` when all was synced, and `after`.
fn cut(
    path: &Path,
    before: Option<&Vec<u8>>,
    after: &[u8],
    random: &mut Random,
) -> Option<Vec<u8>> {
    let synced = before.map_or(0, Vec::len);
    let appended = is_ledger(path) || path.extension().is_some_and(|e| e == "log");
    if appended || before.is_none() {
        let end = synced + random.below(after.len() + 1 - synced);
        let mut bytes = after[..end].to_vec();
        match random.below(4) {
            // The length was on the disk before what it is the length of.
            0 => bytes.resize(after.len(), 0),
            1 if before.is_none() => return None,
            2 if before.is_none() => bytes = after.to_vec(),
            _ => {}
        }
        return Some(other_boot(path, bytes));
    }
    let mut bytes = after.to_vec();
    for (i, page) in bytes.chunks_mut(PAGE).enumerate() {
        let old = before.and_then(|b| b.get(i * PAGE..)).unwrap_or_default();
        if random.below(2) == 0 {
            page.fill(0);
            let len = page.len().min(old.len());
            page[..len].copy_from_slice(&old[..len]);
        }
    }
    Some(bytes)
}

/// The same records, said to be of another start of the host.
fn other_boot(path: &Path, mut bytes: Vec<u8>) -> Vec<u8> {
    let (head, sums) = (16, 28);
    if is_ledger(path) && bytes.len() > head + sums {
        let length = u32::from_le_bytes(bytes[head..head + 4].try_into().unwrap()) as usize;
        let record = head + sums..head + sums + length;
        // It may have been lost itself.
        let text = bytes.get(record.clone()).map(String::from_utf8_lossy);
        if let Some(at) = text.and_then(|text| text.find("\"boot\":\"")).map(|at| at + 8) {
            let digit = &mut bytes[record.start + at];
            *digit = if *digit == b'0' { b'1' } else { b'0' };
            let sum = Sha256::new().chain_update(&bytes[head..head + 12]);
            let sum = sum.chain_update(&bytes[record]).finalize();
            bytes[head + 12..head + 20].copy_from_slice(&sum[..8]);
        }
    }
    bytes
}

fn same(a: &Path, b: &Path) -> bool {
    let files = |path: &Path| match path.is_dir() {
        true => fs::read_dir(path).unwrap().map(|e| e.unwrap().path()).collect(),
        false => vec![path.to_path_buf()],
    };
    let sorted = |path: &Path| {
        let mut all = files(path);
        all.sort();
        all
    };
    let (a, b) = (sorted(a), sorted(b));
    a.len() == b.len()
        && a.iter().zip(&b).all(|(a, b)| fs::read(a).unwrap() == fs::read(b).unwrap())
}

#[test]
fn a_power_cut_leaves_the_right_answer_or_a_reason() {
    let mut random = Random::new();
    let seed = random.seed;
    let cuts = std::env::var("POWER_CUTS").map_or(3, |n| n.parse().unwrap());
    let good = Bench::new(GRID);
    let run = |bench: &Bench, arguments: &str| {
        let output = bench.tidemill(arguments).env("SOURCE_DATE_EPOCH", "0").output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr), output.status.code())
    };
    let (expected, err, code) = run(&good, "run p.yaml --tile 10_000 --no-state");
    assert_eq!(code, Some(0), "{err}");
    fs::write(good.path().join("sums.yaml"), SUMS).unwrap();
    let (sums, _, _) = run(&good, "run sums.yaml --no-state");
    let (mut resumed, mut late) = (0, 0);
    for trial in 0..cuts {
        let bench = Bench::new(GRID);
        let (n, w) = (1 + random.below(2), 1);
        let mut child = Command::new(BINARY)
            .current_dir(bench.path())
            .env("SOURCE_DATE_EPOCH", "0")
            .args(format!("run p.yaml --tile 10_000 -n {n} -w {w}").split(' '))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        let mut before = Files::new();
        // Sometimes the power goes before anything is synced.
        let early = random.below(4) == 0;
        while !early && synced(&before) == 0 && child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(30));
            sleep(Duration::from_millis(20));
            before = held(&bench, &child);
        }
        let time = if early { 900 } else { 400 };
        sleep(Duration::from_millis(random.below(time) as u64));
        signal(&child, Signal::KILL);
        child.wait().unwrap();
        if bench.path().join("c.nc").exists() {
            continue;
        }
        let after = copy(&bench);
        // On a busy machine more has been synced by now than is known here.
        if synced(&after) > synced(&before) {
            late += 1;
            continue;
        }
        for (path, bytes) in &after {
            let was = before.get(path);
            match cut(path, was, bytes, &mut random) {
                Some(bytes) => fs::write(path, bytes).unwrap(),
                None => fs::remove_file(path).unwrap(),
            }
        }
        let (out, err, code) = run(&bench, "run p.yaml --tile 10_000 -w 2");
        let told = format!("seed {seed}, trial {trial}: {err}");
        if code != Some(0) {
            assert!(err.contains("error"), "{told}");
            continue;
        }
        assert_eq!(out, expected, "{told}");
        resumed += u32::from(err.contains("resuming"));
        for name in ["z.nc", "z.parquet", "z.csv", "z.arrow"] {
            assert!(same(&bench.path().join(name), &good.path().join(name)), "{name}, {told}");
        }
        fs::write(bench.path().join("sums.yaml"), SUMS).unwrap();
        assert_eq!(run(&bench, "run sums.yaml --no-state").0, sums, "{told}");
    }
    println!("{resumed} of {cuts} were gone on with, {late} came too late");
}
