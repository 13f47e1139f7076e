//! Rows through programs: the same bits on any workers, and what comes of programs that fail.
use crate::bench::{BINARY, Bench};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The example program, which stands beside the binary.
fn batches() -> String {
    let program = Path::new(BINARY).parent().unwrap().join("examples/batches");
    assert!(program.exists(), "`cargo build -p tidemill-cli --examples` makes it");
    program.display().to_string()
}

/// Rows, and reductions that ask for their order.
fn pipeline(through: &str) -> String {
    format!(
        "steps:
  - range: {{ k: 0..100000 }}
  - map:
      x: sin(k) / (k % 7 + 1)
      s: where(k % 3 == 0, 'é', 'no')
  - filter: k % 11 != 0
{through}
    as: rows
  - reduce: {{ n: count(), k: sum(k), first: first(k), last: last(k) }}
    as: all
  - reduce: {{ n: count(), first: first(k) }}
    from: rows
    by: {{ g: k % 5 }}
"
    )
}

fn stream(words: &str) -> String {
    pipeline(&format!("  - stream: [{}, {words}]", batches()))
}

const WAYS: [&str; 5] = ["-w 1", "-w 3", "-n 2 -w 1", "-w 2 --tile 700", "-n 2 -w 2 --tile 20000"];

fn results(pipeline: &str, arguments: &str) -> String {
    let (out, _) = Bench::new(pipeline).good(&format!("run p.yaml -q --format json {arguments}"));
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    report["results"].to_string()
}

#[test]
fn workers_and_tiles_do_not_show() {
    let cat = pipeline("  - stream: [cat]");
    let through = results(&cat, "-w 1");
    for arguments in WAYS {
        assert_eq!(results(&cat, arguments), through, "{arguments}");
    }
    let direct = results(&pipeline("  - map: { k: k }"), "-w 1");
    assert_eq!(through, direct);
}

#[test]
fn rows_grow_and_shrink() {
    for (words, formula, factor) in
        [("half", "k % 2 == 0", 1), ("twice", "true", 2), ("none", "false", 0)]
    {
        let counted = |text: &str, arguments: &str| {
            let report: serde_json::Value =
                serde_json::from_str(&results(text, arguments)).unwrap();
            let all = &report["all"][0];
            (all["n"].as_i64().unwrap(), all["k"].as_i64().unwrap_or(0), all["last"].to_string())
        };
        let (n, k, last) = counted(&pipeline(&format!("  - filter: {formula}")), "-w 1");
        let streamed = stream(words);
        for arguments in WAYS {
            let got = counted(&streamed, arguments);
            assert_eq!(
                got,
                (n * factor.max(1), k * factor.max(1), last.clone()),
                "{words} {arguments}"
            );
        }
    }
}

