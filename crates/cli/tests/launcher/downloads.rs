//! `fetch`: downloads from a server on the loopback, by the binary: what fails is kept apart,
//! nothing is done twice, nothing is half there, nothing secret is told.
use crate::bench::{BINARY, Bench, Random};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use server::{Server, bytes, ok, ranged, send};
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

#[allow(dead_code)]
#[path = "../../../tasks/tests/fetch/server.rs"]
mod server;

const LIST: &str = r#"title: Downloads
params: { base: none, n: 12 }
steps:
  - range: { k: 0..n }
  - fetch: ${base}/${k}
    to: out/${k:02d}.bin
    concurrency: 4
    wait: 0.01
    on_error: keep
    errors: failed.csv
  - map: { good: isnull(error) }
  - select: [k, good, status, bytes, attempts]
"#;

/// The body of a file of the list.
fn body(path: &str) -> Vec<u8> {
    bytes(50_000, path.trim_start_matches('/').parse().unwrap())
}

/// The result of a run, a row a line.
fn rows(bench: &Bench, arguments: &str) -> Vec<Value> {
    let (out, _) = bench.good(&format!("run p.yaml --format json {arguments}"));
    let report: Value = serde_json::from_str(&out).unwrap();
    report["results"]["select"].as_array().unwrap().clone()
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Every third is busy at first, the seventh is not there, the eleventh is cut once.
fn faulty() -> Server {
    Server::new(|r, s| match (r.path.as_str(), r.n) {
        ("/7", _) => send(s, "404 Not Found\r\nContent-Length: 0", b""),
        ("/0" | "/3" | "/6" | "/9", 1) => send(s, "503 Busy\r\nContent-Length: 0", b""),
        ("/11", 1) => ranged(r, s, &body(&r.path), "\"x\"", 20_000),
        _ => ranged(r, s, &body(&r.path), "\"x\"", usize::MAX),
    })
}

#[test]
fn what_fails_is_told_and_the_rest_is_there() {
    for processes in ["-n 1", "-n 2 -w 1"] {
        let (server, bench) = (faulty(), Bench::new(LIST));
        let set = format!("--set base={} {processes}", server.base);
        let first = rows(&bench, &set);
        for (k, row) in first.iter().enumerate() {
            let (status, attempts) = match k {
                7 => (404, 1),
                11 => (206, 2),
                _ => (200, if k % 3 == 0 { 2 } else { 1 }),
            };
            assert_eq!((&row["k"], &row["good"]), (&k.into(), &(k != 7).into()));
            assert_eq!((&row["status"], &row["attempts"]), (&status.into(), &attempts.into()));
        }
        let letters = fs::read_to_string(bench.path().join("failed.csv")).unwrap();
        assert!(
            letters.contains(&format!("7,{}/7: status 404 Not Found,", server.base)),
            "{letters}"
        );
        assert_eq!(letters.lines().count(), 2);
        let there = names(&bench.path().join("out"));
        assert_eq!(there.len(), 11, "{there:?}");
        for k in (0..12).filter(|k| *k != 7) {
            let file = fs::read(bench.path().join(format!("out/{k:02}.bin"))).unwrap();
            assert!(file == body(&k.to_string()), "{k}");
        }
        // What is there is not asked for again; what failed is.
        let before = server.requests().len();
        assert_eq!(rows(&bench, &set), first);
        let again: Vec<String> =
            server.requests()[before..].iter().map(|r| r.path.clone()).collect();
        assert_eq!(again, ["/7"]);
        // Neither is the rest if one file has gone, and rows have come.
        fs::remove_file(bench.path().join("out/04.bin")).unwrap();
        let before = server.requests().len();
        assert_eq!(rows(&bench, &format!("{set} --set n=13")).len(), 13);
        let mut again: Vec<String> =
            server.requests()[before..].iter().map(|r| r.path.clone()).collect();
        again.sort();
        assert_eq!(again, ["/12", "/4", "/7"]);
    }
}

#[test]
fn files_of_earlier_runs_are_replaced_and_no_others() {
    let server = Server::new(|r, s| ok(s, r.path.as_bytes()));
    let list = LIST
        .replace("${base}/${k}", "${base}/${k}/$version")
        .replace("n: 12", "n: 3, version: 1")
        .replace("    errors: failed.csv\n", "")
        .replace("status,", "error, status,");
    let bench = Bench::new(&list);
    let good = |version: u32| -> Vec<Value> {
        let set = format!("--set base={} --set version={version}", server.base);
        rows(&bench, &set).iter().map(|row| row["good"].clone()).collect()
    };
    let read = |name: &str| fs::read_to_string(bench.path().join("out").join(name)).unwrap();
    assert_eq!(good(1), [true, true, true]);
    assert_eq!(good(2), [true, true, true]);
    assert_eq!(read("00.bin"), "/0/2");
    fs::write(bench.path().join("out/01.bin"), "mine").unwrap();
    assert_eq!(good(3), [true, false, true]);
    assert_eq!((read("00.bin"), read("01.bin")), ("/0/3".to_owned(), "mine".to_owned()));
    let set = format!("--set base={} --set version=3", server.base);
    let why = rows(&bench, &set)[1]["error"].to_string();
    assert!(why.contains("exists already, with other content"), "{why}");
    assert_eq!(names(&bench.path().join("out")).len(), 3);
}

#[test]
fn nothing_secret_is_told_or_kept() {
    let server = Server::new(|r, s| match r.header("x-api-key") {
        "hidden-1" if r.header("authorization") == "Basic bWU6aGlkZGVuLTI=" => ok(s, b"yes"),
        _ => send(s, "403 No\r\nContent-Length: 0", b""),
    });
    let host = server.base.strip_prefix("http://").unwrap();
    let list = "title: Secrets
params: { base: none }
steps:
  - range: { k: 0..4 }
  - fetch: ${base}/$k
    to: out/$k
    secrets: { X-Api-Key: SECRET_OF_THE_TEST }
    on_error: keep
    retries: 0
";
    let login = format!("http://me:hidden-2@{host}");
    let pipeline = list.replace("${base}", &login);
    let (set, mixed) =
        (format!("--set base={login}"), list.replace("base: none", &format!("base: \"{login}\"")));
    let cases = [(&*pipeline, ""), (list, &set), (&mixed, "")];
    let keys = [("hidden-3", false), ("hidden-1", true)];
    for ((pipeline, set), (key, good)) in cases.iter().flat_map(|c| keys.map(|key| (c, key))) {
        let bench = Bench::new(pipeline);
        let mut told = String::new();
        for verb in ["run", "explain", "check", "status"] {
            let mut command = bench.tidemill(&format!("{verb} p.yaml {set}"));
            let output = command.env("SECRET_OF_THE_TEST", key).output().unwrap();
            told += &String::from_utf8(output.stdout).unwrap();
            told += &String::from_utf8(output.stderr).unwrap();
        }
        assert_eq!(bench.path().join("out/3").exists(), good, "{told}");
        assert_eq!(told.contains("status 403 Forbidden"), !good, "{told}");
        assert!(!told.contains("hidden"), "{told}");
        let mut folders = vec![bench.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
                match entry.is_dir() {
                    true => folders.push(entry),
                    false if entry.ends_with("p.yaml") => {}
                    false => {
                        let text = fs::read(&entry).unwrap();
                        let there = text.windows(6).any(|w| w == b"hidden");
                        assert!(!there, "{}", entry.display());
                    }
                }
            }
        }
    }
}

