//! A fold of rows with equal keys.
use super::give_rows;
use super::states::States;
use crate::keys::{Keys, Scratch};
use crate::nodes::apply::Apply;
use crate::nodes::{Out, Stage};
use crate::options::Place;
use crate::parcel::Parcel;
use arrow_array::ArrayRef;
use base::{DType, Failure};
use expr::Groups;
use plan::physical::Fold;

/// A `Partial` gives what it has on when it holds more groups than this, to bound its memory.
const MOST_GROUPS: usize = 1 << 20;

/// Folds this worker's tiles into a row of keys and states for each group.
pub struct Partial {
    apply: Apply,
    columns: Vec<usize>,
    keys: Keys,
    states: States,
    groups: Vec<u32>,
    given: u64,
}

impl Partial {
    pub fn new(fold: &Fold, columns: &[usize]) -> Result<Partial, Failure> {
        Ok(Partial {
            apply: Apply::new(&fold.apply),
            columns: columns.to_vec(),
            keys: Keys::new(&types(fold, columns)?),
            states: States::shared(fold)?,
            groups: Vec::new(),
            given: 0,
        })
    }

    fn flush(&mut self, out: Out) {
        let mut columns = self.keys.arrays();
        columns.extend(self.states.states());
        give_rows(&columns, |k| self.given + k, out);
        self.given += 1 << 32;
        self.keys.clear();
        self.states.clear();
    }
}

impl Stage for Partial {
    fn tile(&mut self, _input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        let Partial { apply, columns, keys, states, groups, .. } = self;
        apply.blocks(&parcel.tile, &mut |block| {
            let values: Vec<_> =
                columns.iter().map(|c| (block.values(*c), block.validity(*c))).collect();
            keys.groups(&values, block.len, groups);
            states.resize(keys.len());
            states.update(block, Groups::Each(groups));
            Ok(())
        })?;
        if self.keys.len() > MOST_GROUPS {
            self.flush(out);
        }
        Ok(())
    }

    fn finish(&mut self, out: Out) -> Result<(), Failure> {
        self.flush(out);
        Ok(())
    }
}

/// Merges the groups whose keys belong to this worker.
pub struct Final {
    keys: Keys,
    columns: usize,
    states: States,
    groups: Vec<u32>,
    place: Place,
}

impl Final {
    pub fn new(fold: &Fold, columns: &[usize], place: Place) -> Result<Final, Failure> {
        let keys = Keys::new(&types(fold, columns)?);
        let states = States::shared(fold)?;
        Ok(Final { keys, columns: columns.len(), states, groups: Vec::new(), place })
    }
}

impl Stage for Final {
    fn tile(&mut self, _input: usize, parcel: Parcel, _out: Out) -> Result<(), Failure> {
        let (keys, states) = (parcel.tile.columns.split_at_checked(self.columns))
            .ok_or_else(|| Failure::internal("a tile of groups lacks its keys"))?;
        let mut scratch: Vec<Scratch> = keys.iter().map(|_| Scratch::default()).collect();
        let views = keys.iter().zip(&mut scratch).map(|(c, s)| s.view(&c.array));
        let views = views.collect::<Result<Vec<_>, _>>()?;
        self.keys.groups(&views, parcel.tile.points(), &mut self.groups);
        self.states.resize(self.keys.len());
        self.states.merge(states, &self.groups)
    }

    fn finish(&mut self, out: Out) -> Result<(), Failure> {
        let mut columns: Vec<ArrayRef> = self.keys.arrays();
        columns.extend(self.states.finish()?);
        let (worker, workers) = (self.place.worker as u64, self.place.workers as u64);
        give_rows(&columns, |k| worker + k * workers, out);
        Ok(())
    }
}

fn types(fold: &Fold, columns: &[usize]) -> Result<Vec<DType>, Failure> {
    let fields = &fold.apply.program.output().fields;
    let dtype = |c: &usize| fields.get(*c).map(|f| f.dtype);
    let types: Option<Vec<DType>> = columns.iter().map(dtype).collect();
    types.ok_or_else(|| Failure::internal("a fold has no such key"))
}
