//! An accumulator of many groups from the fold of one.
use super::rows::{Rows, split};
use super::{Accumulator, Reduction};
use crate::exact::Bytes;
use crate::{Groups, Indices, Validity, Values};
use arrow_array::builder::BinaryBuilder;
use arrow_array::{Array, ArrayRef, BinaryArray};
use base::Failure;
use std::sync::Arc;

/// How one group's state takes values, and what comes out in the end.
pub(super) trait Fold: Send + 'static {
    /// The state of one group; the default one is empty.
    type State: Default + Send;

    /// Adds a block of rows to the states of their groups: the values of the first column; those
    /// of others are among the rows.
    fn update(&self, states: &mut [Self::State], values: Option<Values>, rows: Rows);

    /// Appends the bytes of a state.
    fn write(&self, state: &Self::State, out: &mut Vec<u8>);

    /// Adds a state whose bytes [`Fold::write`] made; `None` if they are not such.
    fn merge(&self, state: &mut Self::State, bytes: &mut Bytes) -> Option<()>;

    /// The results, one for each state.
    fn finish(&self, states: &mut [Self::State]) -> Result<ArrayRef, Failure>;

    /// Bytes of memory that a state holds outside of itself.
    fn heap(&self, _state: &Self::State) -> usize {
        0
    }
}

/// The states of all groups.
pub(super) struct PerGroup<F: Fold> {
    entry: &'static dyn Reduction,
    fold: F,
    states: Vec<F::State>,
}

impl<F: Fold> PerGroup<F> {
    /// No groups yet.
    pub fn boxed(entry: &'static dyn Reduction, fold: F) -> Box<dyn Accumulator> {
        Box::new(PerGroup { entry, fold, states: Vec::new() })
    }

    fn malformed(&self) -> Failure {
        let name = self.entry.name();
        Failure::internal(format!("a partial result of `{name}` is not one"))
    }
}

impl<F: Fold> Accumulator for PerGroup<F> {
    fn resize(&mut self, groups: usize) {
        let groups = groups.max(self.states.len());
        self.states.resize_with(groups, F::State::default);
    }

    fn update(
        &mut self,
        len: usize,
        values: &[Values],
        validity: Validity,
        groups: Groups,
        indices: Indices,
    ) {
        if len > 0 {
            let (first, others) = split(values);
            let rows = Rows { len, others, validity, groups, indices };
            self.fold.update(&mut self.states, first, rows);
        }
    }

    fn state(&self) -> ArrayRef {
        let mut states = BinaryBuilder::with_capacity(self.states.len(), 16 * self.states.len());
        let mut bytes = Vec::new();
        for state in &self.states {
            bytes.clear();
            self.fold.write(state, &mut bytes);
            states.append_value(&bytes);
        }
        Arc::new(states.finish())
    }

    fn merge(&mut self, states: &ArrayRef, groups: &[u32]) -> Result<(), Failure> {
        let states = states.as_any().downcast_ref::<BinaryArray>();
        let states = states.filter(|s| s.len() == groups.len()).ok_or_else(|| self.malformed())?;
        for (i, group) in groups.iter().enumerate() {
            let mut bytes = Bytes(states.value(i));
            let state = self.states.get_mut(*group as usize);
            let merged = state.and_then(|state| self.fold.merge(state, &mut bytes));
            merged.filter(|()| bytes.is_empty()).ok_or_else(|| self.malformed())?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<ArrayRef, Failure> {
        self.fold.finish(&mut self.states)
    }

    fn clear(&mut self) {
        self.states.clear();
    }

    fn bytes(&self) -> usize {
        let heap: usize = self.states.iter().map(|state| self.fold.heap(state)).sum();
        self.states.capacity() * size_of::<F::State>() + heap
    }
}
