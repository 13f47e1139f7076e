//! What `min` and `max` share.
use super::per_group::{Fold, PerGroup};
use super::rank::{self, Ranked, ranked};
use super::rows::Rows;
use super::{Accumulator, Reduction};
use crate::exact::Bytes;
use crate::{Groups, Values};
use arrow_array::{ArrayRef, StringArray};
use base::{DType, Failure};
use std::sync::Arc;

/// A fresh accumulator of the least, or with `GREATEST` the greatest value.
pub(super) fn accumulator<const GREATEST: bool>(
    entry: &'static dyn Reduction,
    column: Option<DType>,
) -> Box<dyn Accumulator> {
    match column {
        Some(DType::String) => PerGroup::boxed(entry, Texts::<GREATEST>),
        dtype => {
            let dtype = dtype.unwrap_or(DType::Int64);
            PerGroup::boxed(entry, Numbers::<GREATEST> { dtype })
        }
    }
}

struct Numbers<const GREATEST: bool> {
    dtype: DType,
}

/// The lowest rank so far.
#[derive(Clone, Copy)]
struct Best {
    rank: i64,
    any: bool,
}

impl Default for Best {
    fn default() -> Best {
        Best { rank: i64::MAX, any: false }
    }
}

impl Best {
    #[inline(always)]
    fn take(&mut self, rank: i64) {
        self.rank = self.rank.min(rank);
        self.any = true;
    }
}

struct Lowest<'a> {
    states: &'a mut [Best],
    rows: Rows<'a>,
}

impl Ranked for Lowest<'_> {
    #[inline(always)]
    fn run(self, rank: impl Fn(usize) -> i64) {
        match self.rows.groups {
            Groups::One(group) => {
                let mut best = self.states[group as usize];
                self.rows.each(|_, row| best.take(rank(row)));
                self.states[group as usize] = best;
            }
            Groups::Each(_) => self.rows.each(|group, row| self.states[group].take(rank(row))),
        }
    }
}

impl<const GREATEST: bool> Fold for Numbers<GREATEST> {
    type State = Best;

    fn update(&self, states: &mut [Best], values: Option<Values>, rows: Rows) {
        let quick = match (values, rows.groups, rows.validity) {
            (Some(Values::Float64(v)), Groups::One(group), None) => {
                lowest::<GREATEST, f64>(&v[..rows.len]).map(|rank| (group, rank))
            }
            (Some(Values::Float32(v)), Groups::One(group), None) => {
                lowest::<GREATEST, f32>(&v[..rows.len]).map(|rank| (group, rank))
            }
            _ => None,
        };
        match (quick, values) {
            (Some((group, rank)), _) => states[group as usize].take(rank),
            (None, Some(values)) => {
                ranked::<GREATEST>(values, rows.len, Lowest { states, rows });
            }
            (None, None) => {}
        }
    }

    fn write(&self, state: &Best, out: &mut Vec<u8>) {
        if state.any {
            out.extend(state.rank.to_le_bytes());
        }
    }

    fn merge(&self, state: &mut Best, bytes: &mut Bytes) -> Option<()> {
        if !bytes.is_empty() {
            state.take(bytes.i64()?);
        }
        Some(())
    }

    fn finish(&self, states: &mut [Best]) -> Result<ArrayRef, Failure> {
        let ranks = states.iter().map(|best| best.any.then_some(best.rank));
        Ok(rank::column::<GREATEST>(self.dtype, ranks))
    }
}

/// The lowest rank of floats by comparing them in vector lanes; `None` where that does not tell
/// (the sign of a zero).
fn lowest<const GREATEST: bool, T: Copy + Into<f64>>(values: &[T]) -> Option<i64> {
    let number = |x: T| if GREATEST { -x.into() } else { x.into() };
    let mut least = [f64::INFINITY; 16];
    let mut nan = false;
    let (chunks, rest) = values.as_chunks::<16>();
    let mut take = |lane: &mut f64, x: f64| {
        *lane = if x < *lane { x } else { *lane };
        nan |= x.is_nan();
    };
    for chunk in chunks {
        least.iter_mut().zip(chunk).for_each(|(lane, x)| take(lane, number(*x)));
    }
    rest.iter().for_each(|x| take(&mut least[0], number(*x)));
    let least = least.into_iter().fold(f64::INFINITY, f64::min);
    match nan {
        true => Some(rank::NAN),
        false => (least != 0.0).then(|| rank::of_float(least)),
    }
}

struct Texts<const GREATEST: bool>;

impl<const GREATEST: bool> Texts<GREATEST> {
    fn take(state: &mut Option<Box<str>>, text: &str) {
        let better = match state {
            None => true,
            Some(old) if GREATEST => *text > **old,
            Some(old) => *text < **old,
        };
        if better {
            *state = Some(text.into());
        }
    }
}

impl<const GREATEST: bool> Fold for Texts<GREATEST> {
    type State = Option<Box<str>>;

    fn update(&self, states: &mut [Option<Box<str>>], values: Option<Values>, rows: Rows) {
        if let Some(Values::String(texts)) = values {
            rows.each(|group, row| Self::take(&mut states[group], texts.value(row)));
        }
    }

    fn write(&self, state: &Option<Box<str>>, out: &mut Vec<u8>) {
        write_text(state.as_deref(), out);
    }

    fn merge(&self, state: &mut Option<Box<str>>, bytes: &mut Bytes) -> Option<()> {
        if let Some(text) = read_text(bytes)? {
            Self::take(state, text);
        }
        Some(())
    }

    fn finish(&self, states: &mut [Option<Box<str>>]) -> Result<ArrayRef, Failure> {
        Ok(Arc::new(states.iter().map(Option::as_deref).collect::<StringArray>()))
    }

    fn heap(&self, state: &Option<Box<str>>) -> usize {
        state.as_ref().map_or(0, |text| text.len())
    }
}

/// Writes a text that ends the state; nothing if there is none.
pub(super) fn write_text(text: Option<&str>, out: &mut Vec<u8>) {
    if let Some(text) = text {
        out.push(1);
        out.extend(text.as_bytes());
    }
}

/// Reads what [`write_text`] wrote.
pub(super) fn read_text<'a>(bytes: &mut Bytes<'a>) -> Option<Option<&'a str>> {
    if bytes.is_empty() {
        return Some(None);
    }
    bytes.u8().filter(|mark| *mark == 1)?;
    let rest = std::mem::take(&mut bytes.0);
    std::str::from_utf8(rest).ok().map(Some)
}