#[test]
fn the_first_that_come_are_enough() {
    let server = Server::new(|r, s| {
        if !["/2", "/5"].contains(&&*r.path) {
            server::stall();
        }
        ok(s, r.path.as_bytes());
    });
    let pipeline = "title: First
params: { base: none }
steps:
  - range: { k: 0..8 }
  - fetch: ${base}/$k
    to: out/$k
    first: 2
  - select: [k, status]
";
    let bench = Bench::new(pipeline);
    let first = rows(&bench, &format!("--set base={} --tile 3", server.base));
    let mut k: Vec<i64> = first.iter().map(|row| row["k"].as_i64().unwrap()).collect();
    k.sort();
    assert_eq!(k, [2, 5]);
    assert_eq!(names(&bench.path().join("out")), ["2", "5"]);
}

#[test]
fn as_many_are_in_flight_as_open_files_allow() {
    let server = Server::new(|r, s| {
        sleep(Duration::from_millis(50));
        ok(s, r.path.as_bytes());
    });
    let bench = Bench::new(&LIST.replace("concurrency: 4", "concurrency: 1000"));
    let run =
        format!("ulimit -Sn 200; exec {BINARY} run p.yaml --set base={} --set n=600", server.base);
    let output = Command::new("sh").current_dir(bench.path()).args(["-c", &run]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    assert_eq!(names(&bench.path().join("out")).len(), 600, "{told}");
    assert_eq!(told.matches("warning[W0406]").count(), 1, "{told}");
    assert!(!told.contains("W0404"), "{told}");
}

/// Starts a run that is killed after a while, with all its processes.
fn killed(bench: &Bench, arguments: &str, after: Duration) {
    let mut command = Command::new(BINARY);
    command.current_dir(bench.path()).args(arguments.split_whitespace());
    command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn().unwrap();
    sleep(after);
    let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
    child.wait().unwrap();
}

#[test]
fn kills_leave_no_half_file_and_repeat_only_what_was_in_flight() {
    const FILES: usize = 80;
    const KILLS: usize = 8;
    let mut random = Random::new();
    for processes in ["-n 1 -w 2", "-n 2 -w 1"] {
        let server = Server::new(|r, s| {
            let body = body(&r.path);
            let head = format!("200 OK\r\nETag: \"x\"\r\nContent-Length: {}", body.len());
            send(s, &head, &body[..25_000]);
            sleep(Duration::from_millis(40));
            drop(std::io::Write::write_all(s, &body[25_000..]));
        });
        let bench = Bench::new(LIST);
        let run = format!("run p.yaml --set base={} --set n={FILES} {processes}", server.base);
        for _ in 0..KILLS {
            killed(&bench, &run, Duration::from_millis(50 + random.below(300) as u64));
            for name in names(&bench.path().join("out")).iter().filter(|n| !n.starts_with('.')) {
                let file = fs::read(bench.path().join("out").join(name)).unwrap();
                let k: usize = name.strip_suffix(".bin").unwrap().parse().unwrap();
                assert!(file == body(&k.to_string()), "{name}, seed {}", random.seed);
            }
        }
        bench.good(&run);
        let expected: Vec<String> = (0..FILES).map(|k| format!("{k:02}.bin")).collect();
        assert_eq!(names(&bench.path().join("out")), expected, "seed {}", random.seed);
        // Four are in flight; a few more may have ended without being noted.
        let (asked, most) = (server.requests().len(), FILES + KILLS * 10);
        assert!(asked <= most, "{asked} requests, at most {most}, seed {}", random.seed);
    }
}
