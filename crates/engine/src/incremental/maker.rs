//! What a worker has of the files: the records of its tiles.
use super::flow::{Record, Shared};
use super::head::Head;
use super::memory::weight;
use super::notes::Slot;
use super::partials::Partials;
use super::piece::{Piece, PieceId, Refused};
use crate::ledger;
use crate::panics::catch;
use base::Failure;
use plan::tiling;
use std::collections::HashMap;
use std::sync::Arc;

/// What a worker has of the files.
pub struct Maker {
    shared: Arc<Shared>,
    partials: Vec<Partials>,
    index: u64,
    workers: u64,
    /// Those that count.
    held: HashMap<PieceId, Vec<Record>>,
    /// Those that do not count yet.
    made: HashMap<PieceId, Made>,
}

/// What was made of a file, and what is to be noted of it: of records of the ledger nothing is.
#[derive(Default)]
struct Made {
    records: Vec<Record>,
    notes: Vec<(ledger::Record, Vec<u8>)>,
}

impl Maker {
    /// For the worker of this number of so many.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub fn new(shared: &Arc<Shared>, index: u64, workers: u64) -> Result<Maker, Failure> {
        let partials =
            |(number, head): (usize, &Arc<Head>)| Partials::new(shared, head, number as u32);
        let partials = shared.heads.iter().enumerate().map(partials).collect::<Result<_, _>>()?;
        let (held, made) = (HashMap::new(), HashMap::new());
        Ok(Maker { shared: shared.clone(), partials, index, workers, held, made })
    }

    /// What all workers of the process share.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Makes the records of this worker's tiles of some files; those that cannot be read.
    pub fn make(&mut self, pieces: Vec<Piece>) -> Vec<Refused> {
        let mut refused = Vec::new();
        for piece in pieces {
            if self.shared.watch.failed() {
                break;
            }
            match catch(|| self.of_piece(&piece)) {
                Ok(made) => {
                    self.shared.memory.take(weight(&made.records));
                    if let Some(before) = self.made.insert(piece.id, made) {
                        self.shared.memory.give_back(weight(&before.records));
                    }
                }
                Err(failure) => refused.push((piece.id, failure.message)),
            }
            if let Some(failure) = self.shared.memory.exceeded() {
                self.shared.watch.fail(failure);
            }
        }
        refused
    }

    fn of_piece(&mut self, piece: &Piece) -> Result<Made, Failure> {
        let number = piece.id.number();
        let bucket = (number % u64::from(self.shared.buckets)) as u32;
        // Tiles are dealt out from another worker on for each file: most files have one or two.
        let first = (self.index + self.workers - number % self.workers) % self.workers;
        let mut made = Made::default();
        for (at, head) in self.shared.heads.iter().enumerate() {
            if head.read != piece.id.read {
                continue;
            }
            let partials = &mut self.partials[at];
            let mut states = Vec::new();
            let noted = piece.noted.iter().filter(|(of, _)| *of as usize == at);
            for (_, noted) in noted.skip(first as usize).step_by(self.workers as usize) {
                states.extend(noted.tiles()?);
            }
            let covered = piece.covered(at);
            let mine = (first..piece.tiles).step_by(self.workers as usize);
            let mine: Vec<u64> = mine.filter(|tile| !covered.contains(tile)).collect();
            if !mine.is_empty() {
                let source = self.shared.source(&piece.id)?;
                let cuts = tiling::of_file(&*source);
                let some = partials.states(&*source, &cuts, piece.first, &mine)?;
                // Else it is changing, and will not count.
                let same = cuts.count() == piece.tiles;
                if self.shared.notes.is_some() && same {
                    let mut body: Vec<u8> =
                        mine.iter().flat_map(|tile| head.key(piece, &cuts, *tile).0).collect();
                    body.extend(ledger::pack(&some)?);
                    let (meaning, tiles) = (self.shared.meaning(head)?, mine.len() as u64);
                    made.notes.push((ledger::Record::Partial { meaning, tiles }, body));
                }
                states.extend(some);
            }
            let records = partials.records(piece, &states)?.into_iter();
            made.records.extend(records.map(|(key, state)| (key, (bucket, state))));
        }
        Ok(made)
    }

    /// Notes the states of files that have been made.
    pub fn note(&mut self, ids: &[PieceId]) {
        let Some(notes) = &self.shared.notes else { return };
        for id in ids {
            let records = self.made.get_mut(id).map(|made| std::mem::take(&mut made.notes));
            let records = records.unwrap_or_default();
            if !records.is_empty() {
                notes.put(Slot::Piece(id.clone(), self.index), &records);
            }
        }
    }

    /// What counts more and what counts less when some files have come and some have gone.
    pub fn settle(
        &mut self,
        come: &[PieceId],
        gone: &[PieceId],
    ) -> impl Iterator<Item = (Record, isize)> + use<> {
        self.shared.close();
        self.note(come);
        let mut updates = Vec::new();
        let mut lost = 0;
        for id in gone {
            if let Some(notes) = &self.shared.notes {
                notes.put(Slot::Piece(id.clone(), self.index), &[]);
            }
            let old = self.held.remove(id).unwrap_or_default();
            lost += weight(&old);
            updates.extend(old.into_iter().map(|record| (record, -1)));
        }
        for id in come {
            let new = self.made.remove(id).unwrap_or_default().records;
            updates.extend(new.iter().map(|record| (record.clone(), 1)));
            if let Some(old) = self.held.insert(id.clone(), new) {
                lost += weight(&old);
                updates.extend(old.into_iter().map(|record| (record, -1)));
            }
        }
        lost += self.made.drain().map(|(_, made)| weight(&made.records)).sum::<u64>();
        self.shared.memory.give_back(lost);
        updates.into_iter()
    }
}
