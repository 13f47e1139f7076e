//! Images through the binary: the same bytes whoever writes them, and damaged ones end in a sentence.
use crate::bench::Bench;
use std::fs;
use std::path::{Path, PathBuf};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// A bench whose pipeline reads a copy of this file.
fn bench(file: &str, steps: &str) -> Bench {
    let bench = Bench::new(steps);
    let source = data(file);
    fs::copy(&source, bench.path().join(source.file_name().unwrap())).unwrap();
    bench
}

#[test]
fn whoever_writes_an_image_writes_the_same_bytes() {
    let made = "crates/formats/tests/image/rgb.png";
    for ending in ["png", "tif", "jpg"] {
        let steps = format!(
            "steps:\n  - read: rgb.png\n    slices: {{ y: 1..11, x: 2..13 }}\n  \
             - map: {{ v: 255 - v }}\n  - write: out.{ending}\n"
        );
        let bench = bench(made, &steps);
        let mut written = Vec::new();
        for arguments in ["-w 1", "-w 3 --tile 7", "-n 2 -w 1 --tile y=3,x=4", "-n 2 -w 2 --tile 1"]
        {
            bench.good(&format!("run p.yaml --no-state --overwrite {arguments}"));
            written.push(fs::read(bench.path().join(format!("out.{ending}"))).unwrap());
        }
        assert!(written.iter().all(|bytes| *bytes == written[0]), "{ending}");
    }
}

#[test]
fn an_image_that_is_cut_off_ends_the_run_and_leaves_no_output() {
    let steps = "steps:\n  - read: scan_5.png\n  - write: out.png\n";
    let bench = bench("data/scans/scan_5.png", steps);
    for arguments in ["-w 1", "-w 2 --tile 400", "-n 2"] {
        let (_, err, code) = bench.run(&format!("run p.yaml --no-state {arguments}"));
        assert_eq!(code, 3, "{err}");
        assert!(err.contains("scan_5.png: "), "{err}");
        assert_eq!(bench.left(), [Path::new("scan_5.png")]);
    }
    // What stands above the damage can be read.
    let steps = "steps:\n  - read: scan_5.png\n    slices: { y: 0..20 }\n  - write: out.png\n";
    fs::write(bench.path().join("p.yaml"), steps).unwrap();
    bench.good("run p.yaml --no-state");
}

#[test]
fn what_an_image_cannot_hold_is_told_with_its_place() {
    let bench = |steps: &str| {
        bench("data/scans/scan_1.png", &format!("steps:\n  - read: scan_1.png\n{steps}"))
    };
    let bad = bench("  - map: { v: v * 2 }\n  - write: out.png\n");
    let (_, err, code) = bad.run("run p.yaml --no-state");
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("in row 4") && err.contains("is not from 0 to 255"), "{err}");
    bench("  - map: { v: v * 2 }\n  - write: out.png\n    clip: true\n")
        .good("run p.yaml --no-state");
    bench("  - map: { v: v * 2 }\n  - write: out.png\n    bits: 16\n")
        .good("run p.yaml --no-state");
    for (steps, said) in [
        ("  - map: { v: v / 2 }\n  - write: out.png\n", "int32(round(v))"),
        ("  - map: { w: v + 1 }\n  - write: out.png\n", "variables: [v]"),
        ("  - filter: v > 10\n  - write: out.png\n", "rows of a table are no image"),
        ("  - write: out.png\n    quality: 5\n", "an option of JPEG"),
        ("  - reduce: { v: max(v) }\n    over: x\n  - write: out.png\n", "two or three dimensions"),
    ] {
        let (_, err, code) = bench(steps).run("check p.yaml");
        assert_eq!(code, 2, "{err}");
        assert!(err.contains(said), "{err}");
    }
}

#[test]
fn an_image_goes_into_a_grid_and_comes_back() {
    let steps = "steps:\n  - read: scan_1.png\n  - write: grid.nc\n";
    let bench = bench("data/scans/scan_1.png", steps);
    bench.good("run p.yaml --no-state");
    let steps = "steps:\n  - read: grid.nc\n  - write: back.png\n";
    fs::write(bench.path().join("p.yaml"), steps).unwrap();
    bench.good("run p.yaml --no-state");
    let compared = "steps:\n  - read: scan_1.png\n    as: one\n  - read: back.png\n  - rename: { v: w }\n    as: two\n  \
                    - join:\n    from: [one, two]\n  - reduce: { apart: max(abs(v - w)), n: count() }\n";
    fs::write(bench.path().join("p.yaml"), compared).unwrap();
    let (out, _) = bench.good("run p.yaml --no-state --format json");
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["results"]["reduce"], serde_json::json!([{ "apart": 0, "n": 19200 }]));
}
