//! What `any` and `all` share: whether a value was seen that decides.
use super::per_group::{Fold, PerGroup};
use super::rows::Rows;
use super::{Accumulator, Reduction};
use crate::Values;
use crate::exact::Bytes;
use arrow_array::{ArrayRef, BooleanArray};
use base::Failure;
use std::sync::Arc;

/// A fresh accumulator of `any`, or with `ALL` of `all`.
pub(super) fn accumulator<const ALL: bool>(entry: &'static dyn Reduction) -> Box<dyn Accumulator> {
    PerGroup::boxed(entry, Truth::<ALL>)
}

struct Truth<const ALL: bool>;

impl<const ALL: bool> Fold for Truth<ALL> {
    /// Whether a true value was seen; for `all` a false one.
    type State = bool;

    fn update(&self, states: &mut [bool], values: Option<Values>, rows: Rows) {
        match values {
            Some(Values::Bool(v)) => rows.each(|g, row| states[g] |= v[row] != ALL),
            Some(Values::Int32(v)) => rows.each(|g, row| states[g] |= (v[row] != 0) != ALL),
            Some(Values::Int64(v)) => rows.each(|g, row| states[g] |= (v[row] != 0) != ALL),
            Some(Values::Float32(v)) => rows.each(|g, row| states[g] |= (v[row] != 0.0) != ALL),
            Some(Values::Float64(v)) => rows.each(|g, row| states[g] |= (v[row] != 0.0) != ALL),
            Some(Values::String(_)) | None => {}
        }
    }

    fn write(&self, state: &bool, out: &mut Vec<u8>) {
        out.push(u8::from(*state));
    }

    fn merge(&self, state: &mut bool, bytes: &mut Bytes) -> Option<()> {
        *state |= bytes.u8().filter(|seen| *seen < 2)? == 1;
        Some(())
    }

    fn finish(&self, states: &mut [bool]) -> Result<ArrayRef, Failure> {
        Ok(Arc::new(states.iter().map(|seen| Some(*seen != ALL)).collect::<BooleanArray>()))
    }
}
