//! Kept results against cold runs, after random edits of the files: all bits must be equal.
#![allow(clippy::unwrap_used, clippy::panic)]
mod above;
mod beside;
mod boxes;
mod restarts;

use super::{Kept, Ledger, Looked, Piece, PieceId, Rows, Scale, Split};
use crate::deal::Asking;
use crate::ledger::{Folder, Lock, Page, Record, input_print};
use crate::tests::{in_time, options, pair};
use crate::{Mesh, Options, Tally, Watch, run};
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_ipc::writer::FileWriter;
use base::Source;
use plan::physical::{Op, Read};
use plan::{LoadOptions, Physical, Print};
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Numbers that look random, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    /// Values that cancel, that are beyond three terms, missing, not a number.
    fn value(&mut self) -> Option<f64> {
        match self.roll(12) {
            0 => None,
            1 => Some(1e300),
            2 => Some(-1e300),
            3 => Some(f64::MIN_POSITIVE / 8.0),
            4 => Some(-0.0),
            5 if self.roll(40) == 0 => Some(f64::NAN),
            _ => Some((self.roll(2000) as f64 - 1000.0) * 2f64.powi(self.roll(80) as i32 - 40)),
        }
    }

    fn key(&mut self) -> Option<f64> {
        match self.roll(9) {
            0 => None,
            1 => Some(f64::NAN),
            2 => Some(-f64::NAN),
            3 => Some(0.0),
            4 => Some(-0.0),
            k => Some(k as f64 / 2.0),
        }
    }
}

/// A file of some rows; its keys are few, so that groups come and go.
fn write(path: &Path, dice: &mut Dice) {
    let rows = dice.roll(40) as usize;
    let few = 1 + dice.roll(6);
    let k: Float64Array = (0..rows).map(|_| dice.key()).collect();
    let s: StringArray =
        (0..rows).map(|_| Some(format!("s{}", dice.roll(few))).filter(|s| s != "s3")).collect();
    let x: Float64Array = (0..rows).map(|_| dice.value()).collect();
    let n: Int64Array = (0..rows).map(|_| Some(dice.roll(7) as i64 - 3)).collect();
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("k", Arc::new(k), true),
        ("s", Arc::new(s), true),
        ("x", Arc::new(x), true),
        ("n", Arc::new(n), true),
    ];
    put(path, columns);
}

