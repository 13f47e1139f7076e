//! What `first` and `last` share: the value at the lowest, or the highest, index.
use super::extreme::{read_text, write_text};
use super::per_group::{Fold, PerGroup};
use super::rank::{self, Ranked, ranked};
use super::rows::Rows;
use super::{Accumulator, Reduction};
use crate::Values;
use crate::exact::Bytes;
use arrow_array::{ArrayRef, StringArray};
use base::{DType, Failure};
use std::sync::Arc;

/// A fresh accumulator of the first, or with `LAST` the last value.
pub(super) fn accumulator<const LAST: bool>(
    entry: &'static dyn Reduction,
    column: Option<DType>,
) -> Box<dyn Accumulator> {
    match column {
        Some(DType::String) => PerGroup::boxed(entry, Texts::<LAST>),
        dtype => {
            let dtype = dtype.unwrap_or(DType::Int64);
            PerGroup::boxed(entry, Numbers::<LAST> { dtype })
        }
    }
}

/// No row has this position.
const NOWHERE: i64 = i64::MAX;

/// What is lowest for the row that is wanted.
#[inline(always)]
fn position<const LAST: bool>(index: i64) -> i64 {
    if LAST { !index } else { index }
}

struct Numbers<const LAST: bool> {
    dtype: DType,
}

#[derive(Clone, Copy)]
struct End {
    position: i64,
    rank: i64,
}

impl Default for End {
    fn default() -> End {
        End { position: NOWHERE, rank: i64::MAX }
    }
}

impl End {
    #[inline(always)]
    fn take(&mut self, position: i64, rank: i64) {
        if (position, rank) < (self.position, self.rank) {
            *self = End { position, rank };
        }
    }
}

struct Nearest<'a, const LAST: bool> {
    states: &'a mut [End],
    rows: Rows<'a>,
}

impl<const LAST: bool> Ranked for Nearest<'_, LAST> {
    #[inline(always)]
    fn run(self, rank: impl Fn(usize) -> i64) {
        self.rows.each_indexed(|group, row, index| {
            self.states[group].take(position::<LAST>(index), rank(row));
        });
    }
}

impl<const LAST: bool> Fold for Numbers<LAST> {
    type State = End;

    fn update(&self, states: &mut [End], values: Option<Values>, rows: Rows) {
        if let Some(values) = values {
            ranked::<false>(values, rows.len, Nearest::<LAST> { states, rows });
        }
    }

    fn write(&self, state: &End, out: &mut Vec<u8>) {
        out.extend(state.position.to_le_bytes());
        out.extend(state.rank.to_le_bytes());
    }

    fn merge(&self, state: &mut End, bytes: &mut Bytes) -> Option<()> {
        state.take(bytes.i64()?, bytes.i64()?);
        Some(())
    }

    fn finish(&self, states: &mut [End]) -> Result<ArrayRef, Failure> {
        let ranks = states.iter().map(|end| (end.position != NOWHERE).then_some(end.rank));
        Ok(rank::column::<false>(self.dtype, ranks))
    }
}

struct Texts<const LAST: bool>;

#[derive(Default)]
struct EndText(Option<(i64, Box<str>)>);

impl EndText {
    fn take(&mut self, position: i64, text: &str) {
        if self.0.as_ref().is_none_or(|(old, held)| (position, text) < (*old, held)) {
            self.0 = Some((position, text.into()));
        }
    }
}

impl<const LAST: bool> Fold for Texts<LAST> {
    type State = EndText;

    fn update(&self, states: &mut [EndText], values: Option<Values>, rows: Rows) {
        if let Some(Values::String(texts)) = values {
            rows.each_indexed(|group, row, index| {
                states[group].take(position::<LAST>(index), texts.value(row));
            });
        }
    }

    fn write(&self, EndText(state): &EndText, out: &mut Vec<u8>) {
        out.extend(state.as_ref().map_or(NOWHERE, |(position, _)| *position).to_le_bytes());
        write_text(state.as_ref().map(|(_, text)| &**text), out);
    }

    fn merge(&self, state: &mut EndText, bytes: &mut Bytes) -> Option<()> {
        let position = bytes.i64()?;
        if let Some(text) = read_text(bytes)? {
            state.take(position, text);
        }
        Some(())
    }

    fn finish(&self, states: &mut [EndText]) -> Result<ArrayRef, Failure> {
        let texts = states.iter().map(|EndText(end)| end.as_ref().map(|(_, text)| &**text));
        Ok(Arc::new(texts.collect::<StringArray>()))
    }

    fn heap(&self, EndText(state): &EndText) -> usize {
        state.as_ref().map_or(0, |(_, text)| text.len())
    }
}
