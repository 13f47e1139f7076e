//! Tables as users have them: types, texts, folders, names; what is lost is told.
use crate::bench::Bench;
use serde_json::Value;
use std::fs;

/// A folder with files, and a pipeline of these steps.
fn bench(steps: &str, files: &[(&str, &str)]) -> Bench {
    let bench = Bench::new(&format!("steps:\n{steps}"));
    for (name, text) in files {
        let path = bench.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    bench
}

/// What a run reports, as JSON: the results, and the codes of its warnings.
fn report(bench: &Bench) -> (Value, Vec<String>) {
    let (out, _) = bench.good("run p.yaml -q --format json -w 2");
    let report: Value = serde_json::from_str(&out).unwrap();
    let codes = report["warnings"].as_array().unwrap().iter();
    let codes = codes.map(|w| w["code"].as_str().unwrap().to_string()).collect();
    (report["results"].clone(), codes)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn types_stand_beside_read() {
    let zip = [("z.csv", "zip,v\n007,1\n12,2\n")];
    let (found, codes) = report(&bench("  - read: z.csv\n", &zip));
    assert_eq!(found["read"], json(r#"[{"zip":"007","v":1},{"zip":"12","v":2}]"#));
    assert!(codes.is_empty());
    let typed = "  - read: z.csv\n    types: { zip: int32, v: string }\n";
    let (found, _) = report(&bench(typed, &zip));
    assert_eq!(found["read"], json(r#"[{"zip":7,"v":"1"},{"zip":12,"v":"2"}]"#));
    let wrong = bench("  - read: z.csv\n    types: { zip: bool }\n", &zip);
    let (_, err, code) = wrong.run("check p.yaml");
    assert_eq!(code, 3);
    assert!(err.contains("z.csv:2: `007` in column `zip` is not of type bool"), "{err}");
}

#[test]
fn ids_beyond_int64_are_told_apart() {
    let ids = [("i.csv", "id\n10000000000000000001\n10000000000000000002\n")];
    let steps = "  - read: i.csv\n  - distinct: id\n  - reduce: { n: count() }\n";
    let (found, codes) = report(&bench(steps, &ids));
    assert_eq!((found["reduce"].clone(), codes), (json(r#"[{"n":2}]"#), vec!["W0109".into()]));
}

#[test]
fn texts_go_to_csv_and_come_back() {
    let rows =
        "  - rows: [{ c: \"0870\", d: \"true\", e: \"1e5\" }, { c: \"12\", d: NA, e: null }]\n";
    let bench = bench(&format!("{rows}  - write: t.csv\n"), &[]);
    bench.good("run p.yaml -q");
    let text = fs::read_to_string(bench.path().join("t.csv")).unwrap();
    assert_eq!(text, "c,d,e\n\"0870\",\"true\",\"1e5\"\n\"12\",\"NA\",\n");
    fs::write(bench.path().join("p.yaml"), "steps:\n  - read: t.csv\n").unwrap();
    let expected = r#"[{"c":"0870","d":"true","e":"1e5"},{"c":"12","d":"NA","e":null}]"#;
    assert_eq!(report(&bench).0["read"], json(expected));
}

#[test]
fn patterns_cross_folders_and_pass_over_hidden_files() {
    let files = [
        ("d/year=2020/a.csv", "v\n1\n"),
        ("d/year=2021/m=1/b.csv", "v\n2\n"),
        ("d/c.csv", "v\n4\n"),
        ("d/_tmp.csv", "v\n8\n"),
        ("d/.x.csv", "v\n16\n"),
        ("d/_old/e.csv", "v\n32\n"),
    ];
    for (pattern, sum, told) in [
        ("d/**/*.csv", 7, 2),
        ("d/*/*.csv", 1, 1),
        ("d/*.csv", 4, 0),
        ("d/_*.csv", 8, 0),
        ("**/b.csv", 2, 2),
        ("d/year=2021/**", 2, 2),
    ] {
        let steps = format!("  - read: \"{pattern}\"\n  - reduce: {{ s: sum(v) }}\n");
        let (found, codes) = report(&bench(&steps, &files));
        assert_eq!(found["reduce"][0]["s"], sum, "{pattern}");
        assert_eq!(codes, vec!["W0103"; told], "{pattern}");
    }
    let (_, err, code) = bench("  - read: \"d/**/*.tsv\"\n", &files).run("check p.yaml");
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("no file matches `d/**/*.tsv`"), "{err}");
    let (_, err, _) = bench("  - read: ftp://example.org/x.csv\n", &[]).run("check p.yaml");
    assert!(err.contains("there is no `ftp://` here"), "{err}");
}

#[test]
fn keys_may_have_any_name_that_a_column_has() {
    let file = [("n.csv", "t.mean,wind speed\n2,1\n2,3\n")];
    let steps = "  - read: n.csv\n  - reduce: { n: count() }\n    by: [\"t.mean\"]\n";
    let (found, _) = report(&bench(steps, &file));
    assert_eq!(found["reduce"], json(r#"[{"t.mean":2,"n":2}]"#));
    let steps = "  - read: n.csv\n  - reduce: { n: count() }\n    by: { w: wind speed }\n";
    assert_eq!(report(&bench(steps, &file)).0["reduce"].as_array().unwrap().len(), 2);
}

#[test]
fn a_column_that_is_not_read_says_why() {
    let file = [("n.csv", "a,b\n2,1\n")];
    let steps = "  - read: n.csv\n    columns: [a]\n  - filter: b > 1\n";
    let (_, err, code) = bench(steps, &file).run("check p.yaml");
    assert_eq!(code, 2);
    assert!(err.contains("the file has `b`, but `columns:` does not name it"), "{err}");
}

#[test]
fn rows_take_the_words_of_yaml_for_numbers() {
    let rows = "  - rows: [{ x: .inf, y: nan }, { x: -.Inf, y: 1 }, { x: ~, y: null }]\n\
                \x20 - reduce: { i: any(isinf(x)), n: count(x), m: count(y), nan: any(isnan(y)) }\n";
    let (found, _) = report(&bench(rows, &[]));
    assert_eq!(found["reduce"], json(r#"[{"i":true,"n":2,"m":2,"nan":true}]"#));
    let (found, _) = report(&bench("  - rows: [{ x: inf }, { x: nan }]\n", &[]));
    assert_eq!(found["rows"], json(r#"[{"x":"inf"},{"x":"nan"}]"#));
    let mixed = "  - rows: [{ x: a }, { x: 1 }]\n  - map: { y: x + 1 }\n";
    let (_, err, code) = bench(mixed, &[]).run("check p.yaml");
    assert_eq!((err.matches("error[").count(), code), (1, 2), "{err}");
}

#[test]
fn empty_values_may_be_written_as_null() {
    for nothing in ["", "null", "~"] {
        let steps = format!(
            "  - rows: [{{ a: 1 }}, {{ a: 1 }}]\n    as: r\n  - concat: {nothing}\n    from: [r, r]\n  \
             - distinct: {nothing}\n"
        );
        let (found, _) = report(&bench(&steps, &[]));
        assert_eq!(found["distinct"], json(r#"[{"a":1}]"#), "{nothing}");
    }
}

#[test]
fn parts_without_rows_are_written() {
    for arguments in ["-w 1", "-w 3", "-w 1 -n 2"] {
        let steps = "  - range: { k: 0..1000 }\n  - map: { s: k % 2 }\n  - partition: s\n    into: 4\n  \
                     - write: x.parquet\n";
        let bench = bench(steps, &[]);
        bench.good(&format!("run p.yaml -q {arguments}"));
        let names = (0..4).map(|i| format!("x.parquet/part-0000{i}.parquet"));
        assert!(names.into_iter().all(|name| bench.path().join(name).is_file()), "{arguments}");
        let read = "steps:\n  - read: x.parquet\n  - reduce: { n: count(), s: sum(k) }\n";
        fs::write(bench.path().join("p.yaml"), read).unwrap();
        assert_eq!(report(&bench).0["reduce"], json(r#"[{"n":1000,"s":499500}]"#));
    }
}

/// A folder with a Parquet file of types that no column has, and a pipeline behind its `read`.
fn odd(behind: &str) -> Bench {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/odd/odd.parquet");
    let bench = bench(&format!("  - read: odd.parquet\n{behind}"), &[]);
    fs::copy(file, bench.path().join("odd.parquet")).unwrap();
    bench
}

#[test]
fn what_a_read_leaves_out_or_narrows_is_told_by_run_and_check() {
    let behind = "  - select: [id, day, money, here, ns]\n  - write: o.parquet\n";
    let (_, codes) = report(&odd(behind));
    assert_eq!(codes, ["W0101", "W0102", "W0102", "W0202", "W0102"]);
    let (_, err, code) = odd(behind).run("check p.yaml");
    assert_eq!(code, 0);
    for text in [
        "odd.parquet: a column is left out: `list` (List(Int64",
        "column `money` (Decimal128(9, 2)) is read as float64",
        "column `here` (Timestamp(µs, \"Europe/Berlin\")) is read as UTC",
        "written as another type than the input has: `id` (Int8) as int32, `day` (Date32) as timestamp",
    ] {
        assert!(err.contains(text), "{err}");
    }
    let (_, err, code) = odd("  - filter: list == 1\n").run("check p.yaml");
    assert_eq!(code, 2);
    assert!(err.contains("the file's `list` is List(Int64"), "{err}");
    assert!(err.contains("which cannot be read"), "{err}");
}

#[test]
fn values_above_int64_are_counted_but_not_used() {
    let (found, _) = report(&odd("  - reduce: { n: count(w) }\n"));
    assert_eq!(found["reduce"], json(r#"[{"n":3}]"#));
    for rule in ["", "--without prune-rows"] {
        for behind in ["  - reduce: { m: max(w) }\n", "  - filter: w > 5\n"] {
            let (_, err, code) = odd(behind).run(&format!("run p.yaml -q {rule}"));
            assert_eq!(code, 3, "{err}");
            assert!(err.contains("odd.parquet: column `w`: 9223372036854775813 is above"), "{err}");
        }
    }
}

/// What has the final name is looked at first, however little was written of it.
#[test]
fn results_of_few_bytes_are_written() {
    for (rows, text) in [("[{ a: 1 }]", "a\n1\n"), ("[{ a: 1, b: 2 }]", "a,b\n1,2\n")] {
        for arguments in ["-w 1", "-w 3 --no-state", "-n 2 -w 1"] {
            let bench = Bench::new(&format!("steps:\n  - rows: {rows}\n  - write: o.csv\n"));
            bench.good(&format!("run p.yaml {arguments}"));
            assert_eq!(fs::read_to_string(bench.path().join("o.csv")).unwrap(), text);
        }
    }
    let bench = Bench::new("steps:\n  - read: t.csv\n  - filter: v > 9\n  - write: o.csv\n");
    fs::write(bench.path().join("t.csv"), "v\n1\n2\n").unwrap();
    bench.good("run p.yaml");
    assert_eq!(fs::read_to_string(bench.path().join("o.csv")).unwrap(), "v\n");
}

/// A NetCDF text ends at its first NUL: one that holds it cannot be written, and nothing is.
#[test]
fn a_text_that_netcdf_cannot_hold_is_named() {
    let bench = Bench::new("steps:\n  - read: t.csv\n  - write: o.nc\n");
    fs::write(bench.path().join("t.csv"), "s,n\na\0b,1\nc,2\n").unwrap();
    let (_, err, code) = bench.run("run p.yaml");
    assert_eq!(code, 3, "{err}");
    assert!(err.contains(r#"`s` holds the text "a\0b", and in NetCDF a text ends"#), "{err}");
    assert!(!bench.path().join("o.nc").exists());
}
