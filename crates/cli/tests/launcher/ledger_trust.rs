//! Ledgers that are copies, that others own or forged, links in their place; staged work that
//! something else has changed; inputs that change while they are read.
use crate::bench::{BINARY, Bench};
use rustix::fs::{Gid, Uid, chown};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Writes a file of each kind, for a while.
const KINDS: &str = "steps:
  - range: { i: 1..=400_000 }
  - map: { v: sin(i), key: floor(10 * cos(i)) }
    as: rows
  - write: a.csv
  - write: b.arrow
    from: rows
  - write: c.parquet
    from: rows
  - write: d.nc
    from: rows
";

/// Not root's and hardly this test's.
const NOBODY: u32 = 65534;

fn start(folder: &Path, arguments: &str) -> Child {
    let mut command = Command::new(BINARY);
    command.current_dir(folder).args(arguments.split_whitespace());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until something is true.
fn until(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(40), "never: {what}");
        sleep(Duration::from_millis(2));
    }
}

/// What is staged in a folder.
fn staged(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut all: Vec<PathBuf> =
        entries.filter(|p| p.display().to_string().contains(".partial-")).collect();
    all.sort();
    all
}

/// A folder with a run in it that has written some parts and is killed.
fn killed(arguments: &str) -> Bench {
    let bench = Bench::new(KINDS);
    let mut child = start(bench.path(), arguments);
    let parts = || {
        let all = staged(bench.path());
        let part = all.iter().find(|p| p.display().to_string().contains("c.parquet"));
        part.map_or(0, |p| fs::read_dir(p).map_or(0, Iterator::count))
    };
    until("parts are written", || parts() > 20);
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    assert_eq!(staged(bench.path()).len(), 4);
    bench
}

fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap();
    assert!(done.success());
}

fn says(text: &str, words: &str) {
    assert!(text.contains(words), "no `{words}` in {text}");
}

/// Outputs of an undisturbed run, in the folder `good`.
fn good(bench: &Bench) {
    bench.good("run p.yaml --tile 2000 --no-state --out good");
}

fn equal(bench: &Bench, name: &str) {
    let read = |path: PathBuf| fs::read(path).unwrap();
    let good = bench.path().join("good").join(name);
    assert!(read(bench.path().join(name)) == read(good), "{name}");
}

#[test]
fn a_copy_of_a_folder_touches_only_the_copy() {
    let bench = killed("run p.yaml --tile 2000 -w 1");
    let (before, other) = (staged(bench.path()), tempfile::tempdir().unwrap());
    for (n, verb) in ["clean .", "run p.yaml --tile 2000"].into_iter().enumerate() {
        let there = other.path().join(n.to_string());
        copy(bench.path(), &there);
        assert_eq!(staged(&there).len(), 4);
        let output = start(&there, verb).wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{verb}: {err}");
        assert_eq!(staged(&there), [""; 0].map(PathBuf::from), "{verb}");
        assert_eq!(staged(bench.path()), before, "{verb}");
    }
    let (_, err) = bench.good("run p.yaml --tile 2000");
    says(&err, "resuming");
    assert_eq!(staged(bench.path()), [""; 0].map(PathBuf::from));
}

#[test]
fn a_run_in_a_copy_does_not_disturb_the_run_in_the_original() {
    let bench = Bench::new(KINDS);
    let child = start(bench.path(), "run p.yaml --tile 1000 -w 1");
    until("all is staged", || staged(bench.path()).len() == 4);
    let other = tempfile::tempdir().unwrap();
    let there = other.path().join("copy");
    copy(bench.path(), &there);
    let cleaned = start(&there, "clean .").wait_with_output().unwrap();
    assert!(cleaned.status.success());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        bench.path().join("a.csv").exists() && bench.path().join("c.parquet/_SUCCESS").exists()
    );
    assert_eq!(staged(&there).len(), 0);
}

/// A ledger in a folder of its own choice that is copied tells of the original's staged work, which
/// stays where it is.
#[test]
fn a_copied_ledger_does_not_end_what_the_original_has_staged() {
    let bench = killed("run p.yaml --tile 2000 -w 1 --state s1");
    copy(&bench.path().join("s1"), &bench.path().join("s2"));
    let before = staged(bench.path());
    let (removed, _) = bench.good("clean s2");
    assert!(!removed.contains("partial"), "{removed}");
    assert_eq!(staged(bench.path()), before);
    let (removed, _) = bench.good("clean s1");
    assert_eq!(removed.matches("partial").count(), 4);
}

