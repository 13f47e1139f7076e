//! What `argmin` and `argmax` share: the lowest rank, and the lowest index that has it.
use super::extreme::{read_text, write_text};
use super::per_group::{Fold, PerGroup};
use super::rank::{Ranked, ranked};
use super::rows::Rows;
use super::{Accumulator, Reduction};
use crate::Values;
use crate::exact::Bytes;
use arrow_array::{ArrayRef, Int64Array};
use base::{DType, Failure};
use std::sync::Arc;

/// A fresh accumulator of the place of the least, or with `GREATEST` the greatest value.
pub(super) fn accumulator<const GREATEST: bool>(
    entry: &'static dyn Reduction,
    column: Option<DType>,
) -> Box<dyn Accumulator> {
    match column {
        Some(DType::String) => PerGroup::boxed(entry, Texts::<GREATEST>),
        _ => PerGroup::boxed(entry, Numbers::<GREATEST>),
    }
}

struct Numbers<const GREATEST: bool>;

/// No row has this index.
const NOWHERE: i64 = i64::MAX;

#[derive(Clone, Copy)]
struct Best {
    rank: i64,
    index: i64,
}

impl Default for Best {
    fn default() -> Best {
        Best { rank: i64::MAX, index: NOWHERE }
    }
}

impl Best {
    #[inline(always)]
    fn take(&mut self, rank: i64, index: i64) {
        if (rank, index) < (self.rank, self.index) {
            *self = Best { rank, index };
        }
    }
}

struct Lowest<'a> {
    states: &'a mut [Best],
    rows: Rows<'a>,
}

impl Ranked for Lowest<'_> {
    #[inline(always)]
    fn run(self, rank: impl Fn(usize) -> i64) {
        self.rows.each_indexed(|group, row, index| self.states[group].take(rank(row), index));
    }
}

impl<const GREATEST: bool> Fold for Numbers<GREATEST> {
    type State = Best;

    fn update(&self, states: &mut [Best], values: Option<Values>, rows: Rows) {
        if let Some(values) = values {
            ranked::<GREATEST>(values, rows.len, Lowest { states, rows });
        }
    }

    fn write(&self, state: &Best, out: &mut Vec<u8>) {
        out.extend(state.rank.to_le_bytes());
        out.extend(state.index.to_le_bytes());
    }

    fn merge(&self, state: &mut Best, bytes: &mut Bytes) -> Option<()> {
        state.take(bytes.i64()?, bytes.i64()?);
        Some(())
    }

    fn finish(&self, states: &mut [Best]) -> Result<ArrayRef, Failure> {
        Ok(indices(states.iter().map(|best| best.index)))
    }
}

fn indices(all: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(all.map(|index| (index != NOWHERE).then_some(index)).collect::<Int64Array>())
}

struct Texts<const GREATEST: bool>;

#[derive(Default)]
struct BestText(Option<(Box<str>, i64)>);

impl BestText {
    fn take<const GREATEST: bool>(&mut self, text: &str, index: i64) {
        let better = match &self.0 {
            None => true,
            Some((old, at)) if *text == **old => index < *at,
            Some((old, _)) => (*text > **old) == GREATEST,
        };
        if better {
            self.0 = Some((text.into(), index));
        }
    }
}

impl<const GREATEST: bool> Fold for Texts<GREATEST> {
    type State = BestText;

    fn update(&self, states: &mut [BestText], values: Option<Values>, rows: Rows) {
        if let Some(Values::String(texts)) = values {
            rows.each_indexed(|group, row, index| {
                states[group].take::<GREATEST>(texts.value(row), index);
            });
        }
    }

    fn write(&self, BestText(state): &BestText, out: &mut Vec<u8>) {
        out.extend(state.as_ref().map_or(NOWHERE, |(_, index)| *index).to_le_bytes());
        write_text(state.as_ref().map(|(text, _)| &**text), out);
    }

    fn merge(&self, state: &mut BestText, bytes: &mut Bytes) -> Option<()> {
        let index = bytes.i64()?;
        if let Some(text) = read_text(bytes)? {
            state.take::<GREATEST>(text, index);
        }
        Some(())
    }

    fn finish(&self, states: &mut [BestText]) -> Result<ArrayRef, Failure> {
        Ok(indices(states.iter().map(|BestText(best)| best.as_ref().map_or(NOWHERE, |b| b.1))))
    }

    fn heap(&self, BestText(state): &BestText) -> usize {
        state.as_ref().map_or(0, |(text, _)| text.len())
    }
}
