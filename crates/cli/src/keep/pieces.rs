//! Which files are taken, which stay as they were, and which are gone.
use super::scan::{Scan, Stamp, stamps};
use base::DType;
use engine::incremental::{Kept, Looked, Piece, PieceId};
use formats::Guess;
use plan::physical::{Op, Physical};
use plan::{KnownFiles, Print};
use std::collections::BTreeMap;

/// A file whose rows count.
#[derive(Clone, Debug)]
pub struct Known {
    /// As it was when it was read.
    pub stamp: Stamp,
    /// The place of its first row.
    pub first: u64,
    /// Which right sides of joins its rows were joined with.
    version: u64,
    looked: Looked,
}

/// What is to be done about some files.
#[derive(Default)]
pub struct Work {
    /// To be read.
    pub come: Vec<Piece>,
    /// No longer there.
    pub gone: Vec<PieceId>,
    /// Files whose rows count afterwards.
    pub known: BTreeMap<PieceId, Known>,
    /// Cannot be taken, and why.
    pub bad: Vec<(PieceId, Stamp, String)>,
    /// Nothing can be done now: the rows of a file have moved that cannot be read.
    pub stuck: bool,
    /// Files that are as they were are among those to be read.
    pub moved: bool,
}

/// What is to be done now that these files are there; those that are `changing` stay as they
/// were. A file that was found to be bad is looked at again when it has been written again.
/// `versions` says for each reader which right sides of joins its rows are to be joined with.
pub fn work(
    kept: &mut Kept,
    known: &BTreeMap<PieceId, Known>,
    bad: &BTreeMap<PieceId, Stamp>,
    versions: &BTreeMap<usize, u64>,
    scan: &Scan,
    changing: &[PieceId],
) -> Work {
    let mut work = Work::default();
    let (mut first, mut reader) = (0, None);
    let mut list: Vec<(&PieceId, Known, bool, bool)> = Vec::new();
    for (id, stamp) in scan {
        if reader != Some(id.read) {
            (first, reader) = (0, Some(id.read));
        }
        let old = known.get(id);
        let version = versions.get(&id.read).copied().unwrap_or(0);
        let changed = old.is_none_or(|old| old.stamp != *stamp);
        let mut taken = None;
        if changed && !changing.contains(id) && bad.get(id) != Some(stamp) {
            match kept.look(id.read, &id.path) {
                Ok(looked) => taken = Some(Known { stamp: *stamp, first, version, looked }),
                Err(failure) => work.bad.push((id.clone(), *stamp, failure.message)),
            }
        }
        let new = taken.is_some();
        let Some(now) = taken.or(old.cloned()) else { continue };
        let moved = old.is_some_and(|old| old.first != first);
        let moved = moved && kept.split().placed.contains(&id.read);
        let moved = moved || old.is_some_and(|old| old.version != version);
        work.stuck |= moved && changed && !new;
        let rows = now.looked.points;
        list.push((id, Known { first, version, ..now }, new, moved));
        first += rows;
    }
    let there = stamps(scan);
    work.gone = known.keys().filter(|id| !there.contains_key(id)).cloned().collect();
    let taken = list.iter().filter(|(_, _, new, moved)| *new || *moved).map(|(id, ..)| *id);
    let loose = kept.companions(&taken.chain(&work.gone).cloned().collect());
    for (id, now, new, moved) in list {
        let again = !new && (moved || loose.contains(id));
        work.moved |= again || moved;
        work.stuck |= again && there.get(id) != Some(&now.stamp);
        if new || again {
            let (print, sizes, tiles) = (now.stamp, now.looked.sizes.clone(), now.looked.tiles);
            let (id, first, noted, elsewhere) = (id.clone(), now.first, Vec::new(), Vec::new());
            work.come.push(Piece { id, first, print, sizes, tiles, noted, elsewhere });
        }
        work.known.insert(id.clone(), now);
    }
    work
}

/// For each reader which columns may have missing values in some file: what a plan for these files
/// depends on.
pub fn missing(known: &BTreeMap<PieceId, Known>) -> BTreeMap<usize, Vec<bool>> {
    let mut all: BTreeMap<usize, Vec<bool>> = BTreeMap::new();
    for (id, known) in known {
        let some = all.entry(id.read).or_insert_with(|| vec![false; known.looked.missing.len()]);
        some.iter_mut().zip(&known.looked.missing).for_each(|(some, one)| *some |= one);
    }
    all
}

/// For each reader of files that do not say it the types that the values in all of them have.
pub fn types(known: &BTreeMap<PieceId, Known>) -> BTreeMap<usize, Vec<DType>> {
    let mut all: BTreeMap<usize, Vec<Guess>> = BTreeMap::new();
    for (id, known) in known {
        let Some(guesses) = &known.looked.guesses else { continue };
        let some = all.entry(id.read).or_insert_with(|| guesses.clone());
        some.iter_mut().zip(guesses).for_each(|(some, one)| some.join(one));
    }
    let types =
        |(read, guesses): (usize, Vec<Guess>)| (read, guesses.iter().map(Guess::dtype).collect());
    all.into_iter().map(types).collect()
}

/// The files, to make a plan of them as they were read, by what the readers of a plan ask of them.
pub fn files(known: &BTreeMap<PieceId, Known>, physical: &Physical) -> KnownFiles {
    let mut files = KnownFiles::default();
    for (id, known) in known {
        let node = physical.nodes.get(id.read).map(|node| &node.op);
        if let Some(Op::Read(read)) = node
            && let Some(reader) = &read.files
        {
            files.add(&reader.asked, id.path.clone(), known.looked.memo.clone());
        }
    }
    files
}

/// The boxes of all files of readers, and in what order they are: what they make together.
pub fn domains(known: &BTreeMap<PieceId, Known>) -> Vec<(PieceId, Print)> {
    known.iter().map(|(id, known)| (id.clone(), known.looked.domain)).collect()
}

impl Work {
    /// Whether there is something to do.
    pub fn is_some(&self) -> bool {
        !self.come.is_empty() || !self.gone.is_empty()
    }
}

/// Whether a reader is left without a file, which is an error in a run.
pub fn empty(known: &BTreeMap<PieceId, Known>, reads: &[usize]) -> bool {
    reads.iter().any(|read| !known.keys().any(|id| id.read == *read))
}

/// What has become of files, in words: `1 new, 2 changed, 1 gone`.
pub fn words(before: &BTreeMap<PieceId, Known>, now: &BTreeMap<PieceId, Known>) -> String {
    let (new, old): (Vec<_>, Vec<_>) = now.iter().partition(|(id, _)| !before.contains_key(id));
    let changed = old.iter().filter(|(id, now)| before[*id].stamp != now.stamp).count();
    let gone = before.len() - old.len();
    let counts = [(new.len(), "new"), (changed, "changed"), (gone, "gone")];
    let some = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}"));
    some.collect::<Vec<_>>().join(", ")
}
