//! Standard output must take the results; standard error may be gone, and all comes out the same.
//! Nothing that a file holds steers a terminal.
use crate::bench::{BINARY, Bench, SERIES};
use std::fs::{File, OpenOptions};
use std::process::{Command, Stdio};

/// A result, an output, and a test.
const BOTH: &str = "title: Both
steps:
  - range: { k: 0..5000 }
  - reduce: { n: count() }
    by: { g: k // 2 }
    as: groups
  - write: out.csv
  - reduce: { all: sum(n) }
    from: groups
tests:
  - name: all
    expect: { all: 5000 }
";

fn command(bench: &Bench, arguments: &str) -> Command {
    let mut command = Command::new(BINARY);
    command.current_dir(bench.path()).args(arguments.split_whitespace());
    command
}

/// The binary, its streams as a shell sets them.
fn shell(bench: &Bench, arguments: &str, streams: &str) -> Command {
    let mut command = Command::new("sh");
    let line = format!("exec {BINARY} {arguments} {streams}");
    command.current_dir(bench.path()).args(["-c", &line]);
    command
}

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

const PRINTING: [&str; 14] = [
    "run p.yaml",
    "run p.yaml --format json",
    "run p.yaml -n 2",
    "explain p.yaml",
    "explain p.yaml --mermaid",
    "explain p.yaml --ledger",
    "status .",
    "test p.yaml",
    "slurm p.yaml",
    "schema",
    "list",
    "doc sort",
    "--help",
    "--version",
];

#[test]
fn results_that_standard_output_does_not_take_are_an_error() {
    let bench = Bench::new(BOTH);
    for arguments in PRINTING {
        for mut command in [
            {
                let mut command = command(&bench, arguments);
                command.stdout(full());
                command
            },
            shell(&bench, arguments, ">&-"),
        ] {
            let output = command.stderr(Stdio::piped()).output().unwrap();
            let err = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{arguments}: {err}");
            assert!(err.contains("cannot be written to standard output"), "{arguments}: {err}");
        }
    }
    // What a run writes has its name all the same, and is not done again.
    assert!(bench.path().join("out.csv").exists());
    let (out, err) = bench.good("run p.yaml");
    assert!(err.contains("up to date") && out.contains("5000"), "{out}{err}");
}

#[test]
fn a_reader_that_wants_no_more_is_no_error() {
    let bench = Bench::new(BOTH);
    for arguments in PRINTING {
        let mut child = command(&bench, arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments}: {err}");
    }
    assert!(bench.path().join("out.csv").exists());
}

/// A terminal whose other end is gone.
fn gone_terminal() -> File {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    OpenOptions::new().write(true).open(name.to_str().unwrap()).unwrap()
}

#[test]
fn a_lost_standard_error_is_no_reason_to_stop() {
    for arguments in [
        "run p.yaml",
        "run p.yaml --progress bar",
        "run p.yaml -n 2 -w 1",
        "bench p.yaml -w 1 --runs 1 --format json",
    ] {
        let told = |command: &mut Command| {
            let bench = Bench::new(BOTH);
            command.current_dir(bench.path()).args(arguments.split_whitespace());
            let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
            drop(child.stderr.take());
            let output = child.wait_with_output().unwrap();
            let out = String::from_utf8(output.stdout).unwrap();
            assert_eq!(output.status.code(), Some(0), "{arguments}: {out}");
            let written = bench.path().join("out.csv").exists();
            assert_eq!(written, arguments.starts_with("run"), "{arguments}");
            out
        };
        let all = told(Command::new(BINARY).stderr(Stdio::null()));
        let same = |out: &str| arguments.starts_with("bench") || out == all;
        assert!(same(&told(Command::new(BINARY).stderr(Stdio::piped()))), "{arguments}: a pipe");
        assert!(same(&told(Command::new(BINARY).stderr(full()))), "{arguments}: a full disk");
        assert!(
            same(&told(Command::new(BINARY).stderr(gone_terminal()))),
            "{arguments}: a terminal"
        );
        let closed = format!("exec {BINARY} \"$@\" 2>&-");
        let closed = told(Command::new("sh").args(["-c", &closed, "sh"]).stderr(Stdio::null()));
        assert!(same(&closed), "{arguments}: closed");
    }
}

#[test]
fn mistakes_have_their_exit_code_though_nobody_listens() {
    let bench = Bench::new(&SERIES.replace("1 / k", "1 / j"));
    for arguments in ["run p.yaml", "check p.yaml", "explain p.yaml", "doc nothing", "wrong"] {
        let status = command(&bench, arguments).stderr(full()).stdout(Stdio::null()).status();
        assert_eq!(status.unwrap().code(), Some(2), "{arguments}");
    }
}

/// Names and texts that would clear the screen, name the window, and turn the line around.
const NAME: &str = "a\x1b[2J\u{9b}2J";
const TEXT: &str = "x\x1b]0;name\x07\u{202e}y";

#[test]
fn what_a_file_holds_does_not_steer_the_terminal() {
    let bench = Bench::new(
        "title: \"T\\e[2J</script>\"\nsteps:\n  - read: x.csv\n  - filter: not isnull(b)\n",
    );
    let rows = format!("{NAME},b\n{TEXT},1\n\"two\nlines\",2\n");
    std::fs::write(bench.path().join("x.csv"), rows).unwrap();
    let steers = |text: &str| text.contains(['\x1b', '\u{9b}', '\x07', '\u{202e}']);
    for arguments in [
        "run p.yaml",
        "run p.yaml -n 2",
        "run p.yaml --format json",
        "explain p.yaml",
        "explain p.yaml --dot",
        "explain p.yaml --mermaid",
        "slurm p.yaml",
    ] {
        let (out, err) = bench.good(arguments);
        assert!(!steers(&out) && !steers(&err), "{arguments}: {out:?} {err:?}");
        let script = arguments.contains("mermaid") && out.contains("</script>");
        assert!(!script, "{out}");
    }
    let (out, _) = bench.good("run p.yaml -q");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3, "{out}");
    assert!(lines[0].starts_with(r"a\x1b[2J\x9b2J"), "{out}");
    assert!(lines[1].starts_with(r"x\x1b]0;name\x07\u{202e}y"), "{out}");
    assert!(lines[2].starts_with(r"two\nlines"), "{out}");
    let (out, _) = bench.good("run p.yaml -q --format json");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["results"]["filter"][0][NAME], TEXT);

    // Helps of mistakes name columns, and so do messages.
    std::fs::write(bench.path().join("p.yaml"), "steps:\n  - read: x.csv\n  - filter: zzz > 1\n")
        .unwrap();
    let (_, err, code) = bench.run("check p.yaml");
    assert!(code == 2 && err.contains(r"a\x1b[2J") && !steers(&err), "{err:?}");
    let (_, err, code) = bench.run("check no\x1b[2J.yaml");
    assert!(code == 2 && !steers(&err), "{err:?}");
}
