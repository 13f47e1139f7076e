//! Limits that a shell or a batch system sets: each ends in a sentence, none in a signal.
use crate::bench::{BINARY, Bench};
use std::process::Command;

const SORT: &str = "params: { n: 1e5 }
steps:
  - range: { k: 0..n }
  - map: { x: sin(k) }
  - sort: x
  - write: out.csv
";

/// Standard error and exit code of a run under a limit, as `ulimit` sets it.
fn limited(bench: &Bench, limit: &str, arguments: &str) -> (String, i32) {
    let line = format!("ulimit {limit} && exec {BINARY} {arguments}");
    let output = Command::new("sh")
        .current_dir(bench.path())
        .args(["-c", &line])
        .env_remove("RUST_BACKTRACE")
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    (err, output.status.code().unwrap_or(-1))
}

#[test]
fn files_that_may_not_grow_end_in_a_sentence() {
    for arguments in ["run p.yaml", "run p.yaml -n 2", "run p.yaml --no-state"] {
        let bench = Bench::new(SORT);
        let (err, code) = limited(&bench, "-f 100", arguments);
        assert_eq!(code, 1, "{arguments}: {err}");
        assert!(err.contains("cannot write") && err.contains("too large"), "{arguments}: {err}");
        assert!(!bench.path().join("out.csv").exists());
        // Once they may, it is done.
        bench.good(arguments);
        assert!(bench.path().join("out.csv").exists());
    }
}

#[test]
fn the_address_space_is_a_limit_of_memory() {
    let bench = Bench::new(SORT);
    let (err, code) = limited(&bench, "-v 200000", "run p.yaml -w 2 --no-state");
    assert_eq!(code, 5, "{err}");
    assert!(err.contains("ulimit -v") && err.contains("--tile"), "{err}");
    // With less still it ends in a sentence, wherever memory is lacking.
    let (err, code) = limited(&bench, "-v 180000", "run p.yaml -w 2 --memory 10GB --no-state");
    assert_eq!(code, 5, "{err}");
    assert_eq!(bench.left(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_small_stack_is_enough() {
    let bench = Bench::new(SORT);
    for arguments in ["run p.yaml", "check p.yaml --overwrite", "explain p.yaml"] {
        let (err, code) = limited(&bench, "-s 64", arguments);
        assert_eq!(code, 0, "{arguments}: {err}");
    }
}
