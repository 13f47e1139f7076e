//! `bench`: what it measures, prints, and leaves.
use crate::bench::{Bench, SERIES};
use serde_json::Value;
use std::fs;

#[test]
fn every_combination_runs_and_agrees() {
    let bench = Bench::new(SERIES);
    let arguments = "bench p.yaml -w 1,2 -n 1,2 --runs 2 --set n=20000 --format json --plot s.svg";
    let (out, err, code) = bench.run(arguments);
    assert_eq!(code, 0, "{err}");
    assert_eq!(err.lines().count(), 8, "{err}");
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["same_results"], true);
    let all = told["combinations"].as_array().unwrap();
    let shapes: Vec<_> = all.iter().map(|c| (&c["processes"], &c["threads"])).collect();
    assert_eq!(format!("{shapes:?}").matches("Number").count(), 8);
    for combination in all {
        assert_eq!(combination["times"].as_array().unwrap().len(), 2);
        for share in ["exchange", "wait"] {
            let share = combination[share].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&share), "{combination}");
        }
    }
    assert_eq!(all[0]["speedup"], 1.0);
    let svg = fs::read_to_string(bench.path().join("s.svg")).unwrap();
    assert_eq!(svg.matches("<circle").count(), 4);
}

#[test]
fn outputs_are_thrown_away_and_those_of_the_user_stay() {
    let bench = Bench::new("steps:\n  - range: { k: 0..1000 }\n  - write: k.parquet\n");
    fs::create_dir(bench.path().join("k.parquet")).unwrap();
    fs::write(bench.path().join("k.parquet/mine"), "mine").unwrap();
    let (out, err, code) = bench.run("bench p.yaml -w 1 -n 1,2 --runs 1 -q");
    assert_eq!(code, 0, "{err}");
    assert_eq!(out.lines().count(), 3, "{out}");
    assert!(out.starts_with("processes  threads"), "{out}");
    assert_eq!(bench.left(), ["k.parquet"].map(std::path::PathBuf::from));
    assert_eq!(fs::read_to_string(bench.path().join("k.parquet/mine")).unwrap(), "mine");
}
