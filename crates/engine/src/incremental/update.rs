//! Files come and go: what a ledger has of them, orders to the workers, new results.
use super::flow::results_home;
use super::groups::Groups;
use super::head::Cells;
use super::kept::Kept;
use super::piece::{Piece, PieceId, Refused};
use super::shared::{FilesOf, Order};
use super::side::{Aside, alike};
use crate::ledger::{Folder, noted};
use base::Failure;
use plan::Print;
use plan::physical::Physical;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

/// Files are read in portions that take about so long, so that no more than that is lost when the
/// process is killed.
const PORTION: Duration = Duration::from_millis(500);

/// What has become of files that were to be taken.
#[derive(Debug, Default)]
pub struct Updated {
    /// Those that could not be read.
    pub refused: Vec<Refused>,
    /// Tiles whose states a ledger had.
    pub recalled: u64,
    /// Tiles that were read.
    pub read: u64,
}

/// So many files are in the first portion.
const FIRST: usize = 16;

impl Kept {
    /// What makes the right sides of joins as `fresh` says it, a plan that follows the files and was
    /// just made; `None` if it is of another shape.
    pub fn aside(&self, fresh: &Physical) -> Option<Aside> {
        alike(&self.physical, fresh).then(|| Aside::of(fresh, &self.split.sides))
    }

    /// Takes the right sides of joins that a plan has made of these files. The readers whose files
    /// are to be taken anew since one of theirs is another one.
    ///
    /// # Errors
    /// If the workers have failed, or are to stop.
    pub fn take_sides(
        &mut self,
        made: Aside,
        files: &[(PieceId, Print)],
    ) -> Result<HashSet<usize>, Failure> {
        let mut sides = made.sides()?;
        sides.retain(|(node, bytes)| self.shared.side_print(*node) != Some(Print::of([bytes])));
        let changed: HashSet<usize> = sides.iter().map(|(node, _)| *node).collect();
        let mut beside = FilesOf::new();
        for (id, print) in files {
            beside.entry(id.read).or_default().push(*print);
        }
        if !sides.is_empty() || beside != self.shared.files_beside() {
            self.ask(Order::Sides(sides, beside))?;
        }
        let stale = self.split.heads.iter().filter(|h| h.sides.iter().any(|s| changed.contains(s)));
        Ok(stale.map(|head| head.read).collect())
    }

    /// Finds in a ledger what it has of files that are to be taken.
    pub fn recall(&mut self, folder: &Folder, come: &mut [Piece]) {
        let mut fresh = Groups::default();
        for (number, head) in self.split.heads.iter().enumerate() {
            let (mut keys, mut places) = (Vec::new(), Vec::new());
            let beside = self.shared.beside(head);
            for (at, piece) in come.iter().enumerate().filter(|(_, p)| p.id.read == head.read) {
                let Some(cuts) = self.cuts.get(&piece.id) else { continue };
                for tile in 0..piece.tiles {
                    keys.push(head.key(piece, &beside, cuts, tile));
                    places.push((at, tile as usize));
                }
            }
            // What each file has for itself is of no use together.
            let apart = matches!(head.cells, Some(Cells::Own(_)));
            let good = |of: &[usize]| !apart || of.iter().all(|n| places[*n].0 == places[of[0]].0);
            for mut states in noted(folder, head.meaning, &keys, &|_, of| good(of)) {
                let of: Vec<(usize, usize)> = states.of.iter().map(|n| places[*n]).collect();
                let Some((leader, _)) = of.first().copied() else { continue };
                // Of what is noted of several files together one of them has the states.
                let own =
                    |(at, tile): &(usize, usize)| if *at == leader { *tile } else { usize::MAX };
                states.of = of.iter().map(own).collect();
                come[leader].noted.push((number as u32, states));
                let others = of.iter().filter(|(at, _)| *at != leader);
                for (at, tile) in others.clone() {
                    come[*at].elsewhere.push((number as u32, *tile as u64));
                }
                let ids: HashSet<PieceId> = of.iter().map(|(at, _)| come[*at].id.clone()).collect();
                if ids.len() > 1 {
                    fresh.add(ids);
                }
            }
        }
        self.fresh = fresh;
    }

