//! Files that come, change and go between runs on one ledger: each run has the bits of a cold one.
use crate::bench::Bench;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

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

/// Numbers that differ from run to run; the first one is told when a test fails.
struct Dice {
    seed: u64,
    rolled: u64,
}

impl Dice {
    fn new() -> Dice {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Dice { seed: now.as_nanos() as u64, rolled: 0 }
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.rolled += 1;
        let x = (self.seed ^ self.rolled).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let x = (x ^ x >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (x ^ x >> 29) % sides
    }
}

/// Makes a file by its number, or what stands beside all of them.
type Make = fn(&Bench, Option<u64>, &mut Dice);

fn table(bench: &Bench, number: Option<u64>, dice: &mut Dice) {
    let (head, name) = match number {
        Some(number) => ("g,x", format!("in/f{number:02}.csv")),
        None => ("g,name,w", "beside.csv".to_owned()),
    };
    let row = |dice: &mut Dice| match number {
        Some(_) => format!("{},{}.25\n", dice.roll(9), dice.roll(99) as i64 - 50),
        None => format!("{},n{},{}.5\n", dice.roll(9), dice.roll(4), dice.roll(9)),
    };
    let rows: String = (0..1 + dice.roll(30)).map(|_| row(dice)).collect();
    put(bench, &format!("{head}\n{rows}"), &name);
}

fn boxes(bench: &Bench, number: Option<u64>, dice: &mut Dice) {
    let (seed, space) = (dice.roll(1000), "lat: \"linspace(-1, 1, 7)\", lon: \"0..5\"");
    let (grid, column, name) = match number {
        Some(n) => {
            let times = format!("time: \"{}..{}\", {space}", n * 10, n * 10 + 1 + dice.roll(3));
            let t = format!("t: sin(time * 7 + lat * 3 + lon + {seed}) * 1e9");
            (times, t, format!("in/f{n:02}.nc"))
        }
        None => (space.to_owned(), format!("w: cos(lat + lon * {seed})"), "beside.nc".to_owned()),
    };
    let steps =
        format!("steps:\n  - grid: {{ {grid} }}\n  - map: {{ {column} }}\n  - write: made.nc\n");
    fs::write(bench.path().join("make.yaml"), steps).unwrap();
    good(bench, "run make.yaml --no-state --overwrite");
    fs::rename(bench.path().join("made.nc"), bench.path().join(name)).unwrap();
}

/// Writes a file, all at once.
fn put(bench: &Bench, text: &str, name: &str) {
    fs::write(bench.path().join("made"), text).unwrap();
    fs::rename(bench.path().join("made"), bench.path().join(name)).unwrap();
}

fn good(bench: &Bench, arguments: &str) -> String {
    let (_, err, code) = bench.run(arguments);
    assert_eq!(code, 0, "{arguments}: {err}");
    err
}

fn follow(pipeline: &str, ending: &str, make: Make, outputs: [&str; 2]) {
    let (bench, mut dice) = (Bench::new(pipeline), Dice::new());
    let folder = bench.path().join("in");
    fs::create_dir(&folder).unwrap();
    (0..4).for_each(|n| make(&bench, Some(n), &mut dice));
    make(&bench, None, &mut dice);
    for round in 0..8 {
        let how = ["-w 1", "-w 3", "-n 2 -w 1"][dice.roll(3) as usize];
        let said = good(&bench, &format!("run p.yaml {how}"));
        good(&bench, "run p.yaml -w 1 --no-state --overwrite --out cold");
        for name in outputs {
            let text = |path: &Path| fs::read_to_string(path).unwrap();
            let (warm, cold) = (bench.path().join(name), bench.path().join("cold").join(name));
            let seed = dice.seed;
            assert!(text(&warm) == text(&cold), "{name}, round {round}, seed {seed}: {said}");
        }
        for _ in 0..1 + dice.roll(2) {
            let number = dice.roll(8);
            let path = folder.join(format!("f{number:02}.{ending}"));
            let many = fs::read_dir(&folder).unwrap().count() > 2;
            match dice.roll(6) {
                0 => make(&bench, None, &mut dice),
                1 | 2 if many && path.exists() => fs::remove_file(path).unwrap(),
                _ => make(&bench, Some(number), &mut dice),
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
