//! A fold of everything, into one row.
use super::held::Held;
use super::states::States;
use crate::nodes::apply::Apply;
use crate::nodes::{Out, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::spill::{Budget, size};
use crate::watch::Watch;
use arrow_array::ArrayRef;
use base::{Failure, Tile};
use expr::Groups;
use plan::physical::Fold;
use std::sync::Arc;

/// Folds this worker's tiles into one row of states.
pub struct Partial {
    apply: Apply,
    states: States,
    held: Held,
}

impl Partial {
    pub fn new(fold: &Fold, budget: &Arc<Budget>, watch: &Arc<Watch>) -> Result<Partial, Failure> {
        let mut states = States::new(fold)?;
        states.resize(1);
        Ok(Partial { apply: Apply::new(&fold.apply, watch), states, held: Held::new(fold, budget) })
    }
}

impl Stage for Partial {
    fn tile(&mut self, _input: usize, parcel: Parcel, _out: Out) -> Result<(), Failure> {
        let states = &mut self.states;
        self.apply.blocks(&parcel.tile, &mut |block| {
            states.update(block, Groups::One(0));
            Ok(())
        })?;
        self.held.came(size(&parcel.tile), || self.states.bytes() as u64)
    }

    fn held(&self) -> u64 {
        self.states.bytes() as u64
    }

    fn finish(&mut self, out: Out) -> Result<(), Failure> {
        out(row(self.states.states()));
        self.states.clear();
        self.states.resize(1);
        Ok(())
    }
}

/// Merges the rows of all workers, on worker 0.
pub struct Final {
    states: States,
    place: Place,
    held: Held,
}

impl Final {
    pub fn new(fold: &Fold, place: Place, budget: &Arc<Budget>) -> Result<Final, Failure> {
        let mut states = States::new(fold)?;
        states.resize(1);
        Ok(Final { states, place, held: Held::new(fold, budget) })
    }
}

impl Stage for Final {
    fn tile(&mut self, _input: usize, parcel: Parcel, _out: Out) -> Result<(), Failure> {
        self.states.merge(&parcel.tile.columns, &[0])?;
        self.held.came(size(&parcel.tile), || self.states.bytes() as u64)
    }

    fn finish(&mut self, out: Out) -> Result<(), Failure> {
        if self.place.worker == 0 {
            out(row(self.states.finish()?));
        }
        Ok(())
    }
}

fn row(columns: Vec<ArrayRef>) -> Item {
    let columns = columns.into_iter().map(Into::into).collect();
    let tile = Tile { number: 0, origin: vec![0], shape: vec![1], columns, index: None };
    Item::Tile(Parcel::free(tile))
}
