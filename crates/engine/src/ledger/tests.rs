//! Files of a ledger, whole, torn, damaged and foreign; what is kept of them.
#![allow(clippy::unwrap_used, clippy::panic)]
use super::folder::{Folder, merged, page};
use super::frame::{End, MAGIC, encode, scan};
use super::home::Home;
use super::record::{Origin, Record};
use super::staged::{add, entry};
use super::stamp::output_print;
use super::{Lock, Share, outputs, remove_staged};
use formats::Piece;
use plan::Print;
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

fn records() -> Vec<(Record, Vec<u8>)> {
    let print = |n: u8| Print([n; 16]);
    let mut all = vec![(Record::Begin(Origin::here()), Vec::new())];
    for n in 0..9u8 {
        let body: Vec<u8> = (0..24).map(|i| i * n).collect();
        all.push((Record::Written { stage: print(n) }, body));
        let path = PathBuf::from(format!("file {n} ü"));
        all.push((Record::Input { path, print: print(n) }, Vec::new()));
        let body: Vec<u8> = (0..200).map(|i| i ^ n).collect();
        all.push((Record::Partial { meaning: print(n), tiles: 1 }, body));
        all.push((Record::Cut { stage: print(n), bytes: 1 << n }, Vec::new()));
        all.push((Record::Synced { records: u64::from(n) }, Vec::new()));
    }
    all
}

fn bytes(records: &[(Record, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    records.iter().for_each(|(record, body)| bytes.extend(encode(record, &[body]).unwrap()));
    bytes
}

/// What a file of these bytes holds: only records that were written, in order, with their bodies.
fn held(path: &Path, bytes: &[u8], written: &[(Record, Vec<u8>)]) -> (usize, End) {
    fs::write(path, bytes).unwrap();
    let (frames, end) = scan(&fs::File::open(path).unwrap(), path).unwrap();
    for (frame, (record, body)) in frames.iter().zip(written) {
        assert_eq!(frame.record, *record);
        // The states of folds are looked at by whoever uses them.
        match frame.body.read() {
            Some(read) => assert_eq!(read, *body),
            None => assert!(matches!(record, Record::Partial { .. })),
        }
    }
    assert!(frames.len() <= written.len());
    (frames.len(), end)
}

#[test]
fn a_file_that_ends_anywhere_holds_what_was_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (path, written) = (folder.path().join("x"), records());
    let all = bytes(&written);
    assert_eq!(held(&path, &all, &written), (written.len(), End::Whole));
    let mut before = 0;
    for cut in 0..all.len() {
        let (count, end) = held(&path, &all[..cut], &written);
        assert!(count >= before && end != End::Damaged, "cut at {cut}: {end:?}");
        before = count;
        // A power cut may leave the length and not the bytes.
        let mut zeros = all[..cut].to_vec();
        zeros.resize(all.len(), 0);
        let (_, end) = held(&path, &zeros, &written);
        assert_ne!(end, End::Foreign, "zeros from {cut}");
    }
}

#[test]
fn a_changed_byte_is_never_taken_for_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let (path, written) = (folder.path().join("x"), records());
    let all = bytes(&written);
    for at in 0..all.len() {
        let mut changed = all.clone();
        changed[at] ^= 1 << (at % 8);
        held(&path, &changed, &written);
    }
}

#[test]
fn what_cannot_be_trusted_is_named_and_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let written = records();
    let all = bytes(&written);
    fs::write(merged(path), &all).unwrap();
    // Damaged in the middle: what stands before is used.
    let mut damaged = all.clone();
    let middle = all.len() / 2;
    damaged[middle..middle + 40].fill(0xee);
    fs::write(page(path, "a", 0), damaged).unwrap();
    // Of another version, of another machine, no ledger at all, and one that was just begun.
    let other = |change: fn(&mut Origin)| {
        let mut origin = Origin::here();
        change(&mut origin);
        bytes(&[(Record::Begin(origin), Vec::new())])
    };
    fs::write(page(path, "b", 0), other(|o| o.version = "9.9.9".into())).unwrap();
    fs::write(page(path, "c", 0), other(|o| o.machine = "12 bits".into())).unwrap();
    fs::write(page(path, "d", 0), "something else entirely").unwrap();
    fs::write(page(path, "e", 0), MAGIC).unwrap();
    fs::write(page(path, "f", 1), &all[..all.len() - 3]).unwrap();
    let read = |aside| Folder::read(path, Some("ours"), aside).unwrap();
    let before = read(false);
    let folder = read(true);
    assert_eq!(before.files.len(), folder.files.len());
    let says = |words: &str| {
        let all = folder.warnings.join("\n");
        assert!(all.contains(words), "{words}: {all}");
    };
    assert_eq!(folder.warnings.len(), 4, "{:?}", folder.warnings);
    says("is damaged: what was noted before the damage is used");
    says("was written by Tidemill 9.9.9");
    says("is of another machine (12 bits)");
    says("is not a file of a ledger");
    let counts: Vec<usize> = folder.files.iter().map(|f| f.frames.len()).collect();
    assert_eq!(counts.len(), 3);
    assert_eq!((counts[0], counts[2]), (written.len() - 1, written.len() - 2));
    assert!(counts[1] > 3 && counts[1] < written.len() - 3);
    // Once it is set aside nothing is left to be said of it.
    let again = read(true);
    assert!(again.warnings.is_empty(), "{:?}", again.warnings);
    assert_eq!(again.files.len(), 3);
    assert_eq!(Folder::read(path, Some("a"), true).unwrap().files.len(), 2);
}

