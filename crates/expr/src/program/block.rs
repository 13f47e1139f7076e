//! A block of output rows.
use super::data::{Data, Points};
use super::hoist::Sources;
use super::layout::Span;
use super::run::{Slot, operand};
use super::schedule::Schedule;
use crate::kernels::{Arg, Buffer, Register};
use crate::{Indices, Validity, Values};
use base::DType;
use std::cell::OnceCell;

/// Rows that come out of a program together.
pub struct Block<'a> {
    /// The first point of the tile that the block covers, where no points were left out.
    pub start: usize,
    /// The number of rows.
    pub len: usize,
    schedule: &'a Schedule,
    sources: &'a Sources,
    slots: &'a [Slot],
    positions: Option<&'a [u32]>,
    indices: OnceCell<Register>,
}

impl<'a> Block<'a> {
    pub(super) fn new(
        start: usize,
        len: usize,
        schedule: &'a Schedule,
        sources: &'a Sources,
        slots: &'a [Slot],
        positions: Option<&'a [u32]>,
    ) -> Block<'a> {
        Block { start, len, schedule, sources, slots, positions, indices: OnceCell::new() }
    }

    pub(super) fn arg(&self, column: usize) -> Arg<'_> {
        operand(&self.slots[self.schedule.outputs[column]], self.sources, self.len)
    }

    /// The values of an output column, one for each row; arbitrary where missing.
    pub fn values(&self, column: usize) -> Values<'_> {
        self.arg(column).values
    }

    /// Which values of an output column are there.
    pub fn validity(&self, column: usize) -> Validity<'_> {
        self.arg(column).validity
    }

    /// The point of the tile that each row was, if a filter left some of the block out; else rows
    /// are the points from `start` on.
    pub fn positions(&self) -> Option<&[u32]> {
        self.positions
    }

    /// The row-major index in the domain of each row.
    pub fn indices(&self) -> Indices<'_> {
        let index = &self.sources.index;
        let points = match self.positions {
            Some(list) => Points::Each(list),
            None => Points::Range { start: self.start, len: self.len },
        };
        if let (Points::Range { start, len }, Data::Affine { .. }) = (points, &index.data)
            && let Span::Slice(first) = index.layout.span(start, len)
        {
            return Indices::From(first as i64);
        }
        let register = self.indices.get_or_init(|| {
            let mut register = Register::new(DType::Int64);
            let place = super::data::read(&index.data, &index.layout, points, &mut register);
            super::data::settle(&index.data, &mut register, place, self.len);
            register
        });
        match &register.values {
            Buffer::Int64(list) => Indices::Each(list),
            _ => Indices::From(0),
        }
    }
}
