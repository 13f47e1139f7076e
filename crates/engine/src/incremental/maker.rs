//! What a worker has of the files: the records of its tiles.
use super::flow::Record;
use super::head::Head;
use super::memory::weight;
use super::notes::Slot;
use super::partials::Partials;
use super::piece::{Piece, PieceId, Refused};
use super::reader::Reader;
use super::shared::Shared;
use crate::ledger;
use crate::panics::catch;
use base::{Failure, Tile, Tiling};
use plan::tiling;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What a worker has of the files.
pub struct Maker {
    shared: Arc<Shared>,
    /// By their nodes.
    readers: HashMap<usize, Reader>,
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

/// What was read of a piece: by the numbers of reductions the tiles, and their states.
#[derive(Default)]
struct FromFile {
    states: BTreeMap<usize, (Vec<u64>, Vec<Tile>)>,
    /// How the file is cut, if as it was when it was looked at.
    cuts: Option<Tiling>,
}

impl Maker {
    /// For the worker of this number of so many.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub fn new(shared: &Arc<Shared>, index: u64, workers: u64) -> Result<Maker, Failure> {
        let (heads, shared) = (shared.heads.iter(), shared.clone());
        let reader = |head: &Arc<Head>| Ok((head.read, Reader::new(&shared, head.read)?));
        let readers = heads.clone().map(reader).collect::<Result<_, Failure>>()?;
        let partials = heads.zip(0..).map(|(head, n)| Partials::new(&shared, head, n)).collect();
        let (held, made) = (HashMap::new(), HashMap::new());
        Ok(Maker { shared, readers, partials, index, workers, held, made })
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
                Err(failure) => refused.push((piece.id, failure.to_string())),
            }
            if let Some(failure) = self.shared.memory.exceeded() {
                self.shared.watch.fail(failure);
            }
        }
        refused
    }

    fn of_piece(&mut self, piece: &Piece) -> Result<Made, Failure> {
        let bucket = piece.id.number() as u32;
        let shared = self.shared.clone();
        let heads = shared.heads.iter().enumerate();
        let heads: Vec<(usize, &Arc<Head>)> =
            heads.filter(|(_, head)| head.read == piece.id.read).collect();
        let mut read = self.read(piece, &heads)?;
        let mut made = Made::default();
        for (at, head) in heads {
            let mut states = Vec::new();
            let noted = piece.noted.iter().filter(|(of, _)| *of as usize == at);
            for (_, noted) in noted.skip(self.first(piece)).step_by(self.workers as usize) {
                states.extend(noted.tiles()?);
            }
            if let Some((tiles, some)) = read.states.remove(&at) {
                if let (Some(cuts), true) = (&read.cuts, shared.notes.is_some()) {
                    let beside = shared.beside(head);
                    let key = |tile: &u64| head.key(piece, &beside, cuts, *tile).0;
                    let mut body: Vec<u8> = tiles.iter().flat_map(key).collect();
                    body.extend(ledger::pack(&some)?);
                    let (meaning, tiles) = (head.meaning, tiles.len() as u64);
                    made.notes.push((ledger::Record::Partial { meaning, tiles }, body));
                }
                states.extend(some);
            }
            let records = self.partials[at].records(piece, &states)?.into_iter();
            made.records.extend(records.map(|(key, state)| (key, (bucket, state))));
        }
        Ok(made)
    }

    /// The number of the first tile of a piece that this worker takes: they are dealt out from
    /// another worker on for each file, since most files have one or two.
    fn first(&self, piece: &Piece) -> usize {
        let first = self.index + self.workers - piece.id.number() % self.workers;
        (first % self.workers) as usize
    }

    /// Reads this worker's tiles of a piece, each once, for those reductions of whose states nothing
    /// is noted.
    fn read(&mut self, piece: &Piece, heads: &[(usize, &Arc<Head>)]) -> Result<FromFile, Failure> {
        let mut read = FromFile::default();
        for (at, _) in heads {
            let covered = piece.covered(*at);
            let mine = (self.first(piece) as u64..piece.tiles).step_by(self.workers as usize);
            let mine: Vec<u64> = mine.filter(|tile| !covered.contains(tile)).collect();
            if !mine.is_empty() {
                read.states.insert(*at, (mine, Vec::new()));
            }
        }
        if read.states.is_empty() {
            return Ok(read);
        }
        let source = self.shared.source(&piece.id)?;
        let cuts = tiling::of_file(&*source);
        let lost = || Failure::internal("a file without a reader");
        let reader = self.readers.get_mut(&piece.id.read).ok_or_else(lost)?;
        for at in read.states.keys() {
            self.partials[*at].begin(&cuts)?;
        }
        let tiles: BTreeSet<u64> =
            read.states.values().flat_map(|(tiles, _)| tiles).copied().collect();
        for number in tiles.into_iter().filter(|number| *number < cuts.count()) {
            let tile = reader.tile(&*source, &cuts, piece.first, number)?;
            for (at, (mine, _)) in &read.states {
                if mine.binary_search(&number).is_ok() {
                    self.partials[*at].take(tile.clone())?;
                }
            }
        }
        for (at, (_, states)) in &mut read.states {
            *states = self.partials[*at].end()?;
        }
        // Else it is changing, and will not count.
        read.cuts = Some(cuts).filter(|cuts| cuts.count() == piece.tiles);
        Ok(read)
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
