//! What all workers of a process share, and what they are told.
use super::above::Above;
use super::cells;
use super::head::Head;
use super::kept::Scale;
use super::memory::Memory;
use super::notes::{Ledger, Notes};
use super::parts;
use super::piece::{self, Piece, PieceId};
use super::record::{Add, Shelving};
use super::shelf::Shelf;
use super::side::Side;
use super::split::Split;
use crate::nodes::fold::keys;
use crate::options::Options;
use crate::spill::Folder;
use crate::watch::{Watch, lock};
use base::Failure;
use formats::TileSource;
use plan::Print;
use plan::physical::{Physical, feeding};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

/// Files that are open at a time, at most, beside those that are being read.
const OPEN: usize = 32;

/// Bytes that records on disk may take of memory, whatever is left of it.
const LEAST: u64 = 8 << 20;

/// What all workers are told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Order {
    /// The right sides of joins, by the nodes that make them, as bytes; and the files of each reader
    /// that they are made of, as they were.
    Sides(Vec<(usize, Vec<u8>)>, FilesOf),
    /// Make the records of these.
    Make(Vec<Piece>),
    /// Note the states of these, as they were made: the files have stayed as they were.
    Note(Vec<PieceId>),
    /// From now on those of the first count, as they were made, and those of the second do not.
    Settle(Vec<PieceId>, Vec<PieceId>),
}

/// By what the files of readers are known.
pub type FilesOf = BTreeMap<usize, Vec<Print>>;

/// What all workers of a process share.
pub struct Shared {
    pub physical: Arc<Physical>,
    pub heads: Vec<Arc<Head>>,
    pub aboves: Vec<Arc<Above>>,
    /// Where each reduction ends, and whether its results are needed outside.
    pub(super) ends: Vec<usize>,
    pub(super) needed: Vec<bool>,
    pub watch: Arc<Watch>,
    /// The right sides of joins below the reductions, by the nodes that make them.
    sides: Mutex<HashMap<usize, Arc<Side>>>,
    /// The files that they are made of.
    pub(super) beside: Mutex<FilesOf>,
    /// So often a right side is in memory: once as it came, and in each worker as it came and by key.
    copies: u64,
    /// Files that are open.
    pub sources: Mutex<HashMap<PieceId, Arc<dyn TileSource>>>,
    /// Into how many states those of all files are added up first, and then, before all are one.
    pub buckets: Vec<u32>,
    /// Where states are noted, if they are.
    pub notes: Option<Notes>,
    /// What the records of this process take, and how much they may.
    pub memory: Memory,
    /// Where its states are.
    pub shelving: Shelving,
    /// Keys are kept in so many parts.
    pub parts: u64,
}

impl Shared {
    /// For a plan.
    ///
    /// # Errors
    /// If nothing can be noted in the ledger, or put on a shelf.
    pub fn new(
        physical: &Arc<Physical>,
        split: Split,
        scale: Scale,
        options: &Options,
        ledger: Option<&Ledger>,
        watch: &Arc<Watch>,
    ) -> Result<Shared, Failure> {
        let Scale { files, on_disk } = scale;
        // What stands in memory for what is on disk is little, and needs some room at least.
        let most = if on_disk { options.state.max(LEAST) } else { options.state };
        let shelf = on_disk.then(|| Shelf::new(&Folder::new(&options.spill))).transpose()?;
        Ok(Shared {
            physical: physical.clone(),
            ends: split.ends(),
            needed: split.needed,
            heads: split.heads.into_iter().map(Arc::new).collect(),
            aboves: split.aboves.into_iter().map(Arc::new).collect(),
            watch: watch.clone(),
            sides: Mutex::default(),
            beside: Mutex::default(),
            copies: 1 + 2 * options.threads as u64,
            sources: Mutex::default(),
            buckets: buckets(files),
            notes: ledger.map(Notes::begin).transpose()?,
            memory: Memory::new(most),
            shelving: Shelving(shelf),
            parts: parts::count(on_disk, most, files),
        })
    }

    /// Takes the right side of a join; every worker is told of it.
    pub fn take_side(&self, node: usize, bytes: &[u8]) -> Result<(), Failure> {
        let mut sides = lock(&self.sides);
        let print = Print::of([bytes]);
        if sides.get(&node).is_some_and(|side| side.print == print) {
            return Ok(());
        }
        let side = Side::of(bytes)?;
        self.memory.take(side.bytes * self.copies);
        if let Some(old) = sides.insert(node, Arc::new(side)) {
            self.memory.give_back(old.bytes * self.copies);
        }
        Ok(())
    }

    /// By what the right side that a node makes is known, if there is one yet.
    pub fn side_print(&self, node: usize) -> Option<Print> {
        lock(&self.sides).get(&node).map(|side| side.print)
    }

    /// The right side of a join.
    pub fn side_of(&self, join: usize) -> Result<Arc<Side>, Failure> {
        let lost = || Failure::internal("a join has no right side");
        let nodes = &self.physical.nodes;
        let right = nodes[join].inputs.get(1).and_then(|at| nodes[*at].inputs.first());
        lock(&self.sides).get(right.ok_or_else(lost)?).cloned().ok_or_else(lost)
    }

    /// The files of what rows are joined with below a reduction.
    pub fn beside(&self, head: &Head) -> Vec<Print> {
        let files = lock(&self.beside);
        let readers = feeding(&self.physical.nodes, &head.sides);
        readers.iter().filter_map(|read| files.get(read)).flatten().copied().collect()
    }

    /// The files of all that rows are joined with.
    pub fn files_beside(&self) -> FilesOf {
        lock(&self.beside).clone()
    }

    /// The open file of a piece.
    pub fn source(&self, id: &PieceId) -> Result<Arc<dyn TileSource>, Failure> {
        if let Some(source) = lock(&self.sources).get(id) {
            return Ok(source.clone());
        }
        let source = piece::open(&self.physical, id.read, &id.path)?;
        self.keep_open(id, &source);
        Ok(source)
    }

    /// Keeps a file open for the workers, unless there are many.
    pub fn keep_open(&self, id: &PieceId, source: &Arc<dyn TileSource>) {
        let mut sources = lock(&self.sources);
        if sources.len() < OPEN {
            sources.insert(id.clone(), source.clone());
        }
    }

    /// Lets go of all open files.
    pub fn close(&self) {
        lock(&self.sources).clear();
    }

    /// What adds up the states of each reduction.
    pub fn adders(&self) -> Result<Vec<Box<dyn Add>>, Failure> {
        let heads = self.heads.iter().map(|head| &head.fold);
        let folds = heads.chain(self.aboves.iter().map(|above| &above.fold));
        let adder = |fold| -> Result<Box<dyn Add>, Failure> {
            let shelving = self.shelving.clone();
            Ok(match keys(fold) {
                0 => Box::new(cells::Adder::new(fold, shelving)?),
                _ => Box::new(parts::Adder::new(fold, shelving)?),
            })
        };
        folds.map(adder).collect()
    }
}

/// From how many files on their states are added up in three steps and not in two.
const MANY: usize = 64;

/// The steps in which the states of so many files are added up, so that each adds up about as many:
/// those are what a change of one file costs.
fn buckets(files: usize) -> Vec<u32> {
    let root = |n: f64| (files as f64).powf(1.0 / n).ceil().max(1.0) as u32;
    if files > MANY { vec![root(3.0).pow(2), root(3.0)] } else { vec![root(2.0)] }
}