#[test]
fn a_ledger_that_belongs_to_another_user_is_refused() {
    let give = |path: &Path| chown(path, Some(Uid::from_raw(NOBODY)), None::<Gid>).is_ok();
    let text = "steps:\n  - range: { i: 0..9 }\n  - write: o.csv\n";
    for what in [".tidemill/o.csv", ".tidemill/o.csv/lock", ".tidemill/o.csv/merged.ledger"] {
        let bench = Bench::new(text);
        bench.good("run p.yaml");
        let path = bench.path().join(what);
        let merged = bench.path().join(".tidemill/o.csv/merged.ledger");
        if !merged.exists() {
            let ledger = fs::read_dir(merged.parent().unwrap()).unwrap().map(|e| e.unwrap().path());
            let ledger = ledger.into_iter().find(|p| p.extension() == Some("ledger".as_ref()));
            fs::rename(ledger.unwrap(), merged).unwrap();
        }
        // Only root can give files away.
        if !give(&path) {
            return;
        }
        for verb in ["run p.yaml", "run p.yaml -n 2", "run p.yaml --overwrite", "clean ."] {
            let (_, err, code) = bench.run(verb);
            assert_eq!(code, 1, "{what}, {verb}: {err}");
            says(&err, "belongs to another user (uid 65534)");
            assert!(path.exists() && path.metadata().unwrap().uid() == NOBODY, "{what}, {verb}");
        }
        bench.good("run p.yaml --no-state --overwrite");
    }
    // What is staged.
    let bench = killed("run p.yaml --tile 2000 -w 1");
    let file = staged(bench.path()).into_iter().find(|p| p.display().to_string().contains("a.csv"));
    let file = file.unwrap();
    assert!(give(&file));
    let (_, err, code) = bench.run("run p.yaml --tile 2000");
    assert_eq!(code, 1, "{err}");
    says(&err, "belongs to another user (uid 65534)");
    let (_, err) = bench.good("clean .");
    says(&err, "belongs to another user (uid 65534)");
    assert_eq!(staged(bench.path()), [file]);
}

#[test]
fn nothing_of_a_ledger_or_staged_is_reached_through_a_link() {
    let elsewhere = tempfile::tempdir().unwrap();
    let victim = elsewhere.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    let bench = Bench::new("steps:\n  - range: { i: 0..9 }\n  - write: o.csv\n");
    // The folder of ledgers, a ledger's folder, its lock.
    symlink(elsewhere.path(), bench.path().join(".tidemill")).unwrap();
    let (_, err, code) = bench.run("run p.yaml");
    assert_eq!(code, 1, "{err}");
    says(&err, "symbolic link");
    fs::remove_file(bench.path().join(".tidemill")).unwrap();
    fs::create_dir(bench.path().join(".tidemill")).unwrap();
    symlink(elsewhere.path(), bench.path().join(".tidemill/o.csv")).unwrap();
    says(&bench.run("run p.yaml").1, "symbolic link");
    fs::remove_file(bench.path().join(".tidemill/o.csv")).unwrap();
    fs::create_dir(bench.path().join(".tidemill/o.csv")).unwrap();
    symlink(&victim, bench.path().join(".tidemill/o.csv/lock")).unwrap();
    says(&bench.run("run p.yaml").1, "symbolic link");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
    // What is staged: the ledger knows the link's number.
    let bench = killed("run p.yaml --tile 2000 -w 1");
    let file = staged(bench.path()).into_iter().find(|p| p.display().to_string().contains("a.csv"));
    fs::remove_file(file.as_ref().unwrap()).unwrap();
    symlink(&victim, file.as_ref().unwrap()).unwrap();
    let (_, err, code) = bench.run("run p.yaml --tile 2000");
    assert_eq!(code, 1, "{err}");
    says(&err, "is a symbolic link, which no run has staged");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    fs::remove_file(file.unwrap()).unwrap();
    bench.good("run p.yaml --tile 2000");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert!(bench.path().join("a.csv").symlink_metadata().unwrap().is_file());
}

#[test]
fn staged_work_that_was_changed_after_a_kill_is_done_again() {
    let bench = killed("run p.yaml --tile 2000 -w 1");
    good(&bench);
    for path in staged(bench.path()) {
        let name = path.display().to_string();
        let file = match name.contains("c.parquet") {
            true => path.join("part-00003.parquet"),
            false => path,
        };
        if !name.contains("d.nc") {
            let mut bytes = fs::read(&file).unwrap();
            let at = bytes.len() / 3;
            bytes[at] ^= 1;
            fs::write(&file, bytes).unwrap();
        }
    }
    // On a busy machine not all that is staged has been noted: what has not is done again anyhow.
    let (_, err) = bench.good("run p.yaml --tile 2000 -n 2");
    says(&err, "of what was staged are not as they were written: done again");
    says(&err, "warning[W0402]: ");
    equal(&bench, "a.csv");
    for name in ["b.arrow", "c.parquet", "d.nc"] {
        let sums = |path: &str| {
            let text = format!(
                "steps:\n  - read: {path}\n  - reduce: {{ s: sum(v), t: sum(v * i), k: sum(key * i), n: count() }}\n"
            );
            fs::write(bench.path().join("sums.yaml"), text).unwrap();
            bench.good("run sums.yaml").0
        };
        assert_eq!(sums(name), sums(&format!("good/{name}")), "{name}");
    }
}

