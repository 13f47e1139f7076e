//! Reductions over dimensions.
use super::{Watching, go};
use crate::bench::Bench;
use std::fs;

const BOX: &str = "
params: { first: 0, times: 3, seed: 1 }
steps:
  - grid:
      time: first..first + times
      lat: linspace(-1, 1, 37)
      lon: linspace(0, 3, 31)
  - map: { t: sin(time * 7 + lat * 3 + lon + seed) * 1e9 ** (time % 4) }
  - select: [time, lat, lon, t]
  - write: made.nc
";

const MEANS: &str = "
steps:
  - read: in/*.nc
    as: all
  - reduce: { mean: mean(t), most: max(t) }
    over: time
  - write: out/map.nc
  - map: { u: t * cos(lat) }
    from: all
  - reduce: { total: sum(u), n: count() }
    over: [lat, lon]
  - map: { since: time * 2 }
  - write: out/series.csv
";

/// A folder with the pipeline and four inputs.
fn bench() -> Bench {
    let bench = Bench::new(MEANS);
    fs::write(bench.path().join("box.yaml"), BOX).unwrap();
    fs::create_dir(bench.path().join("in")).unwrap();
    (1..5).for_each(|i| put(&bench, i, 3, i));
    bench
}

/// Writes input number `i` anew, all at once.
fn put(bench: &Bench, i: u64, times: u64, seed: u64) {
    let sets = format!("--set first={} --set times={times} --set seed={seed}", i * 10);
    go(bench, &format!("run box.yaml -q --overwrite {sets}"));
    fs::rename(bench.path().join("made.nc"), bench.path().join(format!("in/{i}.nc"))).unwrap();
}

/// Whether the outputs are those of a run of a pipeline.
fn same(bench: &Bench, pipeline: &str, what: &str) {
    go(bench, &format!("run {pipeline} -q --overwrite --out cold"));
    let read = |name: &str| {
        let path = bench.path().join(name);
        let shown = "steps:\n  - read: FILE\n  - show: 2000";
        let text = shown.replace("FILE", &path.display().to_string());
        fs::write(bench.path().join("show.yaml"), text).unwrap();
        bench.run("run show.yaml -q").0
    };
    let text = |name: &str| fs::read_to_string(bench.path().join(name)).unwrap();
    assert_eq!(text("out/series.csv"), text("cold/out/series.csv"), "{what}");
    let (mine, colds) = (read("out/map.nc"), read("cold/out/map.nc"));
    assert!(mine.len() > 1000 && mine == colds, "{what}");
}

#[test]
fn boxes_over_dimensions() {
    for arguments in ["", "-n 2"] {
        let bench = bench();
        let same = |what: &str| same(&bench, "p.yaml", what);
        let watching = Watching::start(&bench, arguments);
        watching.until("kept up to date");
        watching.until("4 new: up to date");
        same("at first");
        put(&bench, 2, 4, 90);
        watching.until("1 changed: up to date");
        same("changed");
        put(&bench, 7, 2, 3);
        watching.until("1 new: up to date");
        same("new");
        fs::remove_file(bench.path().join("in/1.nc")).unwrap();
        watching.until("1 gone: up to date");
        same("gone");
        watching.end();
        let watching = Watching::start(&bench, arguments);
        watching.until("4 new (4 of 4 tiles from the ledger): up to date");
        same("again");
        watching.end();
    }
}

/// The results of other files go on, with the cells that a bad file has had.
#[test]
fn a_bad_file_among_boxes_is_left_as_it_was() {
    for arguments in ["", "-n 2"] {
        let bench = bench();
        let path = |folder: &str, i: u64| bench.path().join(format!("{folder}/{i}.nc"));
        // What counts: good files, and those that were.
        fs::write(bench.path().join("good.yaml"), MEANS.replace("in/*", "good/*")).unwrap();
        let good = |not: &[u64]| {
            fs::create_dir_all(bench.path().join("good")).unwrap();
            for i in (0..10).filter(|i| !not.contains(i) && path("in", *i).exists()) {
                fs::copy(path("in", i), path("good", i)).unwrap();
            }
        };
        let watching = Watching::start(&bench, arguments);
        watching.until("4 new: up to date");
        good(&[]);
        let halve = |i: u64| {
            let whole = fs::read(path("in", i)).unwrap();
            fs::write(path("in", i), &whole[..whole.len() / 2]).unwrap();
        };
        halve(1);
        watching.until("left as it was");
        put(&bench, 3, 5, 30);
        watching.until("1 changed: up to date");
        good(&[1]);
        same(&bench, "good.yaml", "another has more times");
        put(&bench, 8, 2, 8);
        watching.until("1 new: up to date");
        good(&[1]);
        same(&bench, "good.yaml", "another comes");
        fs::copy(path("good", 2), path("in", 6)).unwrap();
        halve(6);
        watching.until("left as it was");
        put(&bench, 2, 1, 22);
        watching.until("1 changed: up to date");
        good(&[1, 6]);
        same(&bench, "good.yaml", "one that was never good");
        put(&bench, 1, 2, 11);
        watching.until("1 changed: up to date");
        put(&bench, 6, 2, 66);
        watching.until("1 new: up to date");
        same(&bench, "p.yaml", "all are good");
        watching.end();
    }
}