#[test]
fn behind_a_cut_only_what_was_written_later_is_there() {
    let print = |n: u8| Print([n; 16]);
    let written = |stage: u8, tiles: &[(u8, u64)]| {
        let body = tiles
            .iter()
            .flat_map(|(tile, end)| entry(print(*tile), Piece { bytes: *end, sum: 3, tail: 0 }))
            .collect();
        (Record::Written { stage: print(stage) }, body)
    };
    let cut = |stage, bytes| (Record::Cut { stage: print(stage), bytes }, Vec::new());
    let tiles = |boot: Option<&str>| {
        let mut origin = Origin::here();
        origin.boot = boot.map_or(origin.boot, str::to_owned);
        let records = [
            (Record::Begin(origin), Vec::new()),
            written(1, &[(10, 5), (11, 9), (12, 14)]),
            written(2, &[(10, 7)]),
            (Record::Synced { records: 3 }, Vec::new()),
            cut(1, 9),
            written(1, &[(13, 9), (14, 13)]),
            cut(2, 6),
        ];
        let folder = tempfile::tempdir().unwrap();
        fs::write(merged(folder.path()), bytes(&records)).unwrap();
        let folder = Folder::read(folder.path(), None, false).unwrap();
        [1, 2].map(|stage| {
            let mut tiles = HashMap::new();
            folder.files.iter().for_each(|pages| add(pages, print(stage), &mut tiles));
            let mut tiles: Vec<_> =
                tiles.into_iter().map(|(key, piece)| (key.0[0], piece.bytes)).collect();
            tiles.sort();
            tiles
        })
    };
    assert_eq!(tiles(None), [vec![(10, 5), (11, 9), (13, 9), (14, 13)], vec![]]);
    // Of another start of the host only what was synced counts, and every cut.
    assert_eq!(tiles(Some("another")), [vec![(10, 5), (11, 9)], vec![]]);
}

#[test]
fn an_output_is_one_s_own_until_another_has_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("out"), folder.path().join("staged"));
    fs::write(&path, "first").unwrap();
    fs::write(&other, "second").unwrap();
    let (ours, theirs) = (Print([1; 16]), Print([2; 16]));
    let inode = |of: &Path| of.metadata().unwrap().ino();
    let naming = |formula, inode| {
        (Record::Naming { whole: ours, formula, path: path.clone(), inode }, Vec::new())
    };
    let output = |formula| {
        let print = output_print(&path).unwrap();
        let record =
            Record::Output { whole: ours, formula, path: path.clone(), print, files: 1, bytes: 5 };
        (record, Vec::new())
    };
    let made = |records: &[(Record, Vec<u8>)]| {
        let state = tempfile::tempdir().unwrap();
        let origin = [(Record::Begin(Origin::here()), Vec::new())];
        fs::write(merged(state.path()), bytes(&[&origin, records].concat())).unwrap();
        outputs::made(ours, &path, &Folder::read(state.path(), None, false).unwrap())
    };
    assert!(!made(&[]));
    assert!(made(&[output(ours)]));
    assert!(made(&[naming(ours, inode(&path))]));
    // A run that was killed before it gave its output the name.
    assert!(made(&[output(ours), naming(ours, inode(&other))]));
    assert!(made(&[naming(ours, inode(&path)), naming(ours, inode(&other))]));
    assert!(!made(&[naming(ours, inode(&other))]));
    assert!(!made(&[output(ours), output(theirs)]));
    let before = [output(ours), naming(ours, inode(&other))];
    fs::rename(&other, &path).unwrap();
    assert!(made(&before));
    assert!(!made(&before[..1]));
    fs::write(folder.path().join("foreign"), "third").unwrap();
    fs::rename(folder.path().join("foreign"), &path).unwrap();
    assert!(!made(&before));
}