#[test]
fn outputs_that_have_lost_something_do_not_get_their_names() {
    for processes in [1, 2] {
        for state in ["", "--no-state"] {
            let bench = Bench::new(KINDS);
            let run = format!("run p.yaml --tile 1000 -w 1 -n {processes} {state}");
            let child = start(bench.path(), &run);
            let part = || {
                let all = staged(bench.path());
                let all = all.iter().find(|p| p.display().to_string().contains("c.parquet"));
                all.map(|p| p.join("part-00002.parquet")).filter(|p| p.exists())
            };
            until("a part is there", || part().is_some());
            sleep(Duration::from_millis(20));
            fs::remove_file(part().unwrap()).unwrap();
            let output = child.wait_with_output().unwrap();
            let err = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{run}: {err}");
            says(&err, "part-00002.parquet is not as it was written");
            assert!(!bench.path().join("c.parquet").exists());
        }
    }
}

/// Rows of a file that takes a while.
fn slow(bench: &Bench, rows: u64) -> PathBuf {
    let rows: String = (0..rows).map(|i| format!("{i}\n")).collect();
    let path = bench.path().join("in.csv");
    fs::write(&path, format!("x\n{rows}")).unwrap();
    sleep(Duration::from_millis(60));
    path
}

#[test]
fn inputs_that_change_while_they_are_read_end_the_run() {
    let outputs = "steps:\n  - read: in.csv\n  - filter: sin(x) < 2\n  - write: out.csv\n";
    let results = "steps:\n  - read: in.csv\n  - reduce: { s: sum(sin(x)) }\n";
    let cases = [
        (outputs, "-w 1"),
        (outputs, "-w 1 --no-state"),
        (results, "-w 1"),
        (outputs, "-n 2 -w 1"),
        (outputs, "-n 2 -w 1 --no-state"),
    ];
    for (text, arguments) in cases {
        // A run that has come to its end before its inputs could be changed is tried again, longer.
        let ends = (0..6).find_map(|n| changed_under_way(text, arguments, 150_000 << n));
        let (bench, output) = ends.expect("a run that is under way");
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments}: {err}");
        says(&err, "in.csv was changed while it was read");
        assert_eq!(output.stdout, b"");
        assert!(!bench.path().join("out.csv").exists());
        bench.good(&format!("run p.yaml --tile 20000 {arguments}"));
    }
}

/// How a run ends whose input is replaced while it is read; `None` if it was over before.
fn changed_under_way(text: &str, arguments: &str, rows: u64) -> Option<(Bench, Output)> {
    let bench = Bench::new(text);
    let input = slow(&bench, rows);
    let new = input.with_extension("new");
    fs::copy(&input, &new).unwrap();
    let mut child = start(bench.path(), &format!("run p.yaml --tile 150 {arguments}"));
    // Its first line is said when the plan is made.
    let mut first = [0; 1];
    std::io::Read::read_exact(child.stderr.as_mut().unwrap(), &mut first).unwrap();
    // Each of several processes makes a plan of its own, before the outputs are staged.
    while arguments.contains("-n") && staged(bench.path()).is_empty() {
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        sleep(Duration::from_millis(1));
    }
    sleep(Duration::from_millis(5));
    fs::rename(new, &input).unwrap();
    let output = child.wait_with_output().unwrap();
    (!output.status.success()).then_some((bench, output))
}

#[test]
fn a_refusal_says_that_the_ledger_was_of_no_use() {
    type Spoil = fn(&mut Vec<u8>);
    let spoil: [(&str, Spoil); 3] = [
        ("is damaged", |bytes| {
            let at = bytes.len() / 2;
            bytes[at] ^= 1;
        }),
        ("is not a file of a ledger", |bytes| bytes[3] ^= 1),
        ("ends in the middle of a record", |bytes| bytes.truncate(bytes.len() * 2 / 3)),
    ];
    for (why, how) in spoil {
        let bench = Bench::new("steps:\n  - range: { i: 0..9 }\n  - write: o.csv\n");
        bench.good("run p.yaml");
        let folder = bench.path().join(".tidemill/o.csv");
        for file in fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if file.extension() == Some("ledger".as_ref()) {
                let mut bytes = fs::read(&file).unwrap();
                how(&mut bytes);
                fs::write(&file, bytes).unwrap();
            }
        }
        let (_, err, code) = bench.run("run p.yaml");
        assert_eq!(code, 2, "{err}");
        says(&err, "exists already");
        says(&err, "warning[W0402]");
        says(&err, why);
        bench.good("run p.yaml --overwrite");
    }
}
