//! What files give to the groups of a fold by keys: records of all groups whose keys have hashes
//! that fall into one part.
use super::record::{Add, Outcome, Shelving, State};
use crate::hash;
use crate::nodes::fold::{Groups, keys};
use arrow_array::{ArrayRef, UInt32Array};
use arrow_select::take::take;
use base::{Failure, Tile};
use plan::physical::{Fold, FoldKind};

/// Parts in memory: so many that a file with few of the keys reaches few of the groups, and so few
/// that what is done for each part does not show.
const PARTS: u64 = 16;

/// What differential dataflow has of a record, about, beside what is on disk.
const RECORD: u64 = 2048;

/// Parts that the keys fall into, the same in all processes. On disk so many that the records of so
/// many files take a small part of these bytes, and one part is small.
pub fn count(on_disk: bool, bytes: u64, files: usize) -> u64 {
    match on_disk {
        true => (bytes / (files.max(1) as u64 * RECORD)).clamp(8, 256),
        false => PARTS,
    }
}

/// States of groups in so many parts, by the number of the part.
///
/// # Errors
/// If they are something else.
pub fn parts(
    fold: &Fold,
    states: &[Tile],
    count: u64,
) -> Result<Vec<(u64, Vec<ArrayRef>)>, Failure> {
    let columns: Vec<ArrayRef> = match states {
        [one] => one.columns.iter().map(|column| column.array.clone()).collect(),
        _ => {
            let mut groups = Groups::new(fold, by(fold))?;
            states.iter().try_for_each(|tile| groups.merge(tile).map(|_| ()))?;
            groups.take_states()?
        }
    };
    let length = columns.first().map_or(0, |column| column.len());
    let mut hashes = vec![0u64; length];
    for key in &columns[..keys(fold).min(columns.len())] {
        // Whatever the order of the keys.
        let own = hash::rows(std::slice::from_ref(key), length)?;
        hashes.iter_mut().zip(own).for_each(|(hash, own)| *hash = hash.wrapping_add(own));
    }
    let mut parts: Vec<Vec<u32>> = vec![Vec::new(); count as usize];
    for (row, hash) in (0..).zip(hashes) {
        parts[(hash::word(hash) % count) as usize].push(row);
    }
    let part = |(number, own): (u64, Vec<u32>)| {
        let own = UInt32Array::from(own);
        let some = columns.iter().map(|column| take(column, &own, None));
        let some = some.collect::<Result<_, _>>();
        Ok((number, some.map_err(|e| Failure::internal(format!("groups in parts: {e}")))?))
    };
    (0..).zip(parts).filter(|(_, own)| !own.is_empty()).map(part).collect()
}

/// Adds up parts of groups.
pub struct Adder {
    groups: Groups,
    shelving: Shelving,
}

impl Adder {
    /// For a fold by keys, whose states go where others do.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub fn new(fold: &Fold, shelving: Shelving) -> Result<Adder, Failure> {
        Ok(Adder { groups: Groups::new(fold, by(fold))?, shelving })
    }

    fn add(&mut self, parts: &[(&State, isize)]) -> Result<(), Failure> {
        // Nothing is left of a sum that failed.
        self.groups.empty();
        for (part, times) in parts {
            let tile = part.tile()?;
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
        self.shelving.state(self.groups.states())
    }

    fn finish(&mut self, parts: &[(&State, isize)]) -> Result<Outcome, Failure> {
        self.add(parts)?;
        match self.groups.results() {
            Ok(columns) => Ok(Ok(self.shelving.state(columns)?)),
            Err(failure) => Ok(Err(failure.message)),
        }
    }
}

fn by(fold: &Fold) -> &[usize] {
    if let FoldKind::By(keys) = &fold.kind { keys } else { &[] }
}
