//! Rows of files that are joined with a table before they are reduced, and tables behind.
use super::restarts::restarts;
use super::*;

/// A table of few keys, some of them twice, some missing.
fn table(path: &Path, dice: &mut Dice) {
    let rows = 1 + dice.roll(8) as usize;
    let s: StringArray =
        (0..rows).map(|_| Some(format!("s{}", dice.roll(7))).filter(|s| s != "s3")).collect();
    let n: Int64Array = (0..rows).map(|_| Some(dice.roll(7) as i64 - 3)).collect();
    let w: Float64Array = (0..rows).map(|_| dice.value()).collect();
    let place: StringArray = (0..rows).map(|_| Some(format!("p{}", dice.roll(3)))).collect();
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("s", Arc::new(s), true),
        ("m", Arc::new(n), true),
        ("w", Arc::new(w), true),
        ("place", Arc::new(place), true),
    ];
    put(path, columns);
}

const WEIGHTED: &str = "
  - read: DIR/*.arrow
    as: rows
  - read: TABLE
    as: table
  - join: s
    from: [rows, table]
  - map: { y: x * w }
  - reduce: { total: sum(y), rows: count(), low: min(w), mid: median(n) }
    by: [place, n]
  - show: 100";

const SEMI: &str = "
  - read: DIR/*.arrow
    as: rows
  - read: TABLE
  - filter: m > 0
    as: table
  - filter: n != 2
    from: rows
  - join: { s: s, n: m }
    from: [filter, table]
    how: anti
  - reduce: { total: sum(x), rows: count() }
  - show: 100";

const PLACES: &str = "
  - read: DIR/*.arrow
    as: rows
  - read: TABLE
  - reduce: { w: sum(m), best: max(w) }
    by: s
    as: table
  - join: s
    from: [rows, table]
    how: left
  - map: { y: n + w }
  - reduce: { one: first(y), end: last(best), most: argmax(y), product: prod(y) }
    by: { n: n }
  - show: 100";

const BEHIND: &str = "
  - read: DIR/*.arrow
  - reduce: { total: sum(x), rows: count() }
    by: s
    as: groups
  - read: TABLE
    as: table
  - join: s
    from: [table, groups]
    how: left
  - sort: [s, m, w]
  - show: 100";

fn case(pipeline: &str) -> Case<'_> {
    Case { pipeline, ending: "arrow", least: 1, write, beside: Some(table) }
}

fn follow(pipeline: &'static str, seed: u64, rounds: usize) {
    in_time(move || edits_of(&case(pipeline), seed, rounds, keep(1)));
    in_time(move || edits_of(&case(pipeline), seed + 1, rounds, keep(3)));
}

#[test]
fn joined_by_a_key() {
    follow(WEIGHTED, 0x1111_2222, 20);
}

#[test]
fn rows_without_a_match() {
    follow(SEMI, 0x1221_2222, 20);
}

#[test]
fn the_place_of_rows_that_are_joined() {
    follow(PLACES, 0x3111_2222, 20);
}

#[test]
fn a_table_that_is_read_behind() {
    follow(BEHIND, 0x4111_2222, 20);
}

#[test]
fn two_hundred_edits_over_two_processes() {
    for seed in 0x5111_2222..0x5111_2226 {
        in_time(move || edits_of(&case(WEIGHTED), seed, 50, two));
    }
}

#[test]
fn what_is_joined_with_its_own_files_is_run_whole() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("a.arrow"), &mut Dice(5));
    let own = WEIGHTED
        .replace("TABLE", "DIR/*.arrow")
        .replace(" * w", " * x")
        .replace("min(w)", "min(x)");
    let own = own.replace("from: [rows, table]", "from: [rows, table]\n    suffix: _2");
    let own = own.replace("place, n", "s, n");
    assert!(Split::of(&load(&own, dir.path())).is_err());
}

#[test]
fn a_new_start_takes_what_was_joined_with_the_same_table() {
    for (seed, together) in [(0x6111_2222, false), (0x6211_2222, true)] {
        in_time(move || restarts(&case(WEIGHTED), seed, 12, together));
        in_time(move || restarts(&case(PLACES), seed + 1, 12, together));
    }
}
