//! Keys, states and results as bytes.
use super::shelf::{Shelf, Stored};
use crate::nodes::fold::States;
use arrow_array::builder::BinaryBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryArray};
use arrow_row::{RowConverter, SortField};
use arrow_schema::ArrowError;
use base::{Column, Failure, Field};
use plan::physical::Fold;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::sync::Arc;

/// A reduction, by its position, and a key of it.
pub type Key = (u32, Vec<u8>);

/// What a reduction holds of some rows of one key, or of several that are kept together; or results.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// In memory.
    Here(Vec<u8>),
    /// On disk.
    Shelved(Arc<Stored>),
}

/// The results of a key, or why they cannot be represented.
pub type Outcome = Result<State, String>;

impl State {
    /// The bytes.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn bytes(&self) -> Result<Cow<'_, [u8]>, Failure> {
        Ok(match self {
            State::Here(bytes) => Cow::Borrowed(bytes),
            State::Shelved(stored) => Cow::Owned(stored.read()?),
        })
    }

    /// Bytes of memory.
    pub fn held(&self) -> usize {
        match self {
            State::Here(bytes) => bytes.len(),
            State::Shelved(_) => size_of::<Stored>(),
        }
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.bytes().map_err(serde::ser::Error::custom)?.serialize(to)
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<State, D::Error> {
        Vec::deserialize(from).map(State::Here)
    }
}

/// Where a process has its states: in memory, or on a shelf.
#[derive(Clone)]
pub struct Shelving(pub Option<Arc<Shelf>>);

impl Shelving {
    /// A state of these bytes.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn state(&self, bytes: Vec<u8>) -> Result<State, Failure> {
        Ok(match &self.0 {
            None => State::Here(bytes),
            Some(shelf) => State::Shelved(shelf.put(&bytes)?),
        })
    }

    /// A state that may have come from another process, where those of this one are.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn home(&self, state: State) -> Result<State, Failure> {
        match state {
            State::Here(bytes) => self.state(bytes),
            shelved => Ok(shelved),
        }
    }
}

/// Rows of some columns as bytes and back; equal rows have equal bytes, NaNs by their bits.
pub struct Codec(Option<RowConverter>);

impl Codec {
    /// For columns of these types.
    ///
    /// # Errors
    /// Never, for the types that columns have.
    pub fn new(fields: &[Field]) -> Result<Codec, Failure> {
        if fields.is_empty() {
            return Ok(Codec(None));
        }
        let fields = fields.iter().map(|f| SortField::new(f.dtype.arrow())).collect();
        Ok(Codec(Some(RowConverter::new(fields).map_err(internal)?)))
    }

    /// So many rows.
    ///
    /// # Errors
    /// If the arrays are of other types.
    pub fn encode(&self, arrays: &[ArrayRef], rows: usize) -> Result<Vec<Vec<u8>>, Failure> {
        let Some(converter) = &self.0 else { return Ok(vec![Vec::new(); rows]) };
        let rows = converter.convert_columns(arrays).map_err(internal)?;
        Ok(rows.iter().map(|row| row.as_ref().to_vec()).collect())
    }

    /// The columns of rows.
    ///
    /// # Errors
    /// If the bytes are something else.
    pub fn decode<'a>(
        &self,
        rows: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Vec<ArrayRef>, Failure> {
        let Some(converter) = &self.0 else { return Ok(Vec::new()) };
        let parser = converter.parser();
        converter.convert_rows(rows.map(|row| parser.parse(row))).map_err(internal)
    }
}

/// The states of all groups, each as bytes.
///
/// # Errors
/// If a state is not of bytes.
pub fn pack(states: &States, groups: usize) -> Result<Vec<Vec<u8>>, Failure> {
    let columns = states.packed();
    let columns: Option<Vec<&BinaryArray>> = columns.iter().map(|c| c.as_binary_opt()).collect();
    let columns = columns.filter(|all| all.iter().all(|c| c.len() == groups)).ok_or_else(wrong)?;
    let row = |i: usize| {
        let mut bytes = Vec::with_capacity(columns.iter().map(|c| 4 + c.value(i).len()).sum());
        for column in &columns {
            bytes.extend((column.value(i).len() as u32).to_le_bytes());
            bytes.extend(column.value(i));
        }
        bytes
    };
    Ok((0..groups).map(row).collect())
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

/// Adds up states of rows.
pub struct Adder {
    states: States,
    groups: Vec<u32>,
    results: Codec,
    shelving: Shelving,
}

impl Adder {
    /// For a reduction whose results have these types.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub fn new(fold: &Fold, results: &[Field], shelving: Shelving) -> Result<Adder, Failure> {
        let states = States::of(fold)?;
        Ok(Adder { states, groups: Vec::new(), results: Codec::new(results)?, shelving })
    }

    /// Adds up states, each so many times.
    fn add(&mut self, parts: &[(&State, isize)]) -> Result<(), Failure> {
        let mut columns: Vec<BinaryBuilder> = Vec::new();
        let rows = parts.iter().map(|(_, n)| *n as usize).sum();
        for (state, n) in parts {
            let state = state.bytes()?;
            for _ in 0..*n {
                let (mut rest, mut column) = (&state[..], 0);
                while !rest.is_empty() {
                    let (length, tail) = rest.split_first_chunk::<4>().ok_or_else(wrong)?;
                    let length = u32::from_le_bytes(*length) as usize;
                    let (value, tail) = tail.split_at_checked(length).ok_or_else(wrong)?;
                    if columns.len() == column {
                        let bytes = rows * value.len();
                        columns.push(BinaryBuilder::with_capacity(rows, bytes));
                    }
                    columns[column].append_value(value);
                    (rest, column) = (tail, column + 1);
                }
            }
        }
        self.states.clear();
        self.states.resize(1);
        self.groups.clear();
        self.groups.resize(rows, 0);
        let column = |mut c: BinaryBuilder| Column::from(Arc::new(c.finish()) as ArrayRef);
        let columns: Vec<Column> = columns.into_iter().map(column).collect();
        self.states.merge(&columns, &self.groups)
    }

    /// The results of no rows.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub fn nothing(&mut self) -> Result<Outcome, Failure> {
        self.states.clear();
        self.states.resize(1);
        self.finish_sum()
    }

    fn finish_sum(&mut self) -> Result<Outcome, Failure> {
        match self.states.finish() {
            Ok(arrays) => {
                let row = self.results.encode(&arrays, 1)?.pop().ok_or_else(wrong)?;
                Ok(Ok(self.shelving.state(row)?))
            }
            Err(failure) => Ok(Err(failure.message)),
        }
    }
}

impl Add for Adder {
    fn sum(&mut self, parts: &[(&State, isize)]) -> Result<State, Failure> {
        self.add(parts)?;
        self.shelving.state(pack(&self.states, 1)?.pop().ok_or_else(wrong)?)
    }

    fn finish(&mut self, parts: &[(&State, isize)]) -> Result<Outcome, Failure> {
        self.add(parts)?;
        self.finish_sum()
    }
}

fn internal(error: ArrowError) -> Failure {
    Failure::internal(format!("rows as bytes: {error}"))
}

fn wrong() -> Failure {
    Failure::internal("the states of a reduction are not such")
}
