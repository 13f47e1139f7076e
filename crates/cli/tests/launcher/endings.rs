//! Runs that end before their time: nothing hangs, nothing is left.
use crate::bench::{BINARY, Bench, ENDLESS};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A run in the background.
struct Running {
    child: Child,
    start: Instant,
}

impl Running {
    fn start(bench: &Bench, arguments: &str) -> Running {
        let child = Command::new(BINARY)
            .current_dir(bench.path())
            .args(arguments.split_whitespace())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Running { child, start: Instant::now() }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits until something is true.
    fn until(&self, what: &str, mut done: impl FnMut() -> bool) {
        while !done() {
            assert!(self.start.elapsed() < Duration::from_secs(30), "never: {what}");
            sleep(Duration::from_millis(10));
        }
    }

    /// The processes that it started.
    fn children(&self) -> Vec<Pid> {
        let parent = self.child.id().to_string();
        let pids = fs::read_dir("/proc").unwrap().flatten();
        let numbers = pids.filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok());
        numbers
            .filter(|pid| parent_of(*pid).as_deref() == Some(&parent))
            .filter_map(Pid::from_raw)
            .collect()
    }

    /// Its standard error and exit code, once it ends.
    fn end(mut self, within: Duration) -> (String, i32) {
        let end = Instant::now() + within;
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if Instant::now() > end => {
                    self.child.kill().unwrap();
                    panic!("still running after {within:?}");
                }
                None => sleep(Duration::from_millis(10)),
            }
        };
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        let mut out = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        assert_eq!(out, "");
        (text, status.code().unwrap())
    }
}

/// State and parent of a process, as `/proc` says.
fn stat(pid: i32) -> Option<(String, String)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut after_name = stat[stat.rfind(')')? + 2..].split(' ').map(str::to_owned);
    Some((after_name.next()?, after_name.next()?))
}

fn parent_of(pid: i32) -> Option<String> {
    stat(pid).map(|(_, parent)| parent)
}

/// Whether a process is there; a dead one that nobody has reaped is not.
fn lives(pid: Pid) -> bool {
    stat(pid.as_raw_nonzero().get()).is_some_and(|(state, _)| state != "Z")
}

/// A run that works, and whose output is staged.
fn working(bench: &Bench, arguments: &str, processes: usize) -> (Running, Vec<Pid>) {
    let running = Running::start(bench, arguments);
    running.until("an output is staged", || !bench.left().is_empty());
    running.until("all processes are there", || running.children().len() == processes);
    sleep(Duration::from_millis(300));
    let children = running.children();
    (running, children)
}

fn nothing_is_left(bench: &Bench, children: &[Pid]) {
    assert!(bench.left().is_empty(), "{:?}", bench.left());
    for child in children {
        assert!(!lives(*child), "{child:?} is left");
    }
}

#[test]
fn a_killed_process_ends_the_run_and_is_named() {
    let bench = Bench::new(ENDLESS);
    let (running, children) = working(&bench, "run p.yaml -n 3 -w 1 --no-state", 3);
    kill_process(*children.iter().max_by_key(|p| p.as_raw_nonzero()).unwrap(), Signal::KILL)
        .unwrap();
    let (err, code) = running.end(Duration::from_secs(5));
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("process 2 was killed by signal 9"), "{err}");
    nothing_is_left(&bench, &children);
}

#[test]
fn signals_end_the_run_in_good_order() {
    for (arguments, processes) in
        [("run p.yaml -w 2 --no-state", 0), ("run p.yaml -n 2 -w 1 --no-state", 2)]
    {
        for (signal, expected) in [(Signal::INT, 130), (Signal::TERM, 143)] {
            let bench = Bench::new(ENDLESS);
            let (running, children) = working(&bench, arguments, processes);
            kill_process(running.pid(), signal).unwrap();
            // As `timeout` does, which sends it to the group, too.
            sleep(Duration::from_millis(2));
            kill_process(running.pid(), signal).unwrap();
            let (err, code) = running.end(Duration::from_secs(5));
            assert_eq!(code, expected, "{arguments}: {err}");
            assert!(err.contains("ed after ") && err.contains(" tiles"), "{arguments}: {err}");
            nothing_is_left(&bench, &children);
        }
    }
}

#[test]
fn what_a_process_complains_of_is_marked_with_its_rank() {
    let bench = Bench::new(ENDLESS);
    let (running, children) = working(&bench, "run p.yaml -n 2 -w 1 --no-state", 2);
    let last = children.iter().max_by_key(|p| p.as_raw_nonzero()).unwrap().as_raw_nonzero();
    fs::write(format!("/proc/{last}/fd/2"), "HDF5-DIAG: oh\n").unwrap();
    sleep(Duration::from_millis(200));
    kill_process(running.pid(), Signal::INT).unwrap();
    let (err, _) = running.end(Duration::from_secs(5));
    assert!(err.lines().any(|line| line == "[1] HDF5-DIAG: oh"), "{err}");
    nothing_is_left(&bench, &children);
}

