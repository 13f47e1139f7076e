//! Nothing finished is done twice: second runs, runs after a kill, after an edit, after inputs
//! have changed; and ledgers that are not what was written.
use crate::bench::{BINARY, Bench};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

/// One reader, and two writers and two reductions behind it.
const GRID: &str = "title: Grid
steps:
  - grid: { x: \"linspace(0, 1, 120)\", y: \"linspace(0, 3, 1500)\" }
  - map: { z: sin(x * y) + cos(x - y), g: floor(10 * x) + floor(7 * y) }
    as: both
  - write: z.nc
  - write: z.parquet
  - reduce: { s: sum(z), m: max(z), n: count() }
    as: all
  - reduce: { s: sum(z), v: var(z) }
    by: g
    from: both
    as: groups
  - show: 5
    from: groups
    as: some
  - show: 5
    from: all
    as: one
";

/// Rows of some files.
const ROWS: &str = "steps:
  - read: in/*.csv
  - reduce: { s: sum(x), n: count() }
    by: g
  - write: groups.csv
";

fn random() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static STATE: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let x = now ^ STATE.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    let x = (x ^ x >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ x >> 29
}

fn says(err: &str, words: &str) {
    assert!(err.contains(words), "no `{words}` in {err}");
}

/// All files under a name.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_path_buf()];
    }
    let mut all: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|e| e.unwrap().path()).collect();
    all.sort();
    all
}

/// Whether two outputs are alike but for the time in their history, and checksums over it.
fn alike(a: &Path, b: &Path) -> bool {
    let (a, b) = (files(a), files(b));
    let name = |p: &PathBuf| p.file_name().unwrap().to_owned();
    let equal = |(a, b): (&PathBuf, &PathBuf)| {
        let (x, y) = (fs::read(a).unwrap(), fs::read(b).unwrap());
        let differ = x.iter().zip(&y).filter(|(x, y)| x != y).count();
        (name(a) == name(b) || a.extension() == Some("nc".as_ref()))
            && x.len() == y.len()
            && differ < 100
    };
    a.len() == b.len() && a.iter().zip(&b).all(equal)
}

/// Moves the outputs of a run that nothing has disturbed out of the way; its results.
fn undisturbed(bench: &Bench, arguments: &str) -> String {
    let (out, _) = bench.good(&format!("run p.yaml {arguments} -w 2 --no-state --out good"));
    assert!(!bench.path().join("good/.tidemill").exists());
    out
}

#[test]
fn a_second_run_has_nothing_to_do() {
    let bench = Bench::new(GRID);
    let (out, err) = bench.good("run p.yaml --tile 3000");
    assert!(!err.contains("to do"), "{err}");
    let written = |name: &str| fs::metadata(bench.path().join(name)).unwrap().modified().unwrap();
    let before = (written("z.nc"), written("z.parquet"));
    for arguments in ["-w 1", "-n 2 -w 2", "--overwrite"] {
        let (again, err) = bench.good(&format!("run p.yaml --tile 3000 {arguments}"));
        says(&err, "up to date: 0 of 60 tiles to do");
        says(&err, "kept ");
        assert_eq!(again, out);
    }
    assert_eq!((written("z.nc"), written("z.parquet")), before);
    let (told, _) = bench.good("status p.yaml");
    says(&told, "z.parquet: as it was written");
    says(&told, "began 2");
    // An output that is gone is made again, and nothing else.
    fs::remove_file(bench.path().join("z.nc")).unwrap();
    let (again, err) = bench.good("run p.yaml --tile 3000 -n 2");
    says(&err, "wrote");
    says(&err, "kept z.parquet");
    assert_eq!(again, out);
    assert_eq!(written("z.parquet"), before.1);
    // One that somebody has changed is not ours.
    fs::write(bench.path().join("z.nc"), "mine").unwrap();
    let (_, err, code) = bench.run("run p.yaml --tile 3000");
    assert_eq!(code, 2, "{err}");
    says(&err, "exists already");
    bench.good("run p.yaml --tile 3000 --overwrite");
    let (removed, _) = bench.good("clean z.nc");
    says(&removed, ".tidemill/z.nc");
    assert!(!bench.path().join(".tidemill").exists());
    assert_eq!(bench.run("status z.nc").2, 2);
}

#[test]
fn an_edit_reaches_what_depends_on_it() {
    let bench = Bench::new(GRID);
    let edit = |from: &str, to: &str| {
        assert!(GRID.contains(from), "{from}");
        fs::write(bench.path().join("p.yaml"), GRID.replace(from, to)).unwrap();
    };
    bench.good("run p.yaml --tile 3000");
    for (from, to) in [("Grid", "Another"), ("as: one", "as: only"), ("steps:", "# why\nsteps:")] {
        edit(from, to);
        says(&bench.good("run p.yaml --tile 3000").1, "up to date: 0 of 60 tiles to do");
    }
    // A reduction of another kind: the outputs are left alone, and the states of the other stay.
    edit("sum(z), v: var(z)", "mean(z), v: std(z)");
    let (told, _) = bench.good("explain p.yaml --tile 3000 --ledger");
    says(&told, "60 of 60 tiles to do");
    says(&told, "nothing to do, ");
    says(&told, "60: what is computed has changed");
    let (_, err) = bench.good("run p.yaml --tile 3000");
    says(&err, "kept z.parquet");
    // A formula: that is no longer the same output.
    edit("sin(x * y)", "sin(x + y)");
    let (_, err, code) = bench.run("run p.yaml --tile 3000");
    assert_eq!(code, 2);
    says(&err, "exists already");
    let (told, _) = bench.good("explain p.yaml --tile 3000 --ledger");
    says(&told, "write: 60 of 60 tiles to do\n  60: what is computed has changed");
    bench.good("run p.yaml --tile 3000 --overwrite");
    undisturbed(&bench, "--tile 3000");
    assert!(alike(&bench.path().join("z.nc"), &bench.path().join("good/z.nc")));
}

#[test]
fn a_changed_file_reruns_its_own_tiles() {
    let bench = Bench::new(ROWS);
    let folder = bench.path().join("in");
    fs::create_dir(&folder).unwrap();
    let put = |i: usize, rows: usize| {
        let rows: String = (0..rows).map(|k| format!("{},{}.5\n", k % 3, k * i)).collect();
        fs::write(folder.join(format!("{i}.csv")), format!("g,x\n{rows}")).unwrap();
    };
    (1..=6).for_each(|i| put(i, 40));
    let cold = || {
        bench.good("run p.yaml --no-state --overwrite --out cold");
        fs::read_to_string(bench.path().join("cold/groups.csv")).unwrap()
    };
    let follows = |words: &str| {
        let (_, err) = bench.good("run p.yaml -w 1");
        says(&err, words);
        let written = fs::read_to_string(bench.path().join("groups.csv")).unwrap();
        assert_eq!(written, cold());
    };
    bench.good("run p.yaml -w 1");
    follows("0 of 6 tiles to do");
    put(4, 41);
    let (told, _) = bench.good("explain p.yaml --ledger");
    says(&told, "in/4.csv has changed");
    follows(" of 6 tiles to do");
    follows("up to date: 0 of 6 tiles to do");
    put(7, 10);
    says(&bench.good("explain p.yaml --ledger").0, "1: /");
    follows(" of 7 tiles to do");
    fs::remove_file(folder.join("7.csv")).unwrap();
    follows(" of 6 tiles to do");
    let (told, _) = bench.good("status .");
    says(&told, "6 files, 0 files changed since");
}

/// Rows that are joined with a table. On a busy machine not all that was done is noted, but some.
#[test]
fn what_is_joined_is_not_done_twice() {
    let bench = Bench::new(
        "steps:
  - read: in/*.csv
    as: rows
  - read: names.csv
  - filter: name != 'none'
    as: names
  - join: g
    from: [rows, names]
  - map: { y: x * w }
  - reduce: { s: sum(y), n: count(), m: median(x) }
    by: name
  - write: groups.csv
",
    );
    let folder = bench.path().join("in");
    fs::create_dir(&folder).unwrap();
    let put = |i: usize, rows: usize| {
        let rows: String = (0..rows).map(|k| format!("{},{}.5\n", k % 7, k * i)).collect();
        fs::write(folder.join(format!("{i}.csv")), format!("g,x\n{rows}")).unwrap();
    };
    let name = |w: usize| {
        let text = format!("g,name,w\n0,a,0.5\n1,b,{w}\n2,a,3.25\n3,none,1\n1,c,0.1\n");
        fs::write(bench.path().join("names.csv"), text).unwrap();
    };
    (1..=6).for_each(|i| put(i, 40));
    name(2);
    let follows = |arguments: &str, words: &str| {
        let (_, err) = bench.good(&format!("run p.yaml {arguments}"));
        says(&err, words);
        let written = fs::read_to_string(bench.path().join("groups.csv")).unwrap();
        bench.good("run p.yaml --no-state --overwrite --out cold");
        assert_eq!(written, fs::read_to_string(bench.path().join("cold/groups.csv")).unwrap());
    };
    follows("-w 1", "wrote");
    follows("-w 1", "up to date: 0 of 7 tiles to do");
    // The table is read again: what it is joined with is not.
    fs::remove_file(bench.path().join("groups.csv")).unwrap();
    follows("-n 2", " of 7 tiles to do");
    put(7, 90);
    let (told, _) = bench.good("explain p.yaml --ledger");
    says(&told, "in/7.csv is new");
    follows("-w 3", " of 8 tiles to do");
    put(3, 11);
    follows("-w 1", " of 8 tiles to do");
    name(5);
    let (told, _) = bench.good("explain p.yaml --ledger");
    says(&told, "7: ");
    says(&told, "names.csv has changed");
    let (_, err) = bench.good("run p.yaml -w 1");
    assert!(!err.contains("resuming"), "{err}");
    follows("-w 1", "up to date: 0 of 8 tiles to do");
}

#[test]
fn a_file_that_comes_does_not_rerun_others_where_boxes_are_folded() {
    let bench = Bench::new(
        "steps:
  - read: in/*.nc
    as: all
  - reduce: { m: mean(t), d: std(t), q: median(t) }
    over: time
    as: mean
  - write: mean.nc
  - reduce: { low: min(t), s: sum(t) }
    over: [lat, lon]
    from: all
  - write: times.nc
",
    );
    fs::create_dir(bench.path().join("in")).unwrap();
    let put = |i: usize, times: usize| {
        let (first, last) = (i * 10, i * 10 + times);
        let text = format!(
            "steps:\n  - grid: {{ time: \"{first}..{last}\", lat: \"linspace(-1, 1, 9)\", lon: \"linspace(0, 3, 7)\" }}\n\
             \x20 - map: {{ t: sin(time * 7 + lat * 3 + lon) * 1e9 }}\n\
             \x20 - write: in/f{i:02}.nc\n"
        );
        fs::write(bench.path().join("make.yaml"), text).unwrap();
        bench.good("run make.yaml --no-state --overwrite");
    };
    let follows = |arguments: &str, words: &str| {
        let (_, err) = bench.good(&format!("run p.yaml {arguments}"));
        says(&err, words);
        bench.good("run p.yaml --no-state --overwrite --out cold");
        for name in ["mean.nc", "times.nc"] {
            let (warm, cold) = (bench.path().join(name), bench.path().join("cold").join(name));
            assert!(alike(&warm, &cold), "{name}");
        }
    };
    (1..=5).for_each(|i| put(i, 3));
    follows("-w 1", "wrote");
    follows("-n 2", "up to date: 0 of 5 tiles to do");
    put(6, 3);
    follows("-w 1", " of 6 tiles to do");
    put(7, 2);
    follows("-n 2", " of 7 tiles to do");
    // One in front: the mean over time is that of the same cells, the cells of times are others.
    put(0, 2);
    follows("-w 2", "wrote");
    put(4, 5);
    follows("-w 1", "wrote");
    fs::remove_file(bench.path().join("in/f07.nc")).unwrap();
    follows("-w 1", "wrote");
}

fn start(bench: &Bench, arguments: &str) -> Child {
    Command::new(BINARY)
        .current_dir(bench.path())
        .args(arguments.split_whitespace())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The processes that a process has started.
fn children(of: &Child) -> Vec<Pid> {
    let path = format!("/proc/{0}/task/{0}/children", of.id());
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().filter_map(|n| Pid::from_raw(n.parse().ok()?)).collect()
}

/// How many tiles of so many points a run would do, and how that is told.
fn tiles_left(bench: &Bench, points: u64) -> (u64, String) {
    let (told, _) = bench.good(&format!("explain p.yaml --tile {points} --ledger"));
    let words: Vec<&str> = told.lines().next().unwrap().split(' ').collect();
    let at = words.iter().position(|w| *w == "of").unwrap();
    (words[at - 1].parse().unwrap(), told)
}

#[test]
fn kills_at_any_moment_cost_no_more_than_what_was_in_flight() {
    let bench = Bench::new(GRID);
    let expected = undisturbed(&bench, "--tile 600");
    let mut left = 360;
    for _ in 0..8 {
        let (n, w) = (1 + random() % 2, 1 + random() % 3);
        let mut child = start(&bench, &format!("run p.yaml --tile 600 -n {n} -w {w}"));
        sleep(Duration::from_millis(30 + random() % 250));
        let mut those = children(&child);
        those.push(Pid::from_child(&child));
        let victim = those[random() as usize % those.len()];
        // It may have ended already.
        let _ = kill_process(victim, Signal::KILL);
        child.wait().unwrap();
        let (now, told) = tiles_left(&bench, 600);
        assert!(now <= left, "{told}");
        left = now;
    }
    let (out, _) = bench.good("run p.yaml --tile 600 -n 2 -w 2");
    assert_eq!(out, expected);
    for name in ["z.nc", "z.parquet"] {
        assert!(alike(&bench.path().join(name), &bench.path().join("good").join(name)), "{name}");
    }
    says(&bench.good("run p.yaml --tile 600").1, "up to date: 0 of 360 tiles to do");
}

/// Rows of a number that only the run can tell, appended to files in their order.
const APPENDED: &str = "steps:
  - range: { i: 1..=600_000 }
  - map: { v: sin(i), key: floor(10 * cos(i)) }
  - filter: key != 3
    as: rows
  - write: rows.csv
  - write: rows.arrow
    from: rows
";

#[test]
fn files_of_rows_are_gone_on_with() {
    let bench = Bench::new(APPENDED);
    undisturbed(&bench, "--tile 2000");
    let mut left = 300;
    for round in 0..8 {
        let (n, w) = (1 + random() % 2, 1 + random() % 3);
        let mut child = start(&bench, &format!("run p.yaml --tile 2000 -n {n} -w {w}"));
        let begun = Instant::now();
        let long = |name: &PathBuf| {
            let csv = name.display().to_string().contains("rows.csv.partial");
            csv && fs::metadata(bench.path().join(name)).is_ok_and(|m| m.len() > 200_000)
        };
        while round == 0 && !bench.left().iter().any(long) {
            assert!(begun.elapsed() < Duration::from_secs(20));
            sleep(Duration::from_millis(1));
        }
        sleep(Duration::from_millis(random() % if round == 0 { 30 } else { 120 }));
        let mut those = children(&child);
        those.push(Pid::from_child(&child));
        let _ = kill_process(those[random() as usize % those.len()], Signal::KILL);
        child.wait().unwrap();
        let (now, told) = tiles_left(&bench, 2000);
        assert!(now < 300 && now <= left, "{told}");
        left = now;
    }
    bench.good("run p.yaml --tile 2000 -n 2 -w 2");
    for name in ["rows.csv", "rows.arrow"] {
        assert!(alike(&bench.path().join(name), &bench.path().join("good").join(name)), "{name}");
    }
    assert!(!bench.left().iter().any(|p| p.display().to_string().contains("partial")));
    says(&bench.good("run p.yaml --tile 2000").1, "up to date: 0 of 300 tiles to do");
}

/// What an earlier run has written behind rows of a file that has changed since is not there any
/// more, whatever the ledger says of it.
#[test]
fn rows_behind_a_changed_file_are_written_again() {
    let text = "steps:\n  - read: in/*.csv\n  - filter: x % 7 != 3\n  - map: { y: sqrt(x) }\n  \
                - write: out.csv\n";
    let bench = Bench::new(text);
    let folder = bench.path().join("in");
    fs::create_dir(&folder).unwrap();
    let put = |file: u64, more: u64| {
        let rows: String = (0..4000).map(|k| format!("{}\n", file * 4000 + k * more)).collect();
        fs::write(folder.join(format!("{file}.csv")), format!("x\n{rows}")).unwrap();
    };
    (0..8).for_each(|file| put(file, 1));
    let mut resumed = 0;
    for round in 0..10u64 {
        let w = 1 + round % 2;
        let mut child = start(&bench, &format!("run p.yaml --tile 40 -w {w}"));
        sleep(Duration::from_millis(5 + random() % 60));
        let _ = kill_process(Pid::from_child(&child), Signal::KILL);
        child.wait().unwrap();
        resumed += u64::from(tiles_left(&bench, 40).0 < 800);
        put(random() % 8, 2 + round);
    }
    bench.good("run p.yaml --tile 40 -n 2 -w 1");
    bench.good("run p.yaml --no-state --out cold");
    let text = |name: &str| fs::read_to_string(bench.path().join(name)).unwrap();
    assert_eq!(text("out.csv"), text("cold/out.csv"));
    println!("{resumed} of 10 were gone on with");
}

/// The chunks of a file that is killed while they are being written are not compressed again.
#[test]
fn compressed_files_are_gone_on_with() {
    let write = |option: &str| {
        format!(
            "steps:\n  - grid: {{ x: \"linspace(0, 1, 200)\", y: \"linspace(0, 3, 2000)\" }}\n\
             \x20 - map: {{ z: sin(x * y) + cos(x - y), w: x + y }}\n\
             \x20 - write: z.nc\n    {option}\n"
        )
    };
    let sums =
        "steps:\n  - read: z.nc\n  - reduce: { s: sum(z), v: var(w), x: sum(x), n: count() }\n";
    for option in ["deflate: 6", "zstd: 3"] {
        let bench = Bench::new(&write(option));
        fs::write(bench.path().join("sums.yaml"), sums).unwrap();
        bench.good("run p.yaml --tile 2000 --no-state");
        let (expected, _) = bench.good("run sums.yaml");
        fs::remove_file(bench.path().join("z.nc")).unwrap();
        let mut left = 200;
        for round in 0..4 {
            let (n, w) = (1 + random() % 2, 1 + random() % 3);
            let mut child = start(&bench, &format!("run p.yaml --tile 2000 -n {n} -w {w}"));
            let (begun, pause) = (Instant::now(), Duration::from_millis(random() % 60));
            let noted = |name: &PathBuf| {
                let logs = fs::read_dir(bench.path().join(name)).into_iter().flatten().flatten();
                let long = |entry: fs::DirEntry| {
                    let log = entry.path().extension().is_some_and(|e| e == "log");
                    log && entry.metadata().is_ok_and(|m| m.len() > 500)
                };
                name.display().to_string().contains("partial") && logs.into_iter().any(long)
            };
            while round == 0 && !bench.left().iter().any(noted) {
                assert!(begun.elapsed() < Duration::from_secs(20));
                sleep(Duration::from_millis(1));
            }
            sleep(pause);
            let _ = kill_process(Pid::from_child(&child), Signal::KILL);
            child.wait().unwrap();
            let (now, told) = tiles_left(&bench, 2000);
            assert!(now < 200 && now <= left, "{told}");
            left = now;
        }
        bench.good("run p.yaml --tile 2000 -n 2 -w 1");
        assert_eq!(bench.good("run sums.yaml --no-state").0, expected);
        assert!(!bench.left().iter().any(|p| p.display().to_string().contains("partial")));
        says(&bench.good("run p.yaml --tile 2000").1, "up to date: 0 of 200 tiles to do");
    }
}

/// A folder's files, and how to put them back without new inodes.
fn copy(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    files(path).into_iter().map(|p| (p.clone(), fs::read(p).unwrap())).collect()
}

/// A power cut as far as it can be made here: ledgers and staged outputs cut off and spoiled at
/// random places. The answer is right, or there is a reason why there is none.
#[test]
fn spoiled_ledgers_give_the_right_answer_or_a_reason() {
    let bench = Bench::new(GRID);
    let expected = undisturbed(&bench, "--tile 6000");
    let mut child = start(&bench, "run p.yaml --tile 6000 -n 2 -w 1");
    let state = bench.path().join(".tidemill/z.nc");
    let grown = || state.is_dir() && copy(&state).iter().any(|(_, b)| b.len() > 6000);
    while !grown() && child.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(2));
    }
    let _ = kill_process(Pid::from_child(&child), Signal::KILL);
    child.wait().unwrap();
    let saved = copy(&state);
    let staged = |name: &str| {
        let all = files(bench.path());
        all.into_iter().find(|p| p.display().to_string().contains(&format!("{name}.partial-")))
    };
    let nc = staged("z.nc").map(|path| (fs::read(&path).unwrap(), path));
    let (mut right, mut refused) = (0, 0);
    for trial in 0..40 {
        files(&state).iter().for_each(|path| fs::remove_file(path).unwrap());
        for (path, bytes) in &saved {
            fs::write(path, bytes).unwrap();
        }
        // The file that was staged has its final name by now: it gets the old one back, with the
        // number that the ledger knows it by.
        if let (Some((bytes, path)), true) = (&nc, bench.path().join("z.nc").exists()) {
            fs::rename(bench.path().join("z.nc"), path).unwrap();
            fs::write(path, bytes).unwrap();
        }
        drop(fs::remove_dir_all(bench.path().join("z.parquet")));
        let ledgers: Vec<_> = saved.iter().filter(|(_, bytes)| bytes.len() > 100).collect();
        let (path, bytes) = ledgers[random() as usize % ledgers.len()];
        let at = random() as usize % bytes.len();
        match random() % 3 {
            0 => fs::write(path, &bytes[..at]).unwrap(),
            1 => {
                let mut bytes = bytes.clone();
                bytes[at] ^= 0x55;
                fs::write(path, bytes).unwrap();
            }
            _ => {
                let mut bytes = bytes.clone();
                bytes[at..].fill(0);
                fs::write(path, bytes).unwrap();
            }
        }
        let (out, err, code) = bench.run("run p.yaml --tile 6000 -w 2");
        if code != 0 {
            says(&err, "error");
            refused += 1;
            continue;
        }
        right += 1;
        assert_eq!(out, expected, "trial {trial}: {err}");
        for name in ["z.nc", "z.parquet"] {
            let good = bench.path().join("good").join(name);
            assert!(alike(&bench.path().join(name), &good), "trial {trial}, {name}: {err}");
        }
    }
    assert!(right > refused, "{right} right, {refused} refused");
}

#[test]
fn two_runs_do_not_write_the_same() {
    let bench = Bench::new(crate::bench::ENDLESS);
    let mut first = start(&bench, "run p.yaml -n 2 -w 1");
    let begun = SystemTime::now();
    while !bench.left().iter().any(|p| p.display().to_string().contains("partial")) {
        assert!(begun.elapsed().unwrap() < Duration::from_secs(20));
        sleep(Duration::from_millis(10));
    }
    let (_, err, code) = bench.run("run p.yaml");
    assert_eq!(code, 1, "{err}");
    says(&err, &format!("process {} on", first.id()));
    says(&bench.good("status out.parquet").0, "is at work");
    assert_eq!(bench.run("clean p.yaml").2, 1);
    first.kill().unwrap();
    first.wait().unwrap();
    let (removed, _) = bench.good("clean p.yaml");
    says(&removed, "out.parquet.partial-");
    assert!(bench.left().is_empty(), "{:?}", bench.left());
}

#[test]
fn a_lost_process_is_started_again() {
    let bench = Bench::new(GRID);
    let expected = undisturbed(&bench, "--tile 600");
    let child = Command::new(BINARY)
        .current_dir(bench.path())
        .args("run p.yaml --tile 600 -n 2 -w 1 --restarts 1".split(' '))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = SystemTime::now();
    while !bench.path().join(".tidemill/z.nc").is_dir() || children(&child).len() < 2 {
        assert!(begun.elapsed().unwrap() < Duration::from_secs(20));
        sleep(Duration::from_millis(5));
    }
    kill_process(children(&child)[1], Signal::KILL).unwrap();
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{err}");
    says(&err, "was killed by signal 9");
    says(&err, "start 1 of 1 again");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}
