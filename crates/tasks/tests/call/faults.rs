//! Programs that behave badly: each is a clear error of its row, and nothing hangs or is left.
use crate::*;
use base::DType;
use std::process::Command;
use std::time::Instant;
use tasks::call::Stdout;

fn fails(spec: Spec, part: &str) {
    let done = run(spec, texts(&["x"]));
    assert!(done.why().contains(part), "{}", done.why());
}

/// Whether a process runs whose arguments have this word.
fn runs(word: &str) -> bool {
    let found = Command::new("ps").args(["-eo", "stat,args"]).output().unwrap().stdout;
    String::from_utf8_lossy(&found)
        .lines()
        .any(|line| line.contains(word) && !line.starts_with('Z'))
}

/// Waits until none runs.
fn is_gone(word: &str) -> bool {
    let begun = Instant::now();
    while runs(word) && begun.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(20));
    }
    !runs(word)
}

#[test]
fn a_program_that_cannot_be_started_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    fails(
        spec(&["no-such-program-here"]),
        "no program `no-such-program-here` in the folders of PATH",
    );
    fails(spec(&[&path("none")]), "none` does not exist");
    fails(spec(&[dir.path().to_str().unwrap()]), "is a folder");
    std::fs::write(path("plain"), "#!/bin/sh\n").unwrap();
    fails(spec(&[&path("plain")]), "may not be executed");
    let odd = script(dir.path(), "odd", "");
    std::fs::write(&odd, "#!/no/such/interpreter\n").unwrap();
    fails(spec(&[&odd]), "interpreter that");
    std::fs::write(&odd, b"\x00\x01\x02").unwrap();
    fails(spec(&[&odd]), "neither a program nor a script");
    let folder = Some(template(&path("no folder")));
    fails(Spec { folder, ..spec(&["true"]) }, "no folder` for `true` does not exist");
    fails(spec(&["echo", "a\0b"]), "byte 0");
    fails(spec(&["echo", &"x".repeat(1 << 22)]), "too long for the system");
}

#[test]
fn a_bad_end_is_said_with_what_the_program_said() {
    let dir = tempfile::tempdir().unwrap();
    let program = |name, text| script(dir.path(), name, text);
    let loud = program("loud", "echo begun >&2; echo 'no such star' >&2; exit 7");
    let done = run(spec(&[&loud]), numbers(1));
    assert!(done.why().contains("exit code 7; it said: begun\nno such star"), "{}", done.why());
    assert_eq!(done.ints("exit"), [Some(7)]);
    assert_eq!(done.texts("stdout"), [None]);
    let killed = run(spec(&[&program("killed", "kill -SEGV $$")]), numbers(1));
    assert!(killed.why().contains("signal 11 (SIGSEGV"), "{}", killed.why());
    assert_eq!(killed.ints("exit"), [Some(-11)]);
}

#[test]
fn only_the_end_of_standard_error_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let many = script(dir.path(), "many", "yes err | head -c 3000000 >&2; printf '\\377end' >&2");
    let done = run(spec(&[&many]), numbers(1)).well();
    let stderr = done.texts("stderr")[0].unwrap();
    assert!((60_000..70_000).contains(&stderr.len()), "{}", stderr.len());
    assert!(stderr.starts_with('…') && stderr.ends_with("err\n\u{fffd}end"), "{stderr}");
}

#[test]
fn a_flood_is_ended() {
    let flood = Spec { most_stdout: 1 << 20, ..spec(&["yes", "marked-flood-31"]) };
    fails(flood, "more than 1 MiB to its standard output");
    assert!(is_gone("marked-flood-31"));
}