#[test]
fn children_end_with_their_launcher() {
    let bench = Bench::new(ENDLESS);
    let (mut running, children) = working(&bench, "run p.yaml -n 2 -w 1 --no-state", 2);
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    running.until("all children are gone", || children.iter().all(|pid| !lives(*pid)));
}

#[test]
fn progress_is_told_in_plain_lines() {
    let bench = Bench::new(ENDLESS);
    let (running, _) = working(&bench, "run p.yaml --progress plain --no-state", 0);
    let start = running.start;
    running.until("two seconds have passed", || start.elapsed() > Duration::from_millis(2600));
    kill_process(running.pid(), Signal::INT).unwrap();
    let (err, _) = running.end(Duration::from_secs(5));
    let line = err.lines().nth(1).unwrap();
    assert!(line.contains("tiles") && line.contains("a second"), "{err}");
}

/// Waits for the end of a launcher that was given a pipe without a writer as its pipeline.
fn stuck_in_planning(arguments: &str, signal: Signal) -> (String, i32) {
    let bench = Bench::new("");
    let made = Command::new("mkfifo").arg(bench.path().join("pipe")).status().unwrap();
    assert!(made.success());
    let running = Running::start(&bench, arguments);
    let status = format!("/proc/{}/status", running.child.id());
    let caught = 1_u64 << (Signal::TERM.as_raw() - 1);
    running.until("signals are caught", || {
        let status = fs::read_to_string(&status).unwrap_or_default();
        let bits = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        bits.is_some_and(|bits| u64::from_str_radix(bits.trim(), 16).unwrap() & caught != 0)
    });
    sleep(Duration::from_millis(100));
    kill_process(running.pid(), signal).unwrap();
    let ended = running.end(Duration::from_secs(3));
    assert_eq!(bench.left(), [Path::new("pipe")]);
    ended
}

#[test]
fn the_first_signal_ends_planning_at_once() {
    let signals = [
        (Signal::INT, 130, "interrupted"),
        (Signal::TERM, 143, "terminated"),
        (Signal::HUP, 143, "terminated by SIGHUP"),
    ];
    for verb in ["run", "run -n 2", "check", "explain", "watch", "test", "bench", "slurm"] {
        for (signal, expected, words) in signals {
            let (err, code) = stuck_in_planning(&format!("{verb} pipe"), signal);
            assert_eq!((code, &*err), (expected, &*format!("error: {words}\n")), "{verb}");
        }
    }
}

#[test]
fn a_closed_terminal_ends_a_run_in_good_order_unless_it_is_to_outlive_it() {
    let bench = Bench::new(ENDLESS);
    let (running, children) = working(&bench, "run p.yaml -n 2 -w 1 --no-state", 2);
    // All processes of a terminal get it.
    children.iter().for_each(|child| kill_process(*child, Signal::HUP).unwrap());
    kill_process(running.pid(), Signal::HUP).unwrap();
    let (err, code) = running.end(Duration::from_secs(5));
    assert_eq!(code, 143, "{err}");
    assert!(err.contains("terminated by SIGHUP after "), "{err}");
    nothing_is_left(&bench, &children);

    let child = Command::new("sh")
        .current_dir(bench.path())
        .args(["-c", &format!("trap '' HUP; exec {BINARY} run p.yaml --no-state")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let running = Running { child, start: Instant::now() };
    running.until("an output is staged", || !bench.left().is_empty());
    kill_process(running.pid(), Signal::HUP).unwrap();
    sleep(Duration::from_millis(500));
    assert!(lives(running.pid()));
    kill_process(running.pid(), Signal::TERM).unwrap();
    let (err, code) = running.end(Duration::from_secs(5));
    assert!(code == 143 && err.contains("terminated after "), "{err}");
}

#[test]
fn what_is_no_file_is_refused_and_not_waited_for() {
    let bench = Bench::new("steps:\n  - read: x/*.csv\n  - reduce: { n: count() }\n");
    fs::create_dir(bench.path().join("x")).unwrap();
    let made = Command::new("mkfifo").arg(bench.path().join("x/a.csv")).status().unwrap();
    assert!(made.success());
    let (_, err, code) = bench.run("run p.yaml");
    assert!(code == 2 && err.contains("it is a pipe, and a file is needed"), "{err}");
    fs::write(bench.path().join("p.yaml"), "steps: [{ read: /dev/zero, format: csv }]").unwrap();
    let (_, err, code) = bench.run("check p.yaml");
    assert!(code == 2 && err.contains("it is a device, and a file is needed"), "{err}");
}

#[test]
fn a_pipeline_may_come_through_a_pipe() {
    let bench = Bench::new("");
    let text = "steps: [{ range: { k: 0..10 } }, { reduce: { n: count() } }]";
    let output = bench.tidemill("run /dev/stdin -q").write_stdin(text).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), " n\n10\n");
}
