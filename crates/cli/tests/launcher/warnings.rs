//! Warnings: told before the run, at its end, in JSON; silenced or made errors on request.
use crate::bench::Bench;
use serde_json::Value;

const UNUSED: &str =
    "params: { x: 1 }\nsteps:\n  - range: { k: 0..3 }\n  - reduce: { n: count() }\n";

#[test]
fn a_warning_is_told_before_a_run_and_at_its_end() {
    let (_, err, code) = Bench::new(UNUSED).run("run p.yaml");
    assert_eq!(code, 0, "{err}");
    assert!(err.starts_with("warning[W0001]: nothing uses the parameter `x`\n --> p.yaml:1:11"));
    assert!(err.contains("\nwarning[W0001]: nothing uses the parameter `x` (p.yaml:1:11)\n"));
}

#[test]
fn warnings_are_part_of_the_json_report() {
    for processes in [1, 2] {
        let arguments = format!("run p.yaml -q --format json -w 1 -n {processes}");
        let (out, _, _) = Bench::new(UNUSED).run(&arguments);
        let report: Value = serde_json::from_str(&out).unwrap();
        let warning = &report["warnings"][0];
        assert_eq!(warning["code"], "W0001");
        assert_eq!((&warning["line"], &warning["column"]), (&1.into(), &11.into()));
    }
}

#[test]
fn allow_silences_a_warning() {
    let (_, err, code) = Bench::new(&format!("allow: [W0001]\n{UNUSED}")).run("check p.yaml");
    assert_eq!((&*err, code), ("p.yaml: no mistakes\n", 0));
    let (_, err, code) = Bench::new(&format!("allow: [E0001, W1]\n{UNUSED}")).run("check p.yaml");
    assert_eq!((err.matches("error[E0015]").count(), code), (2, 2), "{err}");
}

#[test]
fn deny_warnings_makes_errors_of_them() {
    let (_, err, code) = Bench::new(UNUSED).run("run p.yaml --deny warnings");
    assert_eq!(code, 2);
    assert!(err.starts_with("error[W0001]"), "{err}");
}

/// An input with packed values and units, written again as it is, renamed, and computed anew.
#[test]
fn what_a_netcdf_output_will_not_have_is_told() {
    let told = |steps: &str| {
        let sst = crate::pages::root().join("data/coads_sst.nc");
        let text = format!("steps:\n  - read: {}\n    columns: [sst]\n{steps}", sst.display());
        let (_, err, code) = Bench::new(&text).run("check p.yaml");
        assert_eq!(code, 0, "{err}");
        let line = err.lines().find(|line| line.starts_with("warning[W0201]"));
        line.map(|line| line.split_once(": ").unwrap().1.to_owned())
    };
    let has = "the output will not have what the input has: ";
    assert_eq!(told("  - write: o.nc\n").as_deref(), Some(&*format!("{has}`sst` packed as int16")));
    let anew = told("  - map: { sst: sst + 1 }\n  - write: o.nc\n").unwrap();
    assert!(anew.starts_with(&format!("{has}attributes of `sst` (")) && anew.contains("units"));
    assert_eq!(
        told("  - map: { warm: sst > 20 }\n  - select: [warm, month, lat, lon]\n  - write: o.nc\n"),
        None
    );
    assert_eq!(told("  - reduce: { sst: mean(sst) }\n    over: lon\n  - write: o.nc\n"), None);
    assert_eq!(told("  - write: o.csv\n"), None);
}