fn put(path: &Path, columns: Vec<(&str, ArrayRef, bool)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let mut writer = FileWriter::try_new(File::create(path).unwrap(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
}

const SUMS: &str = "
  - read: DIR/*.arrow
  - reduce: { total: sum(x), mean: mean(x), sd: std(x), rows: count(), some: count(x), all: sum(n) }
    by: { k: k }
  - show: 100";

const RANKS: &str = r#"
  - read: DIR/*.arrow
  - filter: n != 2
  - reduce: { low: min(x), high: max(x), mid: median(x), q: "quantile(x, 0.9)", any: any(n > 2) }
    by: [s, n]
  - sort: [high, s, n]
  - show: 100"#;

const PLACES: &str = "
  - read: DIR/*.arrow
  - map: { y: n + 0.5 }
  - reduce: { one: first(n), end: last(n), best: argmax(y), worst: argmin(y), product: prod(y) }
    by: { s: s }
  - show: 100";

const RANDOM: &str = "
  - read: DIR/*.arrow
  - map: { y: n * random(7) }
  - reduce: { total: sum(y), rows: count() }
    by: { s: s }
  - show: 100";

const DISTINCT: &str = "
  - read: DIR/*.arrow
  - filter: n != 1
  - distinct: [s, n]
  - show: 100";

const ALL: &str = "
  - read: DIR/*.arrow
  - reduce: { total: sum(x), rows: count(), most: max(n) }
  - show: 10";

const TWICE: &str = r#"
  - read: DIR/*.arrow
    as: rows
  - reduce: { total: sum(n), rows: count() }
    by: { s: s }
    as: texts
  - reduce: { total: sum(n), rows: count() }
    by: { s: "where(n > 0, 's1', 's2')" }
    from: rows
    as: signs
  - concat:
    from: [texts, signs]
  - reduce: { groups: count(), most: max(rows), total: sum(total) }
    by: { long: rows > 20 }
  - show: 100"#;

fn load(pipeline: &str, dir: &Path) -> Arc<Physical> {
    load_with(pipeline, dir, false)
}

/// As a keeper loads it.
fn loose(pipeline: &str, dir: &Path) -> Arc<Physical> {
    load_with(pipeline, dir, true)
}

fn load_with(pipeline: &str, dir: &Path, follow: bool) -> Arc<Physical> {
    let options = LoadOptions { follow, ..LoadOptions::default() };
    let text = format!("steps:{}", pipeline.replace("DIR", &dir.display().to_string()));
    let (plan, diagnostics) = plan::load(&Source::new("test.yaml", &*text), &options);
    Arc::new(plan.unwrap_or_else(|| panic!("{diagnostics:?}")).physical)
}

fn shown(tally: &Tally) -> Vec<Vec<u8>> {
    let (_, schema, batches) = &tally.results[0];
    let rows = Rows::of(schema, batches).unwrap();
    rows.bytes()
}

fn run_alone(plan: Arc<Physical>) -> Tally {
    run(plan, options(2, 2), Arc::new(Watch::new())).unwrap()
}

/// The files of a folder as pieces of the readers.
fn pieces(kept: &mut Kept, dir: &Path) -> BTreeMap<PieceId, Piece> {
    let mut names: Vec<PathBuf> =
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    let mut first = 0;
    let mut pieces = BTreeMap::new();
    for path in names {
        for read in kept.split().reads() {
            let Looked { points, sizes, tiles, .. } = kept.look(read, &path).unwrap();
            let (id, print) = (PieceId { read, path: path.clone() }, input_print(&path).unwrap());
            pieces.insert(
                id.clone(),
                Piece { id, first, print, sizes, tiles, noted: Vec::new(), elsewhere: Vec::new() },
            );
            if read == kept.split().reads()[0] {
                first += points;
            }
        }
    }
    pieces
}

/// What came between two looks at a folder, and what went. `changed` was written anew.
fn difference(
    kept: &Kept,
    before: &BTreeMap<PieceId, Piece>,
    now: &BTreeMap<PieceId, Piece>,
    changed: &[PathBuf],
) -> (Vec<Piece>, Vec<PieceId>) {
    let moved = |piece: &Piece| {
        let first = before.get(&piece.id).map(|piece| piece.first);
        first != Some(piece.first) && kept.split().placed.contains(&piece.id.read)
    };
    let new = |(id, piece): &(&PieceId, &Piece)| {
        changed.contains(&id.path) || !before.contains_key(*id) || moved(piece)
    };
    let come = now.iter().filter(new).map(|(id, _)| id.clone());
    let gone: Vec<PieceId> = before.keys().filter(|id| !now.contains_key(*id)).cloned().collect();
    let mut come: HashSet<PieceId> = come.collect();
    let loose = kept.companions(&come.iter().chain(&gone).cloned().collect());
    come.extend(loose.into_iter().filter(|id| now.contains_key(id)));
    let come = now.values().filter(|piece| come.contains(&piece.id)).cloned().collect();
    (come, gone)
}

/// Keeps a pipeline up to date over so many edits.
fn edits(pipeline: &str, seed: u64, rounds: usize, start: impl FnOnce(Arc<Physical>) -> Kept) {
    edits_of(&plain(pipeline), seed, rounds, start);
}

/// Of tables alone.
fn plain(pipeline: &str) -> Case<'_> {
    Case { pipeline, ending: "arrow", least: 1, write, beside: None }
}

/// A pipeline and its files.
struct Case<'a> {
    pipeline: &'a str,
    ending: &'a str,
    /// So many files are left at least.
    least: usize,
    write: fn(&Path, &mut Dice),
    /// Writes the file `TABLE`.
    beside: Option<fn(&Path, &mut Dice)>,
}

/// Makes the right sides of joins below the reductions, and hands them out. The readers whose files
/// are to be taken anew.
fn join(kept: &mut Kept, fresh: &Physical) -> HashSet<usize> {
    let aside = kept.aside(fresh).unwrap();
    run_alone(Arc::new(aside.physical.clone()));
    let mut files = Vec::new();
    for read in kept.split().beside.clone() {
        let Op::Read(Read { files: Some(all), .. }) = &fresh.nodes[read].op else { continue };
        for path in all.files() {
            let print = input_print(&path).unwrap();
            files.push((PieceId { read, path }, print));
        }
    }
    kept.take_sides(aside, &files).unwrap()
}

fn edits_of(case: &Case, seed: u64, rounds: usize, start: impl FnOnce(Arc<Physical>) -> Kept) {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (dir, table) = (dir.path(), other.path().join(format!("table.{}", case.ending)));
    let pipeline = &case.pipeline.replace("TABLE", &table.display().to_string())[..];
    let mut dice = Dice(seed);
    let name = |i: u64| dir.join(format!("f{i:02}.{}", case.ending));
    for i in 0..6 {
        (case.write)(&name(i), &mut dice);
    }
    if let Some(write) = case.beside {
        write(&table, &mut dice);
    }
    let mut kept = start(loose(pipeline, dir));
    let mut before = BTreeMap::new();
    let mut changed = Vec::new();
    for round in 0..rounds {
        let stale = match kept.split().joins() {
            true => join(&mut kept, &loose(pipeline, dir)),
            false => HashSet::new(),
        };
        let now = pieces(&mut kept, dir);
        let (mut come, gone) = difference(&kept, &before, &now, &changed);
        if !stale.is_empty() {
            come = now.values().cloned().collect();
        }
        let refused = kept.update(come, gone, &|_| true).unwrap().refused;
        assert_eq!(refused, []);
        let whole = load(pipeline, dir);
        let behind = run_alone(Arc::new(kept.behind(&whole, false).unwrap()));
        let cold = run_alone(whole);
        assert!(shown(&behind) == shown(&cold), "round {round}:\n{behind:?}\n{cold:?}");
        before = now;
        changed.clear();
        for _ in 0..1 + dice.roll(3) {
            let path = name(dice.roll(12));
            let files = std::fs::read_dir(dir).unwrap().count();
            if dice.roll(3) == 0 && files > case.least {
                let _ = std::fs::remove_file(&path);
            } else {
                (case.write)(&path, &mut dice);
                changed.push(path);
            }
        }
        if let Some(write) = case.beside.filter(|_| dice.roll(6) == 0) {
            write(&table, &mut dice);
        }
    }
}

const FEW: Scale = Scale { files: 6, on_disk: false };

/// On disk.
fn shelve(plan: Arc<Physical>) -> Kept {
    let (scale, watch) = (Scale { on_disk: true, ..FEW }, Arc::new(Watch::new()));
    Kept::start(plan, scale, options(2, 2), None, watch, Box::new(|| None)).unwrap()
}

#[test]
fn states_on_disk() {
    for (seed, pipeline) in (0x7357_9bdf..).zip([SUMS, RANKS, PLACES, ALL, TWICE, DISTINCT]) {
        in_time(move || edits(pipeline, seed, 12, shelve));
    }
}

fn keep(threads: usize) -> impl FnOnce(Arc<Physical>) -> Kept {
    move |plan| {
        Kept::start(plan, FEW, options(threads, 2), None, Arc::new(Watch::new()), Box::new(|| None))
            .unwrap()
    }
}

fn follow(pipeline: &'static str, seed: u64, rounds: usize) {
    in_time(move || edits(pipeline, seed, rounds, keep(1)));
    in_time(move || edits(pipeline, seed + 1, rounds, keep(3)));
}

#[test]
fn sums_with_wild_keys_and_values() {
    follow(SUMS, 0x1234_5678, 12);
}

#[test]
fn ranks_and_groups_that_vanish() {
    follow(RANKS, 0x9e37_79b9, 12);
}

#[test]
fn what_depends_on_the_place_of_rows() {
    follow(PLACES, 0xdead_beef, 12);
}

#[test]
fn everything_in_one_row() {
    follow(ALL, 0x5151_5151, 12);
}

#[test]
fn reductions_of_reductions() {
    follow(TWICE, 0x7777_1111, 12);
}

#[test]
fn numbers_that_depend_on_the_place_of_rows() {
    follow(RANDOM, 0x4321_8765, 12);
}

#[test]
fn distinct_rows() {
    follow(DISTINCT, 0x6789_abcd, 12);
}

/// In two processes that are really threads of this one.
fn two(plan: Arc<Physical>) -> Kept {
    two_of(plan, FEW)
}

fn two_on_disk(plan: Arc<Physical>) -> Kept {
    two_of(plan, Scale { on_disk: true, ..FEW })
}

fn two_of(plan: Arc<Physical>, scale: Scale) -> Kept {
    let mut sockets = pair().into_iter();
    let mut options = |index| Options {
        mesh: Some(Mesh {
            index,
            processes: 2,
            sockets: sockets.next().unwrap(),
            asking: Asking::new(|_| ()),
        }),
        ..options(2, 2)
    };
    let (here, there) = (options(0), options(1));
    let other = plan.clone();
    std::thread::spawn(move || super::serve(other, scale, there, None, Arc::new(Watch::new())));
    Kept::start(plan, scale, here, None, Arc::new(Watch::new()), Box::new(|| None)).unwrap()
}

#[test]
fn over_two_processes() {
    in_time(|| {
        edits(SUMS, 0x2468_ace0, 12, two);
        edits(RANKS, 0x3468_ace0, 12, two_on_disk);
    });
}

#[test]
fn a_bad_file_leaves_the_old_rows() {
    in_time(|| {
        let dir = tempfile::tempdir().unwrap();
        let mut dice = Dice(99);
        let path = dir.path().join("a.arrow");
        write(&path, &mut dice);
        write(&dir.path().join("b.arrow"), &mut dice);
        let cold = run_alone(load(SUMS, dir.path()));
        let mut kept = keep(2)(loose(SUMS, dir.path()));
        let now = pieces(&mut kept, dir.path());
        let (come, _) = difference(&kept, &BTreeMap::new(), &now, &[]);
        kept.update(come.clone(), Vec::new(), &|_| true).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(kept.look(come[0].id.read, &path).is_err());
        let refused = kept.update(come[..1].to_vec(), Vec::new(), &|_| true).unwrap().refused;
        assert_eq!(refused[0].0, come[0].id);
        write(&path, &mut dice);
        kept.look(come[0].id.read, &path).unwrap();
        let refused = kept.update(come[..1].to_vec(), Vec::new(), &|_| false).unwrap().refused;
        assert!(refused[0].1.contains("is changing"));
        let behind = run_alone(Arc::new(kept.behind(&load(SUMS, dir.path()), false).unwrap()));
        assert_eq!(shown(&behind), shown(&cold));
    });
}

#[test]
fn what_cannot_be_kept_is_said() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("a.arrow"), &mut Dice(5));
    let why = |pipeline: &str| Split::of(&load(pipeline, dir.path())).err().unwrap();
    let rows = "\n  - read: DIR/*.arrow\n  - filter: n > 0\n  - show: 3";
    assert!(why(rows).contains("is reduced file by file"));
    let cut = "\n  - read: DIR/*.arrow\n    slices: { row: 0..1 }\n  - reduce: { n: count() }";
    assert!(why(cut).contains("is reduced file by file"));
    assert!(why("\n  - range: { k: 1..=9 }\n  - reduce: { n: count() }").contains("no reduction"));
}