#[test]
fn boxes_come_as_rows_with_their_coordinates() {
    let grid = |through: &str| {
        format!(
            "steps:
  - grid: {{ lat: \"linspace(-90, 90, 31)\", lon: \"linspace(0, 350, 36)\" }}
  - map: {{ z: lat * 1000 + lon, zonal: lat / 2 }}
{through}
  - reduce: {{ n: count(), a: sum(lat), b: sum(lon), c: sum(z), d: sum(zonal) }}
"
        )
    };
    // Of the grid itself a coordinate counts once for each of its values.
    let numbers = r#"{"n":1116,"a":0.0,"b":195300.0,"c":195300.0,"d":0.0}"#;
    let rows = format!("{{\"reduce\":[{numbers}]}}");
    for arguments in ["-w 1", "-w 3 --tile lat=5,lon=7", "-n 2"] {
        assert_eq!(results(&grid("  - stream: [cat]"), arguments), rows, "{arguments}");
    }
}

#[test]
fn batches_are_as_long_as_they_are_wished() {
    let bench = Bench::new(&format!(
        "steps:\n  - range: {{ k: 0..10000 }}\n  - filter: k >= 3000\n  - stream: [{}, log, =rows.txt]\n    \
         columns: {{ k: int64 }}\n    batch_rows: 1000\n  - reduce: {{ n: count() }}\n",
        batches()
    ));
    bench.good("run p.yaml -w 1");
    let rows = fs::read_to_string(bench.path().join("rows.txt")).unwrap();
    // Those of which the filter left nothing did not come.
    assert_eq!(rows.lines().collect::<Vec<_>>(), ["1000"; 7]);
}

#[test]
fn a_failure_names_the_rows_and_shows_the_end_of_standard_error() {
    let bench = Bench::new(&format!(
        "steps:\n  - range: {{ k: 0..100000 }}\n  - stream: [{}, fail, 3]\n    columns: {{ k: int64 }}\n  \
         - write: out.parquet\n",
        batches()
    ));
    for (arguments, place) in [("-w 1 --tile 1000", "tile 2"), ("-n 2 -w 1 --tile 1000", "tile ")] {
        let (_, err, code) = bench.run(&format!("run p.yaml --no-state {arguments}"));
        assert_eq!(code, 3, "{err}");
        assert!(
            err.contains("fail 3` failed on a batch of 1,000 rows, the first of them at k "),
            "{err}"
        );
        assert!(err.contains("it ended with exit code 7 before it had answered"), "{err}");
        assert!(
            err.contains("Traceback (most recent call last):\nValueError: no such value"),
            "{err}"
        );
        assert!(err.contains("(p.yaml:3:5)") && err.contains(place), "{err}");
        assert!(bench.left().is_empty(), "{:?}", bench.left());
    }
}

#[test]
fn a_program_that_dies_is_started_again() {
    let bench = Bench::new("");
    let text = |retries: u64| {
        pipeline(&format!(
            "  - stream: [{}, once, 2, mark]\n    retries: {retries}\n    columns: {{ k: int64, x: float64, s: string }}",
            batches()
        ))
    };
    fs::write(bench.path().join("p.yaml"), text(1)).unwrap();
    let (out, err) = bench.good("run p.yaml --format json -w 1");
    assert!(err.contains("warning[W0405]") && err.contains("was started again 1 time"), "{err}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["results"].to_string(), results(&pipeline("  - stream: [cat]"), "-w 1"));
    fs::remove_file(bench.path().join("mark")).unwrap();
    fs::write(bench.path().join("p.yaml"), text(0)).unwrap();
    assert_eq!(bench.run("run p.yaml -w 1").2, 3);
}

#[test]
fn mistakes_are_found_before_the_run() {
    let step = |step: &str| format!("steps:\n  - range: {{ k: 0..10 }}\n  - {step}\n");
    let cases = [
        ("stream: cat", "E0013", "a list of a program and its arguments"),
        (
            "stream: [no-such-program]",
            "E0411",
            "there is no program `no-such-program` in the folders of PATH",
        ),
        ("stream: [./no-such-program]", "E0411", "the program `./no-such-program` does not exist"),
        ("stream: [./p.yaml]", "E0411", "the program `./p.yaml` may not be executed"),
        ("stream: [sh, -c, exit 4]", "E0411", "ended with exit code 4 before it had answered"),
        ("stream: [sh, -c, echo hello there]", "E0411", "`hello there\\n`"),
        ("stream: [cat]\n    columns: { k: integer }", "E0015", "no type is called `integer`"),
        ("stream: [cat]\n    timeout: -1", "E0015", "`timeout` is a number of seconds above 0"),
        ("stream: [cat]\n    retries: -1", "E0015", "a whole number from 0 on"),
        ("stream: [cat]\n  - select: z", "E0301", "no column is called `z`"),
        ("stream: [cat]\n    timeot: 1", "E0010", "timeout"),
    ];
    for (text, code, part) in cases {
        let (_, err, ended) = Bench::new(&step(text)).run("check p.yaml");
        assert_eq!(ended, 2, "{text}: {err}");
        assert!(err.contains(code) && err.contains(part), "{text}: {err}");
    }
    // Declared columns are believed until the program answers.
    let bench = Bench::new(&step("stream: [cat]\n    columns: { z: float64 }"));
    bench.good("check p.yaml");
    let (_, err, code) = bench.run("run p.yaml");
    assert_eq!(code, 3);
    assert!(err.contains("it wrote a column `k` beside z"), "{err}");
}

#[test]
fn a_call_may_be_a_stream() {
    let cat = results(&pipeline("  - stream: [cat]\n    batch_rows: 3000"), "-w 2");
    let call =
        |more: &str| pipeline(&format!("  - call: {{ stream: [cat]{more} }}\n    batch: 3000"));
    assert_eq!(results(&call(""), "-w 2"), cat);
    let (_, err, code) = Bench::new(&call(", retries: 1")).run("check p.yaml");
    assert!(code == 2 && err.contains("`retries` stands beside `call`"), "{err}");
    let text = pipeline("  - call: { stream: [cat] }\n    stdin: x");
    let (_, err, code) = Bench::new(&text).run("check p.yaml");
    assert!(code == 2 && err.contains("a call that is a stream has no key `stdin`"), "{err}");
}

#[test]
fn programs_are_refused_on_request() {
    let bench = Bench::new(
        "steps:\n  - range: { k: 0..10 }\n  - stream: [sh, -c, touch made; cat]\n  - reduce: { n: count() }\n\
         tests:\n  - expect: { n: 10 }\n",
    );
    for verb in ["check", "explain", "run", "run -n 2", "test"] {
        let (out, err, code) = bench.run(&format!("{verb} p.yaml --no-calls"));
        assert!(code != 0 && format!("{out}{err}").contains("E0410"), "{verb}: {code} {out}{err}");
    }
    assert!(bench.left().is_empty(), "{:?}", bench.left());
    let (told, _) = bench.good("explain p.yaml");
    assert!(told.contains("Stream through `sh -c \"touch made; cat\"`"), "{told}");
    assert!(bench.good("test p.yaml").0.contains("1 passed"));
}

/// A run in the background whose program takes its time over each batch.
struct Slow {
    bench: Bench,
    log: PathBuf,
}

impl Slow {
    fn new() -> Slow {
        let bench = Bench::new("");
        let log = bench.path().join("log");
        let slow = Slow { bench, log };
        slow.put("slow, 100");
        slow
    }

    fn put(&self, how: &str) {
        let text = format!(
            "steps:\n  - range: {{ k: 0..100000 }}\n  - map: {{ x: sin(k) }}\n  - stream: [{}, {how}, ={}]\n    \
             columns: {{ k: int64, x: float64 }}\n  - write: out.parquet\n",
            batches(),
            self.log.display()
        );
        fs::write(self.bench.path().join("p.yaml"), text).unwrap();
    }

    fn done(&self) -> usize {
        fs::read_to_string(&self.log).map_or(0, |text| text.lines().count())
    }

    fn start(&self, arguments: &str) -> Child {
        Command::new(BINARY)
            .current_dir(self.bench.path())
            .args("run p.yaml --tile 2000 -q --format json".split(' ').chain(arguments.split(' ')))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn until(&self, what: &str, mut is: impl FnMut() -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !is() {
            assert!(Instant::now() < end, "never: {what}");
            sleep(Duration::from_millis(10));
        }
    }

    /// Whether a process of the program of this run is there.
    fn runs(&self) -> bool {
        let log = self.log.display().to_string();
        let ours = |entry: fs::DirEntry| {
            let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words).into_owned();
            words.contains("examples/batches") && words.contains(&log)
        };
        fs::read_dir("/proc").unwrap().flatten().any(ours)
    }
}

#[test]
fn no_program_outlives_its_run() {
    for (signal, arguments) in [
        (Signal::KILL, "-w 2"),
        (Signal::INT, "-w 2"),
        (Signal::TERM, "-n 2 -w 1"),
        (Signal::KILL, "-n 2 -w 1"),
    ] {
        let slow = Slow::new();
        let mut child = slow.start(arguments);
        slow.until("some batches are done", || slow.done() >= 3);
        assert!(slow.runs());
        kill_process(Pid::from_child(&child), signal).unwrap();
        child.wait().unwrap();
        slow.until("the programs end", || !slow.runs());
    }
}

const COUNT: &str = "steps:\n  - read: out.parquet\n  - reduce: { n: count(), k: sum(k) }\n";

#[test]
fn what_is_done_is_not_done_again_after_a_kill() {
    for arguments in ["-w 1", "-n 2 -w 1"] {
        let slow = Slow::new();
        let mut child = slow.start(arguments);
        slow.until("a part is done", || slow.done() >= 30);
        kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
        child.wait().unwrap();
        slow.until("the programs end", || !slow.runs());
        let before = slow.done();
        assert!(before < 50, "it was killed too late");
        slow.bench.good("run p.yaml --tile 2000 -q -w 2");
        let again = slow.done() - before;
        // What was in flight, in programs and behind them, has to be done again.
        assert!(again <= 40, "{before} done, then {again} of 50 batches");
        fs::write(slow.bench.path().join("count.yaml"), COUNT).unwrap();
        let (out, _) = slow.bench.good("run count.yaml -q --format json");
        assert!(out.contains("100000") && out.contains("4999950000"), "{out}");
        // A second run has nothing to do,
        let all = slow.done();
        let (_, err) = slow.bench.good("run p.yaml --tile 2000 -w 2");
        assert!(err.contains("up to date: 0 of 50 tiles to do"), "{err}");
        assert_eq!(slow.done(), all);
        // but another program has.
        slow.put("log");
        slow.bench.good("run p.yaml --tile 2000 -q --overwrite -w 2");
        assert_eq!(slow.done(), all + 50);
    }
}

#[test]
fn a_program_that_goes_on_is_ended_when_tidemill_is_killed() {
    let bench = Bench::new(
        "steps:\n  - range: { k: 0..1000 }\n  - stream: [sh, goes_on.sh]\n    columns: { k: int64 }\n",
    );
    let script = "trap '' TERM HUP INT\nsleep 600 &\necho $! $$ > pids\ncat\nsleep 600\n";
    fs::write(bench.path().join("goes_on.sh"), script).unwrap();
    let mut child = Command::new(BINARY)
        .current_dir(bench.path())
        .args(["run", "p.yaml"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pids = || {
        let text = fs::read_to_string(bench.path().join("pids")).unwrap_or_default();
        text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let runs = |pid: &String| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
    };
    let until = |what: &str, is: &dyn Fn() -> bool| {
        let end = Instant::now() + Duration::from_secs(60);
        while !is() {
            assert!(Instant::now() < end, "never: {what}");
            sleep(Duration::from_millis(10));
        }
    };
    until("the program has begun", &|| pids().len() == 2);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(pids().len() == 2);
    until("the program ends", &|| !pids().iter().any(runs));
}