/// The ledger of an output in a folder, as another one was when it was written.
fn ledger_of(folder: &Path, written_to: &Path, named: &[(&str, &str)]) -> PathBuf {
    let state = folder.join(".tidemill/out");
    fs::create_dir_all(&state).unwrap();
    let home = Home::open(&written_to.join(".tidemill/out")).unwrap().unwrap();
    let record = |(path, staged): &(&str, &str)| {
        let (path, staged, print) = (PathBuf::from(path), PathBuf::from(staged), Print::default());
        (Record::Staged { meaning: print, stage: print, path, staged, inode: 1 }, Vec::new())
    };
    let begin = (Record::Begin(Origin::of(home.identity())), Vec::new());
    let records: Vec<_> = [begin].into_iter().chain(named.iter().map(record)).collect();
    fs::write(merged(&state), bytes(&records)).unwrap();
    state
}

#[test]
fn what_is_still_staged_can_be_removed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at(".tidemill/out")).unwrap();
    fs::create_dir(at("sub")).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let other = elsewhere.path().join("c.partial-1");
    fs::write(&other, "x").unwrap();
    fs::create_dir(at("out.partial-1")).unwrap();
    fs::write(at("out.partial-1/data.nc"), "x").unwrap();
    fs::write(at("sub/b.csv.partial-1"), "x").unwrap();
    let c = elsewhere.path().join("c");
    let named = [
        ("out", "out.partial-1"),
        ("sub/b.csv", "b.csv.partial-1"),
        ("gone", "gone.partial-1"),
        (c.to_str().unwrap(), "c.partial-1"),
    ];
    let state = ledger_of(folder.path(), folder.path(), &named);
    let all = super::staged(&Folder::read(&state, None, false).unwrap(), &|_| true);
    assert_eq!(all.len(), 4);
    // In a copy that is staged which lies beside its own outputs.
    let copy = tempfile::tempdir().unwrap();
    let copied = ledger_of(copy.path(), folder.path(), &named);
    let there = super::staged(&Folder::read(&copied, None, false).unwrap(), &|_| true);
    assert_eq!(there.len(), 3);
    assert!(there.iter().all(|path| path.starts_with(copy.path())), "{there:?}");
    let removed = remove_staged(&all).unwrap().removed;
    assert_eq!(
        BTreeSet::from_iter(removed),
        BTreeSet::from([other, at("out.partial-1"), at("sub/b.csv.partial-1")])
    );
    assert!(at("sub").exists() && !at("out.partial-1").exists());
}

#[test]
fn a_ledger_names_nothing_but_what_is_staged_beside_outputs() {
    for (path, staged) in [
        ("out", "out"),
        ("out", "other.partial-1"),
        ("out", "out.partial-"),
        ("out", "out.partial-1/../../x"),
        ("out", "../out.partial-1"),
        ("out", "/out.partial-1"),
        ("../out", "out.partial-1"),
        ("sub/../../out", "out.partial-1"),
        ("", ".partial-1"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join(".tidemill/out")).unwrap();
        let state = ledger_of(
            folder.path(),
            folder.path(),
            &[("out", "out.partial-1"), (path, staged), ("b", "b.partial-1")],
        );
        let read = Folder::read(&state, None, true).unwrap();
        let all = super::staged(&read, &|_| true);
        assert_eq!(all.into_iter().collect::<Vec<_>>(), [folder.path().join("out.partial-1")]);
        let told = &read.warnings;
        assert!(told[0].contains("damaged"), "{path}, {staged}: {told:?}");
    }
}

#[test]
fn one_run_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let lock = Lock::take(&path).unwrap();
    assert!(Lock::is_held(&path));
    let message = Lock::take(&path).unwrap_err().message;
    assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
    drop(lock);
    assert!(!Lock::is_held(&path));
    // A process of a run that has lost its launcher is waited for.
    let share = Share::take(&path).unwrap();
    let _other = Share::take(&path).unwrap();
    let waits = std::thread::spawn(move || Lock::take(&path).map(drop));
    std::thread::sleep(std::time::Duration::from_millis(50));
    drop((share, _other));
    waits.join().unwrap().unwrap();
}
