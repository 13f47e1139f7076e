//! Arithmetic that goes wrong: counted alike however a run is spread, denied, or the end of it.
use crate::bench::{Bench, Random};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

/// What is counted, by code and line; and by what it is of a row of integers, with gaps.
type Counts = BTreeMap<(String, u64), u64>;
type Row = (Option<i64>, Option<i64>);

/// A step, and at which of the rows that come to it W0301 is met.
type Step = (&'static str, fn(i64, i64) -> bool);

const STEPS: &[Step] = &[
    ("map: { q: n // d }", |_, d| d == 0),
    ("map: { r: 'where(d != 0, n % d, null)' }", |_, _| false),
    ("map: { s: '(n + 1) // d if n > 0 else 0' }", |n, d| n > 0 && d == 0),
    ("filter: n > -9", |_, _| false),
    ("map: { t: 'fmod(n, d)' }", |_, d| d == 0),
    ("reduce: { a: sum(n // d + q + t + s), b: count(r) }", |_, d| d == 0),
];

/// The steps over a file of these rows.
fn bench(rows: &[Row], last: &str) -> Bench {
    let mut text = "steps:\n  - read: in.csv\n".to_owned();
    for (step, _) in &STEPS[..STEPS.len() - 1] {
        writeln!(text, "  - {step}").unwrap();
    }
    let bench = Bench::new(&format!("{text}  - {last}\n"));
    let cell = |x: Option<i64>| x.map_or(String::new(), |x| x.to_string());
    let lines = rows.iter().map(|(n, d)| format!("{},{}\n", cell(*n), cell(*d)));
    fs::write(bench.path().join("in.csv"), format!("n,d\n{}", lines.collect::<String>())).unwrap();
    bench
}

/// What a slow look at the rows counts. `n // d` stands in two steps of the pass, and is counted at
/// the first.
fn slow(rows: &[Row]) -> Counts {
    let mut counts = Counts::new();
    // What a filter drops later has no use for any of them.
    let left = rows.iter().filter_map(|(n, d)| Some((n.filter(|n| *n > -9)?, (*d)?)));
    for (n, d) in left {
        for (line, (_, met)) in (3..).zip(&STEPS[..STEPS.len() - 1]) {
            if met(n, d) {
                *counts.entry(("W0301".into(), line)).or_default() += 1;
            }
        }
    }
    counts
}

fn counted(bench: &Bench, arguments: &str) -> Counts {
    let (out, _) = bench.good(arguments);
    let report: Value = serde_json::from_str(&out).unwrap();
    let mut counts = Counts::new();
    for warning in report["warnings"].as_array().unwrap() {
        let count = warning["message"].as_str().unwrap().split(' ').next().unwrap();
        let key = (warning["code"].as_str().unwrap().into(), warning["line"].as_u64().unwrap());
        *counts.entry(key).or_default() += count.replace(',', "").parse::<u64>().unwrap();
    }
    counts
}

#[test]
fn counts_are_those_of_a_slow_look_however_a_run_is_spread() {
    let mut random = Random::new();
    let mut integer = |range: usize| match random.below(range + 2) {
        0 => None,
        x => Some(x as i64 - range as i64 / 2),
    };
    let rows: Vec<Row> = (0..3000).map(|_| (integer(30), integer(6))).collect();
    let right = slow(&rows);
    assert!(right.len() == 3 && right.values().all(|n| *n > 50), "{right:?}");
    for last in [STEPS[STEPS.len() - 1].0, "write: out.csv"] {
        let bench = bench(&rows, last);
        for way in ["-w 1", "-w 3 --tile 7", "-w 1 -n 2 --tile 1000", "-w 2 -n 2 --tile 7"] {
            let arguments = format!("run p.yaml -q --format json --no-state --overwrite {way}");
            assert_eq!(counted(&bench, &arguments), right, "{last} {way}");
        }
    }
}

#[test]
fn keys_and_filters_are_counted_too() {
    let bench = Bench::new(
        "steps:\n  - range: { k: 0..1000 }\n  - filter: 7 // (k % 5) > 1\n  \
         - reduce: { n: count() }\n    by: { g: k // (k % 4) }\n",
    );
    for way in ["-w 1", "-w 3 --tile 7", "-w 1 -n 2 --tile 100"] {
        let counts = counted(&bench, &format!("run p.yaml -q --format json {way}"));
        // 7 // 0 is 0 and does not pass; 7 // 1, 7 // 2 and 7 // 3 do, in 600 rows, of which
        // every fourth has a k % 4 of 0.
        let right = [(("W0301".to_owned(), 3), 200), (("W0301".to_owned(), 5), 150)];
        assert_eq!(counts, Counts::from(right), "{way}");
    }
}

const DIVIDES: &str = "steps:
  - range: { k: 0..1000 }
  - map: { d: k % 100 - 42 }
  - map: { q: 1 + k // d }
    as: quotients
  - write: out.csv
";

#[test]
fn a_run_tells_what_it_has_counted_and_a_second_one_nothing() {
    let bench = Bench::new(DIVIDES);
    let (_, err) = bench.good("run p.yaml");
    let line =
        "warning[W0301]: 10 integer divisions by zero gave 0, in step `quotients` (p.yaml:4:19)\n";
    assert!(err.contains(line), "{err}");
    let (_, err) = bench.good("run p.yaml");
    assert!(err.contains("up to date") && !err.contains("W0301"), "{err}");
    let allowing = Bench::new(&format!("allow: [W0301]\n{DIVIDES}"));
    assert!(!allowing.good("run p.yaml").1.contains("W0301"));
}

#[test]
fn strict_runs_end_at_a_division_by_zero() {
    for way in ["-w 2", "-w 1 -n 2 --tile 100"] {
        let bench = Bench::new(DIVIDES);
        let (_, err, code) = bench.run(&format!("run p.yaml --strict {way}"));
        assert_eq!(code, 3, "{err}");
        assert!(err.contains("error: an integer is divided by zero\n"), "{err}");
        assert!(err.contains("in step \"quotients\" (p.yaml:4:19), expression `k // d`: "));
        assert!(err.contains("42\n"), "the row: {err}");
        assert!(!bench.path().join("out.csv").exists());
        // What was done without it is not taken for good.
        bench.good("run p.yaml");
        assert_eq!(bench.run("run p.yaml --strict --overwrite").2, 3);
    }
    let guarded = Bench::new(&DIVIDES.replace("1 + k // d", "'where(d != 0, k // d, 0)'"));
    guarded.good("run p.yaml --strict --deny warnings");
}

#[test]
fn a_strict_check_sees_what_constants_meet() {
    let bench = Bench::new("steps:\n  - range: { k: 0..3 }\n  - map: { q: k + 5 // 0 }\n");
    let (_, err, code) = bench.run("check p.yaml");
    assert_eq!(code, 0);
    assert!(err.starts_with("warning[W0301]: 1 integer division by zero gave 0, in step `map`"));
    let (_, err, code) = bench.run("check p.yaml --strict");
    assert_eq!(code, 2);
    assert!(err.starts_with("error[W0301]") && err.contains("p.yaml:3:19"), "{err}");
}

#[test]
fn denied_warnings_keep_outputs_from_their_names() {
    for way in ["-w 2", "-w 1 -n 2 --tile 100"] {
        let bench = Bench::new(DIVIDES);
        // A second run meets them again.
        for _ in 0..2 {
            let (_, err, code) = bench.run(&format!("run p.yaml --deny warnings {way}"));
            assert_eq!(code, 3, "{err}");
            assert!(err.contains("error: 1 warning denied"), "{err}");
            assert!(err.contains("10 integer divisions by zero gave 0"), "{err}");
            assert!(bench.left().iter().all(|name| name.ends_with(".tidemill")), "{way}");
        }
        bench.good(&format!("run p.yaml {way}"));
    }
}

#[test]
fn failures_name_step_expression_and_row() {
    let fails = |steps: &str, place: &str| {
        for way in ["-w 1", "-w 1 -n 2"] {
            let text = format!("steps:\n  - range: {{ n: 0..50 }}\n{steps}");
            let (_, err, code) = Bench::new(&text).run(&format!("run p.yaml {way}"));
            assert_eq!(code, 3, "{err}");
            assert!(err.contains(place), "{err}");
        }
    };
    let power = "  - map: { k2: 12 - n }\n  - map: { r: n ** k2 }\n    as: powers\n  \
                 - map: { q: r + 1 }\n  - write: o.csv\n";
    fails(
        power,
        "in step \"powers\" (p.yaml:4:15), expression `n ** k2`: 13 ** -1, tile 0, row 13",
    );
    let sum = "  - reduce: { a: sum(n), b: sum(n + 9223372036854775000) }\n";
    fails(sum, "in step \"reduce\" (p.yaml:3:29), expression `sum(n + 9223372036854775000)`");
}

#[test]
fn failures_of_reading_name_the_step_that_reads() {
    let bench = Bench::new(
        "steps:\n  - range: { k: 0..100000 }\n  - map: { x: sin(k) }\n  - write: in.parquet\n",
    );
    bench.good("run p.yaml --no-state");
    let pipeline = bench.path().join("p.yaml");
    let mut parts =
        fs::read_dir(bench.path().join("in.parquet")).unwrap().map(|e| e.unwrap().path());
    let file = parts.find(|path| path.extension().is_some_and(|e| e == "parquet")).unwrap();
    let mut bytes = fs::read(&file).unwrap();
    // The header of the first page.
    bytes[4..40].fill(0xff);
    fs::write(&file, bytes).unwrap();
    let text =
        "steps:\n  - read: in.parquet\n    as: numbers\n  - map: { y: x + k }\n  - write: o.csv\n";
    fs::write(pipeline, text).unwrap();
    for way in ["-w 1", "-w 1 -n 2 --tile 1000"] {
        let (_, err, code) = bench.run(&format!("run p.yaml {way}"));
        assert_eq!(code, 3, "{err}");
        assert!(err.contains("in step \"numbers\" (p.yaml:2:5), tile "), "{err}");
    }
}