#[test]
fn half_an_answer_is_none() {
    let json = |text: &str| Spec {
        stdout: Stdout::Json(vec![("x".into(), DType::Int64)]),
        ..spec(&["printf", "%s", text])
    };
    fails(
        json("{\"x\": 1"),
        "the output of `printf` is not JSON, at line 1: `{\"x\": 1`; it breaks off",
    );
    fails(json("oops"), "not JSON");
    fails(json("{\"x\": \"1\"}"), "which is no int64");
    fails(Spec { stdout: Stdout::Float64, ..spec(&["true"]) }, "is not a number: ``");
    fails(spec(&["printf", "\\377"]), "not UTF-8 text: see byte 1");
}

#[test]
fn a_program_that_takes_too_long_is_ended_with_its_children() {
    let dir = tempfile::tempdir().unwrap();
    let slow = script(dir.path(), "slow", "echo waiting >&2; sleep 5917 & sleep 5917; true");
    let begun = Instant::now();
    let timeout = Some(Duration::from_millis(300));
    let done = run(Spec { timeout, ..spec(&[&slow]) }, numbers(1));
    assert!(done.why().contains("longer than 0.3 s"), "{}", done.why());
    assert!(done.why().ends_with("it said: waiting"), "{}", done.why());
    assert!(begun.elapsed() < Duration::from_secs(30) && is_gone("sleep 5917"));
}

#[test]
fn a_program_that_ignores_the_request_to_end_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let deaf = script(dir.path(), "deaf", "trap '' TERM; while :; do sleep 0.0517; done");
    let timeout = Some(Duration::from_millis(300));
    let done = run(Spec { timeout, ..spec(&[&deaf]) }, numbers(1));
    assert!(done.why().contains("longer than"), "{}", done.why());
    assert_eq!(done.ints("exit"), [Some(-9)]);
    assert!(is_gone(&deaf));
}

#[test]
fn a_program_that_closes_its_pipes_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let quiet = script(dir.path(), "quiet", "exec <&- >&- 2>&-; sleep 0.3; exit 5");
    let input = Some(template(&"x".repeat(1 << 20)));
    let done = run(Spec { stdin: input, ok: vec![5], ..spec(&[&quiet]) }, numbers(1)).well();
    assert!(done.floats("seconds")[0].unwrap() >= 0.3);
    assert_eq!(done.texts("stdout"), [Some("")]);
}

#[test]
fn what_a_program_leaves_running_holds_nobody_up() {
    let dir = tempfile::tempdir().unwrap();
    let leaves = script(dir.path(), "leaves", "sleep 5923 & echo started");
    fails(spec(&[&leaves]), "a process that it has left running kept its output open");
    assert!(is_gone("sleep 5923"));
    let silent = script(dir.path(), "silent", "sleep 5927 >/dev/null 2>&1 & echo started");
    assert_eq!(run(spec(&[&silent]), numbers(1)).well().texts("stdout"), [Some("started")]);
    assert!(is_gone("sleep 5927"));
    let away = script(dir.path(), "away", "setsid sleep 1.5931 & echo started");
    fails(spec(&[&away]), "kept its output open");
}

#[test]
fn a_stop_ends_what_runs() {
    let (go, stop) = watch::channel(false);
    let call = Call::new(spec(&["sleep", "5939"])).unwrap();
    let begun = Instant::now();
    let done = runtime::handle().unwrap().block_on(async {
        let soon = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            go.send(true).unwrap();
        };
        tokio::join!(call.run(numbers(1), stop), soon).0
    });
    assert!(done.errors[0].as_deref().unwrap().contains("was stopped"));
    assert!(begun.elapsed() < Duration::from_secs(30) && is_gone("sleep 5939"));
}

#[test]
fn a_call_that_nobody_waits_for_any_more_is_ended() {
    let (_go, stop) = watch::channel(false);
    let call = Call::new(spec(&["sleep", "5953"])).unwrap();
    runtime::handle().unwrap().block_on(async {
        let seen = async {
            while !runs("sleep 5953") {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            _ = call.run(numbers(1), stop) => panic!("it has ended"),
            () = seen => {}
        }
    });
    assert!(is_gone("sleep 5953"));
}
