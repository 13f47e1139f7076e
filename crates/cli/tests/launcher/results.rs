//! Results and the lines around them.
use crate::bench::{Bench, SERIES};
use serde_json::Value;

#[test]
fn json_is_one_object_of_the_agreed_shape() {
    let (out, err, code) = Bench::new(SERIES).run("run p.yaml --format json -w 2 --tile 100");
    assert_eq!(code, 0, "{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    let keys: Vec<&String> = report.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["results", "run", "warnings"]);
    let rows = &report["results"]["reduce"];
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_eq!(rows[0]["terms"], 729);
    assert!(rows[0]["total"].is_f64());
    let run = report["run"].as_object().unwrap();
    let keys: Vec<&String> = run.keys().collect();
    assert_eq!(keys, ["seconds", "startup_seconds", "workers", "processes", "tiles", "spilled"]);
    assert_eq!(
        (&run["workers"], &run["processes"], &run["tiles"]),
        (&2.into(), &1.into(), &10.into())
    );
}

#[test]
fn the_bits_are_those_of_one_thread() {
    let bench = Bench::new(SERIES);
    let total = |arguments: &str| {
        let (out, err, code) =
            bench.run(&format!("run p.yaml --format json --set n=20000 {arguments}"));
        assert_eq!(code, 0, "{err}");
        let report: Value = serde_json::from_str(&out).unwrap();
        report["results"]["reduce"][0].to_string()
    };
    let one = total("-w 1");
    for arguments in ["-w 3 --tile 7", "-n 2 -w 1 --tile 1000", "-n 3 -w 2 --tile 999"] {
        assert_eq!(total(arguments), one, "{arguments}");
    }
}

#[test]
fn tables_go_to_stdout_and_notes_to_stderr() {
    let bench = Bench::new(SERIES);
    let (out, err, code) = bench.run("run p.yaml -w 2 --tile 100");
    assert_eq!(code, 0);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2, "{out}");
    assert!(lines[0].contains("total") && lines[0].ends_with("terms"), "{out}");
    assert!(lines[1].ends_with("  729"), "{out}");
    let first = err.lines().next().unwrap();
    assert!(
        first.starts_with(&format!(
            "tidemill {}: Slow series · 2 threads (",
            env!("CARGO_PKG_VERSION")
        )),
        "{first}"
    );
    assert!(first.contains(" · 1 process · 10 tiles · ") && first.contains("B of "), "{first}");
    let (_, err, code) = bench.run("run p.yaml -q");
    assert_eq!((err.as_str(), code), ("", 0));
}

#[test]
fn outputs_are_named_in_the_notes_and_not_replaced() {
    let text = SERIES.replace("tests:", "  - write: sums.csv\ntests:");
    let bench = Bench::new(&text);
    let (_, err, code) = bench.run("run p.yaml -n 2 --out made");
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("wrote made/sums.csv"), "{err}");
    let written = std::fs::read_to_string(bench.path().join("made/sums.csv")).unwrap();
    assert!(written.starts_with("total,terms\n"), "{written}");
    let (_, err, code) = bench.run("run p.yaml --out made --no-state");
    assert_eq!(code, 2);
    assert!(err.contains("--overwrite"), "{err}");
    assert_eq!(bench.run("run p.yaml --out made --no-state --overwrite").2, 0);
}

/// A result of so many rows.
const ROWS: &str = "params: { n: 2500 }
steps:
  - range: { k: 0..n }
  - filter: k >= 0
";

#[test]
fn long_results_are_told_in_full_or_say_that_they_are_not() {
    let bench = Bench::new(ROWS);
    for arguments in ["-w 2", "-n 2 -w 1 --tile 100"] {
        let (out, _) = bench.good(&format!("run p.yaml -q --format json {arguments}"));
        let report: Value = serde_json::from_str(&out).unwrap();
        let rows = report["results"]["filter"].as_array().unwrap();
        assert_eq!(rows.len(), 2500);
        assert!(rows.iter().enumerate().all(|(i, row)| row["k"] == i), "in order");
        assert_eq!(report["warnings"], serde_json::json!([]));
        let (out, err) = bench.good(&format!("run p.yaml -q {arguments}"));
        assert!(
            out.ends_with("\n2499\n(2,500 rows, 60 shown: --format json gives all)\n"),
            "{out}"
        );
        assert_eq!((out.lines().count(), &*err), (63, ""));
    }
    let (out, _) = bench.good("run p.yaml -q --set n=60");
    assert_eq!(out.lines().count(), 61);
}

#[test]
fn as_many_rows_are_shown_as_were_asked_for() {
    let bench = Bench::new(&format!("{ROWS}  - show: 100\n"));
    for arguments in ["-w 2", "-n 2 -w 1 --tile 30"] {
        let (out, _) = bench.good(&format!("run p.yaml -q {arguments}"));
        let shown: Vec<usize> = out.lines().skip(1).map(|l| l.trim().parse().unwrap()).collect();
        assert_eq!(shown, (0..100).collect::<Vec<_>>());
    }
}

#[test]
fn a_result_that_no_report_holds_is_cut_and_said() {
    let bench = Bench::new(ROWS);
    let (out, err) = bench.good("run p.yaml --set n=5e6");
    assert!(
        out.ends_with("\n(more than 4,194,304 rows, 60 shown: --format json gives all)\n"),
        "{out}"
    );
    let said =
        "warning[W0401]: `filter` has more than 4,194,304 rows, of which these are the first";
    assert!(err.contains(said), "{err}");
    bench.good("run p.yaml -q --set n=4194304 -w 2");
    assert_eq!(bench.good("run p.yaml -q --set n=4194304").1, "");
}
