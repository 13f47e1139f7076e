//! A process that calls programs is killed: nothing that it has called goes on, no half file stays.
//!
//! This program is the test, the process that is killed, and its warden, by its first argument.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tasks::call::{Call, Spec};
use tasks::{Piece, Rows, Template, Work, runtime, warden};

/// Programs that are hard to end, each with its text. All note that they have begun.
const PROGRAMS: [(&str, &str); 6] = [
    ("plain", "while :; do sleep 0.05; done"),
    ("deaf", "trap '' TERM HUP INT; while :; do sleep 0.05; done"),
    ("children", "sh \"$0.loop\" & sh \"$0.loop\" & wait"),
    ("away", "setsid sh \"$0.loop\" > /dev/null 2>&1 & while :; do sleep 0.05; done"),
    ("bare", "exec env -i sh \"$0.loop\""),
    ("writes", "while :; do echo half >> \"$1\"; sleep 0.05; done"),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("warden") => warden::main(),
        Some("parent") => parent(Path::new(&arguments[2])),
        // The test harness hands on words of its own.
        _ => {
            for (name, test) in [
                ("nothing outlives a process that is killed", killed as fn()),
                ("a warden that has died is begun again", without_warden),
                ("a warden goes with its process", ended),
            ] {
                test();
                println!("test {name} ... ok");
            }
        }
    }
}

/// Calls all programs and waits for them, or, if there is a file `end`, one that ends.
fn parent(folder: &Path) {
    let exe = std::env::current_exe().unwrap();
    warden::provide(exe, ["warden".into(), folder.into()]);
    let word = |name: &str| Template::text(folder.join(name).to_str().unwrap());
    let column = Arc::new(StringArray::from(vec!["x"])) as ArrayRef;
    let batch = Arc::new(RecordBatch::try_from_iter([("k", column)]).unwrap());
    let (_go, stop) = tokio::sync::watch::channel(false);
    let calls = PROGRAMS.iter().map(|(name, _)| {
        let program = if folder.join("end").exists() { Template::text("true") } else { word(name) };
        let outputs = if *name == "writes" { vec![word("out/half.txt")] } else { Vec::new() };
        let command = vec![program, word("out/half.txt"), Template(vec![Piece::Text("x".into())])];
        let call = Call::new(Spec { outputs, ..Spec::new(command) }).unwrap();
        let (rows, stop) = (Rows { batch: batch.clone(), first: 0, count: 1 }, stop.clone());
        async move {
            let answer = call.run(rows, stop).await;
            // Said, for whoever looks why a test failed.
            answer.errors.iter().flatten().for_each(|why| println!("{why}"));
        }
    });
    runtime::handle().unwrap().block_on(futures::future::join_all(calls));
}

/// Numbers of processes in whose command line a text stands, and which are no zombies.
fn running(text: &str) -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let numbers = entries.filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok());
    numbers
        .filter(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).replace('\0', " ").contains(text)
        })
        .collect()
}

fn wait_for(what: &str, is: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what} did not come");
        sleep(Duration::from_millis(10));
    }
}

/// A parent all of whose programs run.
fn begin(folder: &Path) -> Child {
    for (name, text) in PROGRAMS {
        let write = |name: &str, text: String| {
            fs::write(folder.join(name), text).unwrap();
            let executable = fs::Permissions::from_mode(0o755);
            fs::set_permissions(folder.join(name), executable).unwrap();
        };
        write(name, format!("#!/bin/sh\ntouch \"$0.begun\"\n{text}\n"));
        write(&format!("{name}.loop"), "while :; do sleep 0.05; done".to_owned());
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("parent").arg(folder).stdin(Stdio::null());
    let child = command.spawn().unwrap();
    for (name, _) in PROGRAMS {
        wait_for(name, || folder.join(format!("{name}.begun")).exists());
    }
    wait_for("half a file", || fs::read_dir(folder.join("out")).is_ok_and(|d| d.count() == 1));
    let text = folder.to_str().unwrap();
    // Itself, its warden, six programs, two children and one that has gone away.
    wait_for("all programs", || running(text).len() >= 11);
    child
}

/// Kills it, and looks that nothing is left soon.
fn kill(mut child: Child, folder: &Path) {
    child.kill().unwrap();
    child.wait().unwrap();
    let begun = Instant::now();
    let text = folder.to_str().unwrap();
    let wardens = || running(&format!("warden {text}")).len();
    wait_for("the end of all programs", || running(text).len() <= wardens());
    println!("all programs had ended after {:.2} s", begun.elapsed().as_secs_f64());
    // A second, on a machine that has nothing else to do.
    assert!(begun.elapsed() < Duration::from_secs(10));
    wait_for("the end of the warden", || running(text).is_empty());
    assert_eq!(fs::read_dir(folder.join("out")).unwrap().count(), 0);
}

fn killed() {
    let dir = tempfile::tempdir().unwrap();
    kill(begin(dir.path()), dir.path());
}

fn without_warden() {
    let dir = tempfile::tempdir().unwrap();
    let child = begin(dir.path());
    let word = format!("warden {}", dir.path().display());
    let first = running(&word)[0];
    Command::new("kill").args(["-9", &first.to_string()]).status().unwrap();
    wait_for("the second warden", || running(&word).iter().any(|pid| *pid != first));
    kill(child, dir.path());
}

fn ended() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("end"), "").unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    assert!(command.arg("parent").arg(dir.path()).status().unwrap().success());
    wait_for("the end of the warden", || running(dir.path().to_str().unwrap()).is_empty());
}