    /// Takes files, for the first time or anew, and lets go of others. Those that cannot be read,
    /// or for which `still` no longer holds when they have been read, stay as they were and come
    /// back.
    ///
    /// # Errors
    /// If the workers have failed, or are to stop.
    pub fn update(
        &mut self,
        come: Vec<Piece>,
        gone: Vec<PieceId>,
        still: &dyn Fn(&PieceId) -> bool,
    ) -> Result<Updated, Failure> {
        let mut updated = Updated::default();
        let mut good: Vec<Piece> = Vec::new();
        let (mut queue, mut portion) = (VecDeque::from(come), FIRST);
        loop {
            let mut again: HashSet<PieceId> = HashSet::new();
            while !queue.is_empty() {
                let some: Vec<Piece> = queue.drain(..portion.min(queue.len())).collect();
                let start = Instant::now();
                let mut refused: BTreeMap<PieceId, String> =
                    self.ask(Order::Make(some.clone()))?.refused.into_iter().collect();
                let before = good.len();
                for piece in some {
                    match refused.remove(&piece.id) {
                        // It may be the ledger that is bad.
                        Some(_) if !piece.noted.is_empty() => {
                            again.insert(piece.id.clone());
                            queue.push_back(piece.plain());
                        }
                        Some(why) => updated.refused.push((piece.id, why)),
                        None if still(&piece.id) => good.push(piece),
                        None => {
                            let why = format!("{} is changing", piece.id.path.display());
                            updated.refused.push((piece.id, why));
                        }
                    }
                }
                if !queue.is_empty() && self.shared.notes.is_some() {
                    let ids = good[before..].iter().map(|piece| piece.id.clone()).collect();
                    self.ask(Order::Note(ids))?;
                }
                if start.elapsed() < PORTION / 2 {
                    portion *= 2;
                }
            }
            // What is noted of files together counts for all of them or for none.
            again.extend(updated.refused.iter().map(|(id, _)| id.clone()));
            let broken = self.fresh.dissolve(&again);
            let broken =
                |piece: &mut Piece| broken.contains(&piece.id) && !again.contains(&piece.id);
            queue.extend(good.extract_if(.., broken).map(|piece| piece.plain()));
            if queue.is_empty() {
                break;
            }
        }
        for piece in &good {
            let read = self.left(piece);
            updated.read += read;
            updated.recalled += piece.tiles - read;
        }
        self.note_inputs(&good, &gone);
        let come: Vec<PieceId> = good.into_iter().map(|piece| piece.id).collect();
        self.groups.dissolve(&come.iter().chain(&gone).cloned().collect());
        self.groups.append(std::mem::take(&mut self.fresh));
        let answer = self.ask(Order::Settle(come, gone))?;
        // All that is lost before all that is gained: of each key one result is left.
        let (lost, gained): (Vec<_>, Vec<_>) =
            answer.changes.into_iter().partition(|(_, _, diff)| *diff < 0);
        for (key, _, _) in lost {
            self.results.remove(&key);
        }
        for (key, outcome, _) in gained {
            self.results.insert(key, results_home(&self.shared.shelving, outcome)?);
        }
        self.cuts.clear();
        Ok(updated)
    }

    /// The files that are to be taken anew when these are taken or go, since what a ledger has of
    /// them it has of all of them together.
    pub fn companions(&self, ids: &HashSet<PieceId>) -> HashSet<PieceId> {
        self.groups.with(ids)
    }

    /// How many tiles files have that are to be taken, and how many of them are to be read.
    pub fn tiles(&self, come: &[Piece]) -> (u64, u64) {
        let tiles = come.iter().map(|piece| piece.tiles).sum();
        (tiles, come.iter().map(|piece| self.left(piece)).sum())
    }

    /// How many tiles of a piece were to be read, for one reduction or more.
    fn left(&self, piece: &Piece) -> u64 {
        let mut open: HashSet<u64> = HashSet::new();
        for (at, _) in self.split.heads.iter().enumerate().filter(|(_, h)| h.read == piece.id.read)
        {
            let covered = piece.covered(at);
            open.extend((0..piece.tiles).filter(|tile| !covered.contains(tile)));
        }
        open.len() as u64
    }
}
