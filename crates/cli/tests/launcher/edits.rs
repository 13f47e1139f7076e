//! Files that come, change and go between runs on one ledger: each run has the bits of a cold one.
use crate::bench::{Bench, Random};
use std::fs;
use std::path::Path;

/// Rows that are joined with a table, some of them kept, all of them reduced.
const ROWS: &str = "steps:
  - read: in/*.csv
    as: rows
  - read: beside.csv
    as: names
  - join: g
    from: [rows, names]
    how: left
  - map: { y: x * w }
    as: both
  - reduce: { s: sum(y), n: count(), f: first(y), m: median(x) }
    by: name
  - write: groups.csv
  - filter: x > 0
    from: both
  - write: rows.csv
";

/// Boxes that are joined with a smaller one, and folded over what they follow each other along, and
/// over the rest.
const BOXES: &str = "steps:
  - read: in/*.nc
    as: data
  - read: beside.nc
    as: mask
  - join:
    from: [data, mask]
  - map: { y: t * w }
    as: both
  - reduce: { m: mean(y), d: std(y), q: median(t) }
    over: time
  - write: mean.csv
  - reduce: { s: sum(y), n: count() }
    over: [lat, lon]
    from: both
  - write: times.csv
";

/// Makes a file by its number, or what stands beside all of them.
type Make = fn(&Bench, Option<usize>, &mut Random);

fn table(bench: &Bench, number: Option<usize>, random: &mut Random) {
    let (head, name) = match number {
        Some(number) => ("g,x", format!("in/f{number:02}.csv")),
        None => ("g,name,w", "beside.csv".to_owned()),
    };
    let row = |random: &mut Random| match number {
        Some(_) => format!("{},{}.25\n", random.below(9), random.below(99) as i64 - 50),
        None => format!("{},n{},{}.5\n", random.below(9), random.below(4), random.below(9)),
    };
    let rows: String = (0..1 + random.below(30)).map(|_| row(random)).collect();
    put(bench, &format!("{head}\n{rows}"), &name);
}

fn boxes(bench: &Bench, number: Option<usize>, random: &mut Random) {
    let (seed, space) = (random.below(1000), "lat: \"linspace(-1, 1, 7)\", lon: \"0..5\"");
    let (grid, column, name) = match number {
        Some(n) => {
            let times = format!("time: \"{}..{}\", {space}", n * 10, n * 10 + 1 + random.below(3));
            let t = format!("t: sin(time * 7 + lat * 3 + lon + {seed}) * 1e9");
            (times, t, format!("in/f{n:02}.nc"))
        }
        None => (space.to_owned(), format!("w: cos(lat + lon * {seed})"), "beside.nc".to_owned()),
    };
    let steps =
        format!("steps:\n  - grid: {{ {grid} }}\n  - map: {{ {column} }}\n  - write: made.nc\n");
    fs::write(bench.path().join("make.yaml"), steps).unwrap();
    bench.good("run make.yaml --no-state --overwrite");
    fs::rename(bench.path().join("made.nc"), bench.path().join(name)).unwrap();
}

/// Writes a file, all at once.
fn put(bench: &Bench, text: &str, name: &str) {
    fs::write(bench.path().join("made"), text).unwrap();
    fs::rename(bench.path().join("made"), bench.path().join(name)).unwrap();
}

fn follow(pipeline: &str, ending: &str, make: Make, outputs: [&str; 2]) {
    let (bench, mut random) = (Bench::new(pipeline), Random::new());
    let folder = bench.path().join("in");
    fs::create_dir(&folder).unwrap();
    (0..4).for_each(|n| make(&bench, Some(n), &mut random));
    make(&bench, None, &mut random);
    for round in 0..8 {
        let how = ["-w 1", "-w 3", "-n 2 -w 1"][random.below(3)];
        let (_, said) = bench.good(&format!("run p.yaml {how}"));
        bench.good("run p.yaml -w 1 --no-state --overwrite --out cold");
        for name in outputs {
            let text = |path: &Path| fs::read_to_string(path).unwrap();
            let (warm, cold) = (bench.path().join(name), bench.path().join("cold").join(name));
            let seed = random.seed;
            assert!(text(&warm) == text(&cold), "{name}, round {round}, seed {seed}: {said}");
        }
        for _ in 0..1 + random.below(2) {
            let number = random.below(8);
            let path = folder.join(format!("f{number:02}.{ending}"));
            let many = fs::read_dir(&folder).unwrap().count() > 2;
            match random.below(6) {
                0 => make(&bench, None, &mut random),
                1 | 2 if many && path.exists() => fs::remove_file(path).unwrap(),
                _ => make(&bench, Some(number), &mut random),
            }
        }
    }
}

#[test]
fn rows_that_are_joined_with_a_table() {
    follow(ROWS, "csv", table, ["groups.csv", "rows.csv"]);
}

#[test]
fn boxes_that_are_joined_and_folded() {
    follow(BOXES, "nc", boxes, ["mean.csv", "times.csv"]);
}
