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
