//! Groups on disk: what files give to many keys, in records of those whose hashes fall into one
//! part.
use super::record::{Add, Outcome, Shelving, State};
use crate::hash;
use crate::ledger::{pack, unpack};
use crate::nodes::fold::{Groups, keys, rows};
use arrow_array::UInt32Array;
use arrow_select::take::take;
use base::{Column, Failure, Tile};
use plan::physical::{Fold, FoldKind};

/// What differential dataflow has of a record, about, beside what is on disk.
const RECORD: u64 = 2048;

/// Parts that the keys fall into: so many that the records of so many files take a small part of
/// these bytes, and one part is small. The same in all processes.
pub fn count(bytes: u64, files: usize) -> u64 {
    (bytes / (files.max(1) as u64 * RECORD)).clamp(8, 256)
}

/// States of groups in so many parts, each as bytes, by its number.
///
/// # Errors
/// If they are something else.
pub fn parts(fold: &Fold, states: &[Tile], count: u64) -> Result<Vec<(u64, Vec<u8>)>, Failure> {
    let mut groups = Groups::new(fold, by(fold))?;
    for tile in states {
        groups.merge(tile)?;
    }
    let length = groups.len();
    let columns = groups.take_states()?;
    let mut parts: Vec<Vec<u32>> = vec![Vec::new(); count as usize];
    for (row, hash) in (0..).zip(hash::rows(&columns[..keys(fold).min(columns.len())], length)?) {
        parts[(hash % count) as usize].push(row);
    }
    let part = |(number, own): (u64, Vec<u32>)| {
        let own = UInt32Array::from(own);
        let some = columns.iter().map(|column| take(column, &own, None));
        let some = some.collect::<Result<_, _>>();
        let some = some.map_err(|e| Failure::internal(format!("groups in parts: {e}")))?;
        Ok((number, pack(&[rows(some)])?))
    };
    (0..).zip(parts).filter(|(_, own)| !own.is_empty()).map(part).collect()
}

/// Keys and results of a part.
///
/// # Errors
/// If the bytes are something else.
pub fn columns(bytes: &[u8]) -> Result<Vec<Column>, Failure> {
    Ok(one(bytes)?.columns)
}

/// Adds up parts of groups.
pub struct Adder {
    fold: Fold,
    groups: Groups,
    shelving: Shelving,
}

impl Adder {
    /// For a fold by keys, whose states go where others do.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub fn new(fold: &Fold, shelving: Shelving) -> Result<Adder, Failure> {
        Ok(Adder { fold: fold.clone(), groups: Groups::new(fold, by(fold))?, shelving })
    }

    fn add(&mut self, parts: &[(&State, isize)]) -> Result<(), Failure> {
        // Nothing is left of a sum that failed.
        self.groups = Groups::new(&self.fold, by(&self.fold))?;
        for (part, times) in parts {
            let tile = one(&part.bytes()?)?;
            for _ in 0..*times {
                self.groups.merge(&tile)?;
            }
        }
        Ok(())
    }
}

impl Add for Adder {
    fn sum(&mut self, parts: &[(&State, isize)]) -> Result<State, Failure> {
        self.add(parts)?;
        let columns = self.groups.take_states()?;
        self.shelving.state(pack(&[rows(columns)])?)
    }

    fn finish(&mut self, parts: &[(&State, isize)]) -> Result<Outcome, Failure> {
        self.add(parts)?;
        match self.groups.take_results() {
            Ok(columns) => Ok(Ok(self.shelving.state(pack(&[rows(columns)])?)?)),
            Err(failure) => Ok(Err(failure.message)),
        }
    }
}

fn by(fold: &Fold) -> &[usize] {
    if let FoldKind::By(keys) = &fold.kind { keys } else { &[] }
}

fn one(bytes: &[u8]) -> Result<Tile, Failure> {
    let wrong = || Failure::internal("a part of groups is none");
    unpack(bytes).and_then(|mut tiles| tiles.pop()).ok_or_else(wrong)
}
