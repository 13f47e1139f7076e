//! `run --profile`: traces and pages, of one process and of two.
use crate::bench::{Bench, SERIES};
use serde_json::Value;
use std::fs;

fn trace(bench: &Bench, arguments: &str) -> Value {
    let (_, err, code) = bench.run(&format!("run p.yaml {arguments} --profile trace.json"));
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("wrote trace.json"), "{err}");
    serde_json::from_str(&fs::read_to_string(bench.path().join("trace.json")).unwrap()).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// What the Trace Event Format asks of every event.
fn assert_sound(trace: &Value) {
    let events = trace["traceEvents"].as_array().unwrap();
    for event in events {
        assert!(event["pid"].is_u64() && event["tid"].is_u64() && event["name"].is_string());
        match event["ph"].as_str().unwrap() {
            "M" => assert!(event["args"].is_object()),
            "X" => assert!(number(&event["ts"]) >= 0.0 && number(&event["dur"]) >= 0.0),
            other => panic!("an event of kind {other}"),
        }
    }
    // On one thread complete events lie one after the other.
    let runs = events.iter().filter(|e| e["ph"] == "X");
    let mut ends = std::collections::HashMap::new();
    for event in runs {
        let end = ends.entry((event["pid"].as_u64(), event["tid"].as_u64())).or_insert(0.0);
        let start = number(&event["ts"]);
        assert!(start + 0.002 >= *end, "{event} begins before {end}");
        *end = start + number(&event["dur"]);
    }
}

fn operator<'a>(trace: &'a Value, kind: &str) -> &'a Value {
    let all = trace["tidemill"]["operators"].as_array().unwrap();
    all.iter().find(|o| o["kind"] == kind).unwrap_or_else(|| panic!("no {kind} in {all:?}"))
}

/// Shares are shares, and operators, engine and wait fill each worker's time.
fn assert_plausible(trace: &Value, workers: usize) {
    let told = &trace["tidemill"];
    let shares = told["shares"].as_object().unwrap();
    let sum: f64 = shares.values().map(number).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{shares:?}");
    let list = told["workers"].as_array().unwrap();
    assert_eq!(list.len(), workers);
    for worker in list {
        let parts = ["operators", "engine", "wait"].map(|part| number(&worker[part]));
        let all = number(&worker["seconds"]);
        assert!(parts.iter().sum::<f64>() <= all + 1e-6, "{worker}");
    }
}

const RANGE: &str = "steps:
  - range: { k: 0..3e6 }
  - map: { x: k % 7 }
  - reduce: { s: sum(x), n: count() }
    by: x
";

#[test]
fn a_trace_has_every_operator_and_its_amounts() {
    let bench = Bench::new(RANGE);
    let trace = trace(&bench, "-w 2");
    assert_sound(&trace);
    assert_plausible(&trace, 2);
    assert_eq!(operator(&trace, "read")["in"]["rows"], 3_000_000);
    let sent = operator(&trace, "send");
    assert!(number(&sent["out"]["tiles"]) >= 1.0 && number(&sent["out"]["bytes"]) > 0.0);
    assert_eq!(operator(&trace, "receive")["in"]["tiles"], sent["out"]["tiles"]);
    for kind in ["fold", "merge", "show"] {
        assert!(number(&operator(&trace, kind)["activations"]) >= 1.0);
    }
}

#[test]
fn two_processes_give_one_trace() {
    let bench = Bench::new(RANGE);
    let trace = trace(&bench, "-w 1 -n 2");
    assert_sound(&trace);
    assert_plausible(&trace, 2);
    assert_eq!(operator(&trace, "read")["in"]["rows"], 3_000_000);
    // Also those that went to the other process.
    let (sent, received) = (operator(&trace, "send"), operator(&trace, "receive"));
    assert_eq!(sent["in"]["rows"], received["out"]["rows"]);
    assert_eq!(sent["out"], received["in"]);
    let events = trace["traceEvents"].as_array().unwrap();
    for pid in [0, 1] {
        assert!(events.iter().any(|e| e["ph"] == "X" && e["pid"] == pid), "none of process {pid}");
    }
}

#[test]
fn a_page_asks_for_nothing_else() {
    let bench = Bench::new(&SERIES.replace("Slow series", "</script><b>Slow</b>"));
    let (out, err, code) = bench.run("run p.yaml --profile page.html --format json");
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("729"), "{out}");
    let page = fs::read_to_string(bench.path().join("page.html")).unwrap();
    for word in ["http://", "https://", "src=", "href=", "@import", "url(", "/*DATA*/"] {
        assert!(!page.contains(word), "the page has {word}");
    }
    assert_eq!(page.matches("</script>").count(), 2);
    let data = page.split_once("id=\"data\">").unwrap().1.split_once("</script>").unwrap().0;
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["sums"]["title"], "</script><b>Slow</b>");
    assert!(!data["tracks"].as_array().unwrap().is_empty());
}

#[test]
fn other_endings_are_refused_before_anything_runs() {
    let bench = Bench::new(SERIES);
    let (out, err, code) = bench.run("run p.yaml --profile trace.txt");
    assert_eq!((out.as_str(), code), ("", 2));
    assert!(err.contains("must end with .json"), "{err}");
}
