//! `explain` tells what is evaluated how often, and what each rule does.
#![allow(clippy::unwrap_used)]
use base::Source;
use std::path::Path;

fn explained(file: &str) -> String {
    explained_without(file, &[])
}

fn explained_without(file: &str, without: &[&'static str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines");
    let path = root.join(file);
    let source = Source::new(path.display().to_string(), std::fs::read_to_string(&path).unwrap());
    let without = without.to_vec();
    let options = plan::LoadOptions { overwrite: true, without, ..plan::LoadOptions::default() };
    let (plan, diagnostics) = plan::load(&source, &options);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    plan::explain(&plan.unwrap(), 2)
}

#[test]
fn sines_are_evaluated_once_for_each_latitude_and_longitude() {
    let text = explained("mantle_netcdf.yaml");
    for line in [
        "  500 × sin(radians(lat))  float64 (lat), once for the run",
        "  500 × cos(radians(lat))  float64 (lat), once for the run",
        "  800 × sin(radians(lon))  float64 (lon), once for the run",
        "  800 × cos(radians(lon))  float64 (lon), once for the run",
    ] {
        assert_eq!(text.matches(line).count(), 1, "{line}\n{text}");
    }
    // Per point there is one product and one sum for each of vx and vy, and vz has neither.
    assert_eq!(text.lines().filter(|l| l.trim_start().starts_with("120000000 ×")).count(), 4);
}

#[test]
fn a_reduction_takes_blocks_from_the_source() {
    let text = explained("slow_series.yaml");
    let last = text.split("plan, as it runs on the workers").nth(1).unwrap();
    let verbs: Vec<&str> =
        last.lines().filter_map(|l| l.trim().strip_prefix('#')?.split(": ").nth(1)).collect();
    assert_eq!(
        verbs[..4],
        [
            "Read 256 tiles",
            "Partial sum, count ← #0",
            "Exchange to worker 0 ← #1",
            "Final sum, count ← #2",
        ]
    );
    assert!(text.contains("rule fuse-reduce") && text.contains("rule fuse-steps"), "{text}");
}

#[test]
fn a_range_tells_what_it_does_not_make() {
    let text = explained("slow_series.yaml");
    let line = "generate 43,046,721 of 100,000,000 (prune-range: not has_digits(k; '9'))";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("  43046721 × 1.0 / float64(k)  float64 (k), at each point"), "{text}");
    let text = explained_without("slow_series.yaml", &["prune-range"]);
    assert!(!text.contains("generate") && text.contains("switched off by --without"), "{text}");
}
