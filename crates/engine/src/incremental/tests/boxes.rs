//! Folds over dimensions of files that follow each other along one.
use super::restarts::restarts;
use super::*;

/// A file of some times, which are those of its name and of no other.
fn part(path: &Path, dice: &mut Dice) {
    let name = path.file_stem().unwrap().to_string_lossy();
    let number: u64 = name.trim_start_matches('f').parse().unwrap();
    let (first, times, seed) = (number * 10, 1 + dice.roll(4), dice.roll(1000));
    make(
        path,
        &format!(
            "
  - grid:
      time: \"{first}..{}\"
      lat: linspace(-1, 1, 37)
      lon: linspace(0, 3, 31)
  - map: {{ odd: \"floor(lat * 7 + time + {seed}) % 5\" }}
  - map: {{ t: \"sin(time * 7 + lat * 3 + lon + {seed}) * 1e9 ** odd / (odd - 2)\" }}
  - select: [time, lat, lon, t]",
            first + times
        ),
    );
}

/// A box beside all of them.
fn weights(path: &Path, dice: &mut Dice) {
    let seed = dice.roll(1000);
    make(
        path,
        &format!(
            "
  - grid:
      lat: linspace(-1, 1, 37)
      lon: linspace(0, 3, 31)
  - map: {{ w: cos(lat * {seed}) * lon }}
  - select: [lat, lon, w]"
        ),
    );
}

/// Writes what a pipeline makes.
fn make(path: &Path, steps: &str) {
    let staged = path.with_extension("made.nc");
    let text = format!("{steps}\n  - write: {}", staged.display());
    let plan = load(&text, path.parent().unwrap());
    let sinks = plan.nodes.iter().filter_map(|node| match &node.op {
        Op::Write(sink) => Some(sink.clone()),
        _ => None,
    });
    let sinks: Vec<_> = sinks.collect();
    sinks.iter().for_each(|sink| sink.create().unwrap());
    run_alone(plan);
    sinks.iter().for_each(|sink| drop(sink.commit().unwrap()));
    std::fs::rename(staged, path).unwrap();
}

const MEAN: &str = "
  - read: DIR/*.nc
  - reduce: { mean: mean(t), sd: std(t), n: count(t), low: min(t), mid: median(t) }
    over: time
  - filter: lat > 0
  - show: 3000";

const SPACE: &str = "
  - read: DIR/*.nc
  - map: { u: t * cos(lat) }
  - reduce: { total: sum(u), high: max(t), n: count() }
    over: [lat, lon]
  - map: { since: time - 3 }
  - show: 1000";

const ZONAL: &str = "
  - read: DIR/*.nc
  - reduce: { total: sum(t), n: count(t) }
    over: [lon, time]
  - reduce: { all: sum(total), n: sum(n) }
  - show: 10";

const LAST: &str = "
  - read: DIR/*.nc
  - reduce: { total: sum(t) }
    over: lat
  - reduce: { most: max(total), n: count(total) }
    over: lon
  - show: 1000";

const MASKED: &str = "
  - read: DIR/*.nc
    as: rows
  - read: TABLE
    as: mask
  - join:
    from: [rows, mask]
  - map: { y: t * w }
  - reduce: { total: sum(y), n: count(y) }
    over: [time, lat]
  - show: 1000";

fn case(pipeline: &str) -> Case<'_> {
    let beside = pipeline.contains("TABLE").then_some(weights as fn(&Path, &mut Dice));
    Case { pipeline, ending: "nc", least: 3, write: part, beside }
}

fn follow(pipeline: &'static str, seed: u64) {
    in_time(move || edits_of(&case(pipeline), seed, 8, keep(1)));
    in_time(move || edits_of(&case(pipeline), seed + 1, 8, keep(3)));
}

#[test]
fn cells_that_all_files_have() {
    follow(MEAN, 0x1111_0000);
}

#[test]
fn rows_of_cells_that_all_files_have() {
    follow(ZONAL, 0x1111_0500);
}

#[test]
fn cells_of_each_file() {
    follow(SPACE, 0x2111_0000);
    follow(LAST, 0x2211_0000);
}

#[test]
fn boxes_beside_a_smaller_box() {
    follow(MASKED, 0x3111_0000);
}

#[test]
fn over_two_processes() {
    for pipeline in [MEAN, SPACE, MASKED] {
        in_time(move || edits_of(&case(pipeline), 0x4111_0000, 8, two));
        in_time(move || edits_of(&case(pipeline), 0x4211_0000, 5, two_on_disk));
    }
}

#[test]
fn two_hundred_edits_over_two_processes() {
    for (seed, pipeline) in (0x5111_0000..).zip([MEAN, SPACE, MASKED, ZONAL, LAST]) {
        in_time(move || edits_of(&case(pipeline), seed, 40, two));
    }
}

#[test]
fn a_new_start_goes_on_from_the_ledger() {
    let cases = [(MEAN, false), (SPACE, true), (MASKED, true), (SPACE, false)];
    for (seed, (pipeline, together)) in (0x6111_7a31..).zip(cases) {
        in_time(move || restarts(&case(pipeline), seed, 6, together));
    }
}
