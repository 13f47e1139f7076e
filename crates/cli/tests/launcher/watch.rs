//! `watch`: outputs that follow their inputs, against runs over the files that are there.
mod boxes;
mod changes;
mod life;
mod listed;
mod programs;

use crate::bench::{BINARY, Bench};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const PIPELINE: &str = "
steps:
  - read: in/*.parquet
  - map: { group: k % 5 }
  - reduce: { total: sum(x), rows: count(), mean: mean(x), most: max(k), end: last(k) }
    by: { group: group }
  - write: out/groups.csv
";

/// What makes an input: a folder of parts, of which there is one.
const INPUT: &str = "
params: { first: 0, rows: 10 }
steps:
  - range: { row: 1..=rows }
  - map: { k: row + first, y: sin(row * 7 + first) * 1e9 ** (row % 5) }
  - map: { x: y / (row % 7) }
  - select: [k, x]
  - write: made.parquet
";

/// A watch in the background.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn start(bench: &Bench, arguments: &str) -> Watching {
        Watching::printing(bench, arguments, Stdio::null())
    }

    /// The same; its results go there.
    fn printing(bench: &Bench, arguments: &str, to: Stdio) -> Watching {
        let common = "watch p.yaml --every 0.03 --settle 0.03 -w 2";
        let mut child = Command::new(BINARY)
            .current_dir(bench.path())
            .args(common.split(' ').chain(arguments.split_whitespace()))
            .stdout(to)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (say, lines) = channel();
        let errors = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            errors.lines().map_while(Result::ok).try_for_each(|line| say.send(line))
        });
        Watching { child, lines }
    }

    /// Waits for a line.
    fn until(&self, part: &str) -> String {
        let (mut seen, end) = (Vec::new(), Instant::now() + Duration::from_secs(30));
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let next = self.lines.recv_timeout(left);
            let line = next.unwrap_or_else(|e| panic!("no `{part}`: {e}, after {seen:#?}"));
            if line.contains(part) {
                return line;
            }
            seen.push(line);
        }
    }

    /// Ends it as a power cut of the process does.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as Ctrl-C does.
    fn end(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(130));
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// A folder with the pipeline and some inputs.
fn bench() -> Bench {
    let bench = Bench::new(PIPELINE);
    fs::write(bench.path().join("input.yaml"), INPUT).unwrap();
    fs::create_dir(bench.path().join("in")).unwrap();
    for i in 0..4 {
        put(&bench, i, 100 * i, 20 + i);
    }
    bench
}

fn go(bench: &Bench, arguments: &str) {
    let (_, errors, code) = bench.run(arguments);
    assert_eq!(code, 0, "{errors}");
}

/// Writes input number `i` anew, all at once.
fn put(bench: &Bench, i: u64, first: u64, rows: u64) {
    go(bench, &format!("run input.yaml -q --overwrite --set first={first} --set rows={rows}"));
    let part = bench.path().join("made.parquet/part-00000.parquet");
    fs::rename(part, input(bench, i)).unwrap();
}

fn input(bench: &Bench, i: u64) -> std::path::PathBuf {
    bench.path().join(format!("in/{i:02}.parquet"))
}

/// What a run over the files that are there writes.
fn cold(bench: &Bench) -> String {
    go(bench, "run p.yaml -q --overwrite --out cold");
    fs::read_to_string(bench.path().join("cold/out/groups.csv")).unwrap()
}

fn output(bench: &Bench) -> String {
    fs::read_to_string(bench.path().join("out/groups.csv")).unwrap()
}

fn follows(arguments: &str, rounds: u64) {
    let bench = bench();
    let watching = Watching::start(&bench, arguments);
    let promise = watching.until("kept up to date");
    assert!(promise.contains("4 files, of which `reduce`"), "{promise}");
    watching.until("4 new: up to date");
    assert_eq!(output(&bench), cold(&bench));
    for round in 0..rounds {
        let i = round * 5 % 7;
        if round % 3 == 2 && input(&bench, i).exists() {
            fs::remove_file(input(&bench, i)).unwrap();
        } else {
            put(&bench, i, round * 3 + 1, round * 11 % 30 + 1);
        }
        watching.until("up to date in");
        assert_eq!(output(&bench), cold(&bench), "round {round}");
    }
    watching.end();
    assert_eq!(names(&bench), [".tidemill", "groups.csv"]);
}

/// What is in the folder of the outputs.
fn names(bench: &Bench) -> Vec<String> {
    let entries = fs::read_dir(bench.path().join("out")).unwrap();
    let mut names: Vec<String> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn one_process() {
    follows("", 8);
}

#[test]
fn two_processes() {
    follows("-n 2", 5);
}

/// The pipeline without what depends on the place of rows.
fn loose(bench: &Bench) {
    let pipeline = PIPELINE.replace(", end: last(k)", "");
    fs::write(bench.path().join("p.yaml"), pipeline).unwrap();
}

#[test]
fn a_restart_reads_what_has_changed() {
    for arguments in ["", "-n 2"] {
        let bench = bench();
        loose(&bench);
        let watching = Watching::start(&bench, arguments);
        watching.until("4 new: up to date");
        put(&bench, 4, 900, 7);
        watching.until("1 new: up to date");
        watching.end();
        let before = output(&bench);
        // Nothing has changed; the outputs are its own.
        let watching = Watching::start(&bench, arguments);
        watching.until("5 new (5 of 5 tiles from the ledger): up to date");
        assert_eq!(output(&bench), before);
        watching.kill();
        // One file is new, one is changed, one is gone, one has another name.
        put(&bench, 1, 17, 30);
        put(&bench, 9, 3, 30);
        fs::remove_file(input(&bench, 2)).unwrap();
        fs::rename(input(&bench, 3), input(&bench, 8)).unwrap();
        let watching = Watching::start(&bench, arguments);
        watching.until("5 new (2 of 5 tiles from the ledger): up to date");
        assert_eq!(output(&bench), cold(&bench));
        put(&bench, 0, 44, 4);
        watching.until("1 changed: up to date");
        assert_eq!(output(&bench), cold(&bench));
        watching.end();
        // Somebody else has changed the output.
        fs::write(bench.path().join("out/groups.csv"), "mine").unwrap();
        let (_, errors, code) = bench.run("watch p.yaml");
        assert_eq!(code, 2, "{errors}");
        assert!(errors.contains("exists already"), "{errors}");
    }
}

#[test]
fn where_the_place_of_rows_counts_files_behind_a_change_are_read() {
    let bench = bench();
    let watching = Watching::start(&bench, "");
    watching.until("4 new: up to date");
    watching.end();
    put(&bench, 2, 1000, 50);
    let watching = Watching::start(&bench, "");
    watching.until("4 new (2 of 4 tiles from the ledger): up to date");
    assert_eq!(output(&bench), cold(&bench));
    watching.end();
}

#[test]
fn runs_and_watches_share_a_ledger() {
    for text in [PIPELINE, &PIPELINE.replace(", end: last(k)", "")] {
        let bench = bench();
        fs::write(bench.path().join("p.yaml"), text).unwrap();
        go(&bench, "run p.yaml -w 1");
        let watching = Watching::start(&bench, "");
        // A run on a busy machine notes what it has the time for.
        watching.until("of 4 tiles from the ledger): up to date");
        let (_, errors, code) = bench.run("run p.yaml");
        assert_eq!(code, 1, "{errors}");
        assert!(errors.contains("is at work on this"), "{errors}");
        put(&bench, 7, 70, 70);
        watching.until("1 new: up to date");
        watching.kill();
        put(&bench, 8, 80, 8);
        let (_, errors, code) = bench.run("run p.yaml -w 1");
        assert_eq!(code, 0, "{errors}");
        assert!(errors.contains("resuming: 1 of 6 tiles to do"), "{errors}");
        assert_eq!(output(&bench), cold(&bench));
        let (told, _, _) = bench.run("status p.yaml");
        assert!(told.contains("as it was written") && told.contains("6 files, 0 files"), "{told}");
    }
}

#[test]
fn runs_and_watches_share_what_is_joined_with_a_table() {
    let bench = bench();
    let text = "
steps:
  - read: in/*.parquet
    as: rows
  - read: names.csv
    as: names
  - map: { group: k % 5 }
    from: rows
    as: grouped
  - join: group
    from: [grouped, names]
  - reduce: { total: sum(x), rows: count(), mean: mean(w) }
    by: { name: name }
  - write: out/groups.csv
";
    fs::write(bench.path().join("p.yaml"), text).unwrap();
    let name = |w: u32| {
        let text = format!("group,name,w\n0,a,0.5\n1,b,{w}\n2,a,3.25\n1,c,0.1\n");
        fs::write(bench.path().join("names.csv"), text).unwrap();
    };
    name(1);
    go(&bench, "run p.yaml -w 1");
    let watching = Watching::start(&bench, "");
    // A run on a busy machine notes what it has the time for.
    watching.until("of 4 tiles from the ledger): up to date");
    put(&bench, 7, 70, 70);
    watching.until("1 new: up to date");
    // The same table in a file that has changed, and a file that is known by it.
    name(1);
    put(&bench, 8, 80, 8);
    watching.until("1 new");
    assert_eq!(output(&bench), cold(&bench));
    watching.kill();
    let (_, errors, code) = bench.run("run p.yaml -w 1");
    assert_eq!(code, 0, "{errors}");
    assert_eq!(output(&bench), cold(&bench));
    name(2);
    let watching = Watching::start(&bench, "-n 2");
    watching.until("6 new: up to date");
    assert_eq!(output(&bench), cold(&bench));
    watching.end();
    fs::remove_file(bench.path().join("out/groups.csv")).unwrap();
    let (_, errors, code) = bench.run("run p.yaml -w 1");
    assert_eq!(code, 0, "{errors}");
    assert!(errors.contains("resuming: 1 of 7 tiles to do"), "{errors}");
    assert_eq!(output(&bench), cold(&bench));
}

#[test]
fn killed_at_any_moment_it_goes_on() {
    let bench = bench();
    let mut random = 88172645463325252u64;
    for round in 0..12 {
        let watching = Watching::start(&bench, if round % 3 == 0 { "-n 2" } else { "" });
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_millis(random % 150));
        put(&bench, round % 6, random % 1000, 1 + random % 40);
        std::thread::sleep(Duration::from_millis(random / 1000 % 100));
        watching.kill();
    }
    let watching = Watching::start(&bench, "");
    watching.until("up to date in");
    assert_eq!(output(&bench), cold(&bench));
    watching.end();
    assert_eq!(names(&bench), [".tidemill", "groups.csv"]);
    go(&bench, "clean p.yaml");
    assert_eq!(names(&bench), ["groups.csv"]);
}

#[test]
fn a_ledger_that_is_not_what_was_written_is_set_aside() {
    let bench = bench();
    let watching = Watching::start(&bench, "");
    watching.until("4 new: up to date");
    watching.kill();
    let folder = bench.path().join("out/.tidemill/groups.csv");
    let pages = || {
        let files = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path());
        let mut files: Vec<_> =
            files.filter(|p| p.extension() == Some("ledger".as_ref())).collect();
        files.sort();
        files.pop().unwrap()
    };
    let (path, good) = (pages(), fs::read(pages()).unwrap());
    let mut aside = 0;
    for at in (20..good.len()).step_by(good.len() / 16) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x40;
        for file in fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()) {
            fs::remove_file(file).unwrap();
        }
        fs::write(&path, bytes).unwrap();
        let watching = Watching::start(&bench, "--overwrite");
        watching.until("up to date in");
        assert_eq!(output(&bench), cold(&bench), "byte {at}");
        watching.end();
        aside += usize::from(path.with_extension("ledger.aside").exists());
    }
    assert!(aside > 0);
}

#[test]
fn states_that_do_not_fit_go_to_disk() {
    for arguments in ["--memory 90MB", "-n 2 --memory 60MB"] {
        let bench = bench();
        let pipeline = PIPELINE.replace("k % 5", "k % 50000").replace("mean(x)", "median(x)");
        fs::write(bench.path().join("p.yaml"), pipeline).unwrap();
        (0..4).for_each(|i| put(&bench, i, i * 30_000, 40_000));
        let watching = Watching::start(&bench, arguments);
        watching.until("goes on with it on disk");
        let line = watching.until("4 new");
        assert!(line.contains("on disk"), "{line}");
        assert_eq!(output(&bench), cold(&bench));
        for round in 0..3 {
            put(&bench, 1, round * 7000 + 3, 20_000 + round);
            watching.until("up to date in");
            assert_eq!(output(&bench), cold(&bench), "{round}");
        }
        fs::remove_file(input(&bench, 3)).unwrap();
        watching.until("1 gone: up to date");
        assert_eq!(output(&bench), cold(&bench));
        watching.end();
    }
}

#[test]
fn a_bad_file_is_told_and_left_as_it_was() {
    let bench = bench();
    let watching = Watching::start(&bench, "");
    watching.until("4 new: up to date");
    let (before, whole) = (output(&bench), fs::read(input(&bench, 1)).unwrap());
    fs::write(input(&bench, 1), &whole[..whole.len() / 2]).unwrap();
    watching.until("left as it was");
    assert_eq!(output(&bench), before);
    put(&bench, 1, 7, 3);
    watching.until("1 changed: up to date");
    assert_eq!(output(&bench), cold(&bench));
    // Without files there would be no run either.
    (0..4).for_each(|i| fs::remove_file(input(&bench, i)).unwrap());
    watching.until("no files are left");
    put(&bench, 3, 1, 5);
    watching.until("up to date in");
    assert_eq!(output(&bench), cold(&bench));
    watching.end();
}

/// A text table does not say what its columns are: a file of whole numbers may stand among others.
#[test]
fn files_that_alone_would_be_of_other_types() {
    let bench = Bench::new(
        "steps:\n  - read: in/*.csv\n  - reduce: { s: sum(v), n: count() }\n    by: k\n  - write: g.csv\n",
    );
    let put = |name: &str, text: &str| {
        fs::write(bench.path().join("in").join(name), text).unwrap();
    };
    // A file that was written a moment ago may be taken later than the others.
    let becomes = |rows: &str| {
        let wanted = format!("k,s,n\n{rows}");
        let begun = Instant::now();
        let now = || fs::read_to_string(bench.path().join("g.csv")).unwrap_or_default();
        while now() != wanted {
            assert!(begun.elapsed() < Duration::from_secs(20), "{} and not {wanted}", now());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    fs::create_dir(bench.path().join("in")).unwrap();
    put("1.csv", "k,v\n1,1.5\n2,2.5\n");
    let watching = Watching::start(&bench, "");
    becomes("1,1.5,1\n2,2.5,1\n");
    put("2.csv", "k,v\n1,9\n");
    becomes("1,10.5,2\n2,2.5,1\n");
    watching.end();
    put("3.csv", "k,v\n2,7\n");
    let watching = Watching::start(&bench, "");
    becomes("1,10.5,2\n2,9.5,2\n");
    // One that is no number at all makes another plan; texts that look like numbers are quoted.
    put("2.csv", "k,v\nten,9.0\n");
    watching.until("begins anew");
    becomes("\"1\",1.5,1\n\"2\",9.5,2\nten,9.0,1\n");
    // What made the columns texts and floats goes: those that are left are whole numbers.
    fs::remove_file(bench.path().join("in/2.csv")).unwrap();
    becomes("1,1.5,1\n2,9.5,2\n");
    put("4.csv", "k,v\n7,7\n");
    becomes("1,1.5,1\n2,9.5,2\n7,7.0,1\n");
    fs::remove_file(bench.path().join("in/1.csv")).unwrap();
    becomes("2,7,1\n7,7,1\n");
    put("3.csv", "k,v\n2,70\n");
    becomes("2,70,1\n7,7,1\n");
    watching.end();
}

#[test]
fn what_cannot_be_kept_runs_anew() {
    let bench = bench();
    let rows = PIPELINE.replace("  - reduce", "  - filter: k % 3 == 0\n  - sort: [k]\n  - reduce");
    let pipeline = format!("{}  - write: out/all.csv\n", rows.split("  - reduce").next().unwrap());
    fs::write(bench.path().join("p.yaml"), pipeline).unwrap();
    let watching = Watching::start(&bench, "");
    watching.until("a change runs the whole pipeline");
    watching.until("up to date in");
    put(&bench, 5, 5, 50);
    watching.until("up to date in");
    go(&bench, "run p.yaml -q --overwrite --out cold");
    let read = |path: &str| fs::read(bench.path().join(path)).unwrap();
    assert_eq!(read("out/all.csv"), read("cold/out/all.csv"));
    fs::write(bench.path().join("p.yaml"), PIPELINE).unwrap();
    watching.until("the pipeline has changed");
    watching.until("up to date in");
    assert_eq!(output(&bench), cold(&bench));
    watching.end();
}

const JOINED: &str = "
steps:
  - read: in/*.parquet
    as: rows
  - read: table.csv
    as: table
  - map: { group: k % 5 }
    from: rows
  - join: group
    from: [map, table]
  - map: { y: x * weight }
  - reduce: { total: sum(y), rows: count(), end: last(y) }
    by: { name: name }
    as: groups
  - read: names.csv
    as: names
  - join: name
    from: [groups, names]
    how: left
  - write: out/groups.csv
";

#[test]
fn a_table_beside_the_files_is_followed_too() {
    for arguments in ["", "-n 2"] {
        let bench = bench();
        let put_text = |name: &str, text: &str| {
            let path = bench.path().join(name);
            fs::write(path.with_extension("new"), text).unwrap();
            fs::rename(path.with_extension("new"), path).unwrap();
        };
        put_text("p.yaml", JOINED);
        put_text("table.csv", "group,name,weight\n0,a,1.5\n1,b,2.5\n2,a,-1.5\n3,,1\n");
        put_text("names.csv", "name,long\na,Ada\nb,Bo\n");
        let watching = Watching::start(&bench, arguments);
        watching.until("of which `groups` is kept up to date");
        watching.until("4 new: up to date");
        assert_eq!(output(&bench), cold(&bench));
        let same = |what: &str| {
            watching.until("up to date in");
            assert_eq!(output(&bench), cold(&bench), "{what}");
        };
        put(&bench, 2, 55, 20);
        same("a file");
        put_text("table.csv", "group,name,weight\n0,a,0.5\n1,c,2.5\n4,b,1e300\n");
        same("the table");
        put(&bench, 1, 5, 11);
        same("a file, then");
        put_text("names.csv", "name,long\na,Ann\nc,Cy\n");
        same("the names");
        put_text("table.csv", "group,name,weight\n0,a,0.5\n1,c,oh\n");
        watching.until("outputs stay as they are");
        put_text("table.csv", "group,name,weight\n0,a,7\n3,c,2\n");
        watching.until("up to date in");
        assert_eq!(output(&bench), cold(&bench), "another type");
        put(&bench, 0, 77, 20);
        same("a file of another type");
        watching.end();
        // All of them are inputs.
        assert!(bench.run("status p.yaml").0.contains("6 files, 0 files"));
        put_text("names.csv", "name,long\na,Ann\nc,Cy\n");
        let (told, _, _) = bench.run("status p.yaml");
        assert!(told.contains("6 files, 1 file"), "{told}");
        // All files are as they were, and so is the table.
        let watching = Watching::start(&bench, arguments);
        watching.until("4 new (4 of 4 tiles from the ledger): up to date");
        assert_eq!(output(&bench), cold(&bench));
        watching.end();
        // A table in a file that was written meanwhile counts as another one.
        put_text("table.csv", "group,name,weight\n0,a,7\n3,c,2\n");
        let watching = Watching::start(&bench, arguments);
        watching.until("4 new: up to date");
        assert_eq!(output(&bench), cold(&bench));
        put_text("table.csv", "group,name,weight\n0,a,8\n3,c,2\n");
        watching.until("up to date in");
        assert_eq!(output(&bench), cold(&bench));
        watching.end();
    }
}
