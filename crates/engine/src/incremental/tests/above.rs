//! Reductions of kept reductions, and of such that are joined.
use super::*;

const JOINED: &str = r#"
  - read: DIR/*.arrow
    as: rows
  - reduce: { total: sum(x), rows: count() }
    by: [k, s]
    as: sums
  - filter: n > 0
    from: rows
  - map: { t: s }
  - reduce: { low: min(n), mid: median(x) }
    by: [t, k]
    as: some
  - filter: rows != 3
    from: sums
    as: left
  - join: { k: k, s: t }
    from: [left, some]
    how: HOW
  - map: { y: total * 2 + rows }
  - reduce: { y: sum(y), z: max(y), groups: count() }
    by: s
  - sort: s
  - show: 100"#;

const THREE: &str = "
  - read: DIR/*.arrow
    as: rows
  - reduce: { a: sum(n) }
    by: s
    as: one
  - reduce: { b: max(x) }
    by: s
    from: rows
    as: two
  - distinct: [s]
    from: rows
    as: three
  - join: s
    from: [one, two]
    as: both
  - join: s
    from: [both, three]
    how: left
  - reduce: { a: sum(a), b: min(b), rows: count() }
  - show: 10";

const LEVELS: &str = "
  - read: DIR/*.arrow
  - reduce: { total: sum(x), rows: count() }
    by: [k, s]
  - sort: total
  - reduce: { most: max(total), rows: sum(rows), groups: count() }
    by: s
  - filter: groups > 1
    as: texts
  - reduce: { most: min(most), rows: sum(rows), groups: count() }
    as: all
  - select: [most, rows, groups]
    from: texts
    as: some
  - concat:
    from: [some, all]
  - show: 100";

/// How many reductions are kept: of rows, and of kept ones.
fn levels(pipeline: &str) -> (usize, usize) {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("a.arrow"), &mut Dice(5));
    let split = Split::of(&load(pipeline, dir.path())).unwrap();
    (split.heads.len(), split.aboves.len())
}

fn follow(pipeline: &str, seed: u64, kept: (usize, usize)) {
    assert_eq!(levels(pipeline), kept);
    let pipelines = [pipeline.to_owned(), pipeline.to_owned(), pipeline.to_owned()];
    let starts: [fn(Arc<Physical>) -> Kept; 3] = [keep_one, keep_three, shelve];
    for (pipeline, start) in pipelines.into_iter().zip(starts) {
        in_time(move || edits(&pipeline, seed, 20, start));
    }
}

fn keep_one(plan: Arc<Physical>) -> Kept {
    keep(1)(plan)
}

fn keep_three(plan: Arc<Physical>) -> Kept {
    keep(3)(plan)
}

#[test]
fn groups_that_are_joined_by_their_keys() {
    for (seed, how) in (0x1a11_2222..).zip(["inner", "left"]) {
        follow(&JOINED.replace("HOW", how), seed, (2, 1));
    }
}

#[test]
fn groups_with_and_without_a_match() {
    for (seed, how) in (0x1b11_2222..).zip(["semi", "anti"]) {
        follow(&JOINED.replace("HOW", how), seed, (2, 1));
    }
}

#[test]
fn three_that_are_joined() {
    follow(THREE, 0x2a11_2222, (3, 1));
}

#[test]
fn one_above_the_other() {
    follow(LEVELS, 0x3a11_2222, (1, 2));
}

#[test]
fn what_is_put_together() {
    follow(TWICE, 0x4a11_2222, (2, 1));
}

#[test]
fn two_hundred_edits_over_two_processes() {
    for seed in 0x5a11_2222..0x5a11_2226 {
        in_time(move || edits(&JOINED.replace("HOW", "left"), seed, 50, two));
    }
    in_time(|| edits(LEVELS, 0x6a11_2222, 30, two_on_disk));
}

#[test]
fn groups_by_other_keys_than_they_are_joined_by_are_not() {
    let parted = JOINED.replace("{ k: k, s: t }", "{ s: t }").replace("HOW", "semi");
    assert_eq!(levels(&parted), (2, 0));
    let ordered = LEVELS.replace("max(total)", "first(total)");
    assert_eq!(levels(&ordered).1, 0);
}

#[test]
fn what_is_made_of_a_sum_that_is_too_large_is_wrong() {
    in_time(|| {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let put_n = |path: &Path, n: i64| {
            let s: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
            let n: ArrayRef = Arc::new(Int64Array::from(vec![n, 1]));
            put(path, vec![("s", s, true), ("n", n, true)]);
        };
        let pipeline = "
  - read: DIR/*.arrow
  - reduce: { total: sum(n) }
    by: s
  - reduce: { most: max(total) }
  - show: 10";
        let (one, two) = (dir.join("a.arrow"), dir.join("b.arrow"));
        put_n(&one, i64::MAX);
        put_n(&two, 1);
        let mut kept = keep(2)(loose(pipeline, dir));
        assert_eq!((kept.split().heads.len(), kept.split().aboves.len()), (1, 1));
        let now = pieces(&mut kept, dir);
        kept.update(now.values().cloned().collect(), Vec::new(), &|_| true).unwrap();
        let why = kept.behind(&load(pipeline, dir), false).err().unwrap();
        assert!(why.message.contains("int64"), "{}", why.message);
        put_n(&two, 0);
        let now = pieces(&mut kept, dir);
        kept.update(now.values().skip(1).cloned().collect(), Vec::new(), &|_| true).unwrap();
        let behind = run_alone(Arc::new(kept.behind(&load(pipeline, dir), false).unwrap()));
        assert_eq!(shown(&behind), shown(&run_alone(load(pipeline, dir))));
    });
}
