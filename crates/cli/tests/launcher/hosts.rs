//! Several launchers, as Slurm or a user starts them; here all of them on this machine. Hosts of
//! their own, and what breaks on them, are tried in `tests/hosts`.
use crate::bench::{BINARY, Bench, ENDLESS, SERIES};
use std::thread;

type Ended = (String, String, i32);

/// Starts a launcher for each process, with these arguments and variables.
fn all(
    bench: &Bench,
    n: usize,
    start: impl Fn(usize) -> (String, Vec<(&'static str, String)>) + Sync,
) -> Vec<Ended> {
    thread::scope(|scope| {
        let start = &start;
        let run = |i| {
            let (arguments, variables) = start(i);
            let output = bench.tidemill(&arguments).envs(variables).output().unwrap();
            let text = |bytes| String::from_utf8(bytes).unwrap();
            (text(output.stdout), text(output.stderr), output.status.code().unwrap_or(-1))
        };
        let threads: Vec<_> = (0..n).map(|i| scope.spawn(move || run(i))).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    })
}

fn slurm(i: usize, n: usize) -> Vec<(&'static str, String)> {
    vec![
        ("SLURM_JOB_ID", "7".into()),
        ("SLURM_STEP_ID", "0".into()),
        ("SLURM_PROCID", i.to_string()),
        ("SLURM_STEP_NUM_TASKS", n.to_string()),
        ("SLURM_CPUS_PER_TASK", "1".into()),
        ("SLURMD_NODENAME", "localhost".into()),
    ]
}

#[test]
fn slurms_variables_are_enough() {
    let bench = Bench::new(SERIES);
    let (alone, _, _) = bench.run("run p.yaml -w 1");
    let ended = all(&bench, 3, |i| ("run p.yaml --tile 100".into(), slurm(i, 3)));
    assert_eq!(ended[0].0, alone);
    assert!(
        ended[0].1.contains("3 processes (Slurm: this is process 0 on localhost)"),
        "{ended:?}"
    );
    assert!(ended.iter().all(|e| e.2 == 0), "{ended:?}");
    assert!(ended[1..].iter().all(|e| e.0.is_empty() && e.1.is_empty()), "{ended:?}");
    assert!(bench.left().is_empty(), "{:?}", bench.left());
}

#[test]
fn hosts_whose_names_nobody_knows_are_found_by_their_addresses() {
    let bench = Bench::new(SERIES);
    let (alone, _, _) = bench.run("run p.yaml -w 1");
    let unknown = |i| {
        let mut variables = slurm(i, 3);
        variables.retain(|(name, _)| *name != "SLURMD_NODENAME");
        // A name that no host can have (RFC 6761).
        variables.push(("SLURMD_NODENAME", "node1.invalid".into()));
        variables
    };
    let ended = all(&bench, 3, |i| ("run p.yaml --tile 100".into(), unknown(i)));
    assert!(ended.iter().all(|e| e.2 == 0), "{ended:?}");
    assert_eq!(ended[0].0, alone);
    // Where the user says the only name there is, no other is tried.
    let arguments = |_| "run p.yaml --address node1.invalid --connect-timeout 2".into();
    let ended = all(&bench, 2, |i| (arguments(i), unknown(i)));
    assert!(ended.iter().all(|e| e.2 == 4), "{ended:?}");
    assert!(ended[1].1.contains("process 0 at node1.invalid:"), "{ended:?}");
}

#[test]
fn who_names_an_address_listens_nowhere_else() {
    let bench = Bench::new(ENDLESS);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let hosts = format!("--hosts 127.0.0.1:{port},127.0.0.1:{other}");
    let mut first = std::process::Command::new(BINARY)
        .current_dir(bench.path())
        .args(format!("run p.yaml {hosts} --process 0").split_whitespace())
        .env("TIDEMILL_SECRET", "0123456789abcdef")
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let listens = |host: &str| std::net::TcpStream::connect((host, port)).is_ok();
    let start = std::time::Instant::now();
    while !listens("127.0.0.1") {
        assert!(start.elapsed().as_secs() < 20, "it listens");
        thread::sleep(std::time::Duration::from_millis(10));
    }
    // All of 127.0.0.0/8 is this host.
    let elsewhere = listens("127.0.0.2");
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(!elsewhere);
}

#[test]
fn a_second_run_has_nothing_to_do_on_any_host() {
    let bench = Bench::new(&SERIES.replace("tests:", "  - write: sums.csv\ntests:"));
    let arguments = |_| "run p.yaml --tile 100".to_owned();
    let runs = [2, 3].map(|n| all(&bench, n, |i| (arguments(i), slurm(i, n))));
    for ended in runs.iter().flatten() {
        assert_eq!(ended.2, 0, "{runs:?}");
    }
    assert!(runs[1][0].1.contains("up to date: 0 of 10 tiles to do"), "{runs:?}");
}

#[test]
fn a_mistake_is_told_by_the_first_and_ends_all() {
    let bench = Bench::new(&SERIES.replace("1 / k", "1 / j"));
    let ended = all(&bench, 2, |i| ("run p.yaml".into(), slurm(i, 2)));
    assert!(ended.iter().all(|e| e.2 == 2), "{ended:?}");
    assert!(ended[0].1.contains("p.yaml:6"), "{ended:?}");
    assert!(ended[1].1.contains("process 0 has found mistakes in p.yaml"), "{ended:?}");
}

#[test]
fn other_parameters_and_a_missing_process_are_named_by_all() {
    let bench = Bench::new(SERIES);
    let arguments = |i| format!("run p.yaml --connect-timeout 5 --set n=100{i}");
    for (_, err, code) in all(&bench, 2, |i| (arguments(i), slurm(i, 2))) {
        assert_eq!(code, 4, "{err}");
        assert!(err.contains("another pipeline file, or other parameters"), "{err}");
    }
    let arguments = |_| "run p.yaml --connect-timeout 1".to_owned();
    for (_, err, code) in all(&bench, 2, |i| (arguments(i), slurm(i, 3))) {
        assert_eq!(code, 4, "{err}");
        assert!(err.contains("within 1s: process 2 did not connect"), "{err}");
    }
    assert!(bench.left().is_empty(), "{:?}", bench.left());
}

#[test]
fn hosts_by_hand_need_a_secret_and_a_place() {
    let bench = Bench::new(SERIES);
    let says = |arguments: &str, words: &str| {
        let output = bench.tidemill(arguments).env_remove("TIDEMILL_SECRET").output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains(words), "{err}");
    };
    says("run p.yaml --hosts a,b", "--process");
    says("run p.yaml --hosts a,b --process 2", "names 2 processes, 0 to 1");
    says("run p.yaml --hosts a --process 0", "names one process");
    says("run p.yaml --hosts a,b:x --process 0", "`b:x` is not HOST or HOST:PORT");
    says("run p.yaml --hosts a,b --process 0", "needs a secret");
    let output = bench.tidemill("run p.yaml -n 2").envs(slurm(0, 2)).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("Slurm has started 2 processes"), "{err}");
}

#[test]
fn a_job_script_asks_for_what_the_plan_needs() {
    let bench = Bench::new(SERIES);
    let (script, err, code) = bench.run("slurm p.yaml -n 8 -w 4 --set n=1e9");
    assert_eq!(code, 0, "{err}");
    for line in [
        "#!/bin/bash",
        "#SBATCH --job-name=slow-series",
        "#SBATCH --ntasks=8",
        "#SBATCH --cpus-per-task=4",
        "#SBATCH --signal=USR1@60",
        "srun --cpus-per-task=4 tidemill run p.yaml --set n=1e9",
    ] {
        assert!(script.lines().any(|l| l == line), "no `{line}` in {script}");
    }
    assert!(
        script.contains("#SBATCH --mem-per-cpu=") && script.contains("#SBATCH --time=0:"),
        "{script}"
    );
}
