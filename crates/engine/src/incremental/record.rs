//! What is kept: keys, the states of a reduction, results.
use super::block::Block;
use super::shelf::{Shelf, Stored};
use crate::ledger::{pack, unpack};
use crate::nodes::fold::rows;
use arrow_array::ArrayRef;
use base::{Failure, Tile};
use plan::Print;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::sync::Arc;

/// Some groups of a reduction, or some of its cells: what differential dataflow takes for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The reduction, by its position.
    pub head: u32,
    /// Of cells that one file alone has, the file.
    pub file: Print,
    /// The part that the hashes of the groups' keys fall into, or the number of the block of cells.
    pub part: u64,
}

impl Key {
    /// Of all files.
    pub fn new(head: u32, part: u64) -> Key {
        Key { head, file: Print::default(), part }
    }
}

/// What a reduction holds of some rows, or its results: columns, a row for each group or cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// In memory.
    Here(Arc<Block>),
    /// On disk.
    Shelved(Arc<Stored>),
}

/// Results, or why they cannot be represented.
pub type Outcome = Result<State, String>;

impl State {
    /// The columns.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn tile(&self) -> Result<Cow<'_, Tile>, Failure> {
        match self {
            State::Here(block) => Ok(Cow::Borrowed(block.tile())),
            State::Shelved(stored) => {
                let wrong = || Failure::internal("what was put on disk is not a state");
                let tiles = unpack(&stored.read()?).ok_or_else(wrong)?;
                tiles.into_iter().next().map(Cow::Owned).ok_or_else(wrong)
            }
        }
    }

    /// Bytes of memory.
    pub fn held(&self) -> usize {
        match self {
            State::Here(block) => block.held(),
            State::Shelved(_) => size_of::<Stored>(),
        }
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let bytes = match self {
            State::Here(block) => pack(std::slice::from_ref(block.tile())),
            State::Shelved(stored) => stored.read(),
        };
        bytes.map_err(serde::ser::Error::custom)?.serialize(to)
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<State, D::Error> {
        let tile = unpack(&Vec::deserialize(from)?).and_then(|tiles| tiles.into_iter().next());
        let tile = tile.ok_or_else(|| serde::de::Error::custom("a state is none"))?;
        Ok(State::Here(Arc::new(Block::new(tile))))
    }
}

/// Where a process has its states: in memory, or on a shelf.
#[derive(Clone)]
pub struct Shelving(pub Option<Arc<Shelf>>);

impl Shelving {
    /// A state of these columns.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn state(&self, columns: Vec<ArrayRef>) -> Result<State, Failure> {
        self.home(State::Here(Arc::new(Block::new(rows(columns)))))
    }

    /// A state that may have come from another process, where those of this one are.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn home(&self, state: State) -> Result<State, Failure> {
        match (state, &self.0) {
            (State::Here(block), Some(shelf)) => {
                let bytes = pack(std::slice::from_ref(block.tile()))?;
                Ok(State::Shelved(shelf.put(&bytes)?))
            }
            (state, _) => Ok(state),
        }
    }
}

/// Adds states up, those of one key at a time.
pub trait Add {
    /// The sum of states, each so many times.
    ///
    /// # Errors
    /// If they are something else.
    fn sum(&mut self, parts: &[(&State, isize)]) -> Result<State, Failure>;

    /// The results of the sum of states.
    ///
    /// # Errors
    /// If they are something else.
    fn finish(&mut self, parts: &[(&State, isize)]) -> Result<Outcome, Failure>;
}
