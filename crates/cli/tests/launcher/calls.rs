//! `call`: programs for rows.
use crate::bench::{BINARY, Bench, Random};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

fn report(bench: &Bench, arguments: &str) -> Value {
    let (out, _) = bench.good(&format!("run p.yaml --format json {arguments}"));
    serde_json::from_str(&out).unwrap()
}

/// Each program notes that it was run, and makes a file.
const FILES: &str = "title: Files
params: { rows: 12, nap: 0 }
steps:
  - range: { k: 0..rows }
  - call: [sh, make.sh, \"${k}\", \"out/${k:02d}.txt\", \"${nap}\"]
    outputs: \"out/${k:02d}.txt\"
    concurrency: 4
    on_error: keep
    errors: failed.csv
  - select: [k, exit, attempts, error]
  - write: done.csv
";

const MAKE: &str = "echo $1 >> began.txt
echo half > \"$2\"
sleep $3
test -e bad$1 && { echo \"no star $1\" >&2; exit 7; }
echo whole > \"$2\"
echo $1 >> ended.txt
";

fn files() -> Bench {
    let bench = Bench::new(FILES);
    fs::write(bench.path().join("make.sh"), MAKE).unwrap();
    bench
}

fn lines(bench: &Bench, name: &str) -> Vec<String> {
    let text = fs::read_to_string(bench.path().join(name)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn one_bad_row_never_loses_the_others() {
    let bench = files();
    fs::write(bench.path().join("bad5"), "").unwrap();
    bench.good("run p.yaml");
    let done = lines(&bench, "done.csv");
    assert_eq!(done.len(), 13);
    assert!(done[1..].iter().filter(|line| line.contains(",0,1,")).count() == 11, "{done:?}");
    assert!(done[6].starts_with("5,7,1,") && done[6].contains("it said: no star 5"), "{done:?}");
    let failed = lines(&bench, "failed.csv");
    assert_eq!(failed.len(), 2);
    assert!(failed[1].contains("p.yaml:5"), "{failed:?}");
    for k in 0..12 {
        let path = bench.path().join(format!("out/{k:02}.txt"));
        let text = fs::read_to_string(path).unwrap_or_default();
        assert_eq!(text, if k == 5 { "" } else { "whole\n" });
    }
    // What failed is done again, and nothing else.
    fs::remove_file(bench.path().join("bad5")).unwrap();
    let began = lines(&bench, "began.txt").len();
    bench.good("run p.yaml --overwrite --set rows=14");
    let mut again = lines(&bench, "began.txt").split_off(began);
    again.sort();
    assert_eq!(again, ["12", "13", "5"]);
    assert_eq!(lines(&bench, "failed.csv").len(), 1);
}

#[test]
fn failures_stop_the_run_unless_something_else_is_said() {
    let bench = Bench::new(
        "title: Stop\nsteps:\n  - range: { k: 0..5 }\n  - call: [sh, -c, \"exit $$1\", sh, \"${k}\"]\n",
    );
    let (_, err, code) = bench.run("run p.yaml");
    assert!(code != 0 && err.contains("`sh` has ended with exit code"), "{err}");
    assert!(err.contains("p.yaml:4"), "{err}");
}

#[test]
fn five_are_enough() {
    let bench = Bench::new(
        "title: First\nsteps:\n  - range: { k: 0..40 }\n  - call: [sh, -c, \"test $$1 -lt 7 || sleep \
         1000\", sh, \"${k}\"]\n    concurrency: 40\n    first: 5\n  - reduce: { rows: count() }\n",
    );
    let begun = Instant::now();
    assert_eq!(report(&bench, "")["results"]["reduce"][0]["rows"], 5);
    assert!(begun.elapsed() < Duration::from_secs(50));
}

#[test]
fn strangers_pipelines_call_nothing() {
    let bench = files();
    let (_, err, code) = bench.run("run p.yaml --no-calls");
    assert!(code != 0 && err.contains("E0410") && err.contains("sh make.sh ${k}"), "{err}");
    assert!(!bench.path().join("began.txt").exists());
    let (out, _) = bench.good("explain p.yaml");
    assert!(out.contains("sh make.sh ${k} out/${k:02d}.txt"), "{out}");
}

/// The names of the files that were made.
fn names(bench: &Bench) -> Vec<String> {
    let out = fs::read_dir(bench.path().join("out")).into_iter().flatten().flatten();
    out.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// Whether a process runs in a folder, and is no zombie.
fn lives(folder: &Path) -> bool {
    let folder = folder.canonicalize().unwrap();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let mut folders = entries.filter_map(|entry| fs::read_link(entry.path().join("cwd")).ok());
    folders.any(|cwd| cwd == folder)
}

#[test]
fn a_kill_at_any_moment_leaves_no_program_and_no_half_file() {
    let mut random = Random::new();
    for (round, processes) in [1, 1, 1, 2].into_iter().enumerate() {
        let bench = files();
        let arguments = format!("run p.yaml -w 2 -n {processes} --set nap=0.03 --set rows=40");
        let mut killed = 0;
        let tries = 40;
        for attempt in 0..tries {
            let mut command = Command::new(BINARY);
            command.args(arguments.split(' ')).current_dir(bench.path());
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let wait = Duration::from_millis(200 + random.below(600) as u64);
            let begun = Instant::now();
            let mut ended = None;
            while ended.is_none() && (begun.elapsed() < wait || attempt == tries - 1) {
                sleep(Duration::from_millis(5));
                ended = child.try_wait().unwrap();
            }
            if let Some(status) = ended {
                assert!(status.success(), "round {round}, seed {}: {status}", random.seed);
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            killed += 1;
            let begun = Instant::now();
            let half = || names(&bench).iter().any(|name| name.starts_with('.'));
            while lives(bench.path()) || half() {
                let time = begun.elapsed();
                assert!(
                    time < Duration::from_secs(20),
                    "seed {}: {:?}",
                    random.seed,
                    names(&bench)
                );
                sleep(Duration::from_millis(10));
            }
            for name in names(&bench) {
                let text = fs::read_to_string(bench.path().join("out").join(&name)).unwrap();
                assert_eq!(text, "whole\n", "{name} seed {}", random.seed);
            }
        }
        let done = lines(&bench, "done.csv");
        assert_eq!(done.len(), 41, "round {round}, {killed} kills, seed {}", random.seed);
        assert!(done[1..].iter().all(|line| line.contains(",0,1,")), "{done:?}");
        let twice = lines(&bench, "ended.txt").len() - 40;
        // Those that had ended when a kill came, and whose end nobody had heard of.
        assert!(twice <= 8 * killed, "{twice} twice in {killed} kills, seed {}", random.seed);
    }
}
