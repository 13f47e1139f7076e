//! Runs that end before their time: nothing hangs, nothing is left.
use crate::bench::{BINARY, Bench, ENDLESS};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::Read;
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
