//! Which positions of a range pass a comparison: intervals, for a range is in order.
use crate::syntax::CompareOp;
use base::{DType, Value};
use std::cmp::Ordering;
use std::ops::Range;

/// `start + step * position`, for so many positions; no value overflows.
#[derive(Clone, Copy, Debug)]
pub struct Counter {
    /// The value at position 0.
    pub start: i64,
    /// The difference between neighbours, not 0.
    pub step: i64,
    /// The number of positions.
    pub size: u64,
}

impl Counter {
    /// The value at a position.
    pub fn value(&self, position: u64) -> i64 {
        self.start.wrapping_add(self.step.wrapping_mul(position as i64))
    }

    /// The first position at which `holds`, which never ceases to hold once it does.
    pub fn first(&self, holds: impl Fn(i64) -> bool) -> u64 {
        let (mut low, mut high) = (0, self.size);
        while low < high {
            let middle = low + (high - low) / 2;
            if holds(self.value(middle)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// The positions that pass, in order; `None` if the comparison is not of numbers.
    pub fn passing(
        &self,
        op: CompareOp,
        constant: &Value,
        within: DType,
    ) -> Option<Vec<Range<u64>>> {
        let order = |value: i64| match (within, constant) {
            (DType::Int64, Value::Int(c)) => Some(value.cmp(c)),
            (DType::Float64, Value::Float(c)) => (value as f64).partial_cmp(c),
            _ => None,
        };
        order(0)?;
        let (before, after) = match self.step > 0 {
            true => (Ordering::Less, Ordering::Greater),
            false => (Ordering::Greater, Ordering::Less),
        };
        let equal =
            self.first(|v| order(v) != Some(before))..self.first(|v| order(v) == Some(after));
        let (low, high) = (0..equal.start, equal.end..self.size);
        let (less, greater) = if self.step > 0 { (low, high) } else { (high, low) };
        // Neighbours: one ends where the other begins.
        let joined = |a: &Range<u64>, b: &Range<u64>| a.start.min(b.start)..a.end.max(b.end);
        let ranges = match op {
            CompareOp::Eq => vec![equal],
            CompareOp::Lt => vec![less],
            CompareOp::Gt => vec![greater],
            CompareOp::Le => vec![joined(&less, &equal)],
            CompareOp::Ge => vec![joined(&equal, &greater)],
            CompareOp::Ne => vec![0..equal.start, equal.end..self.size],
        };
        Some(ranges.into_iter().filter(|r| !r.is_empty()).collect())
    }
}

/// The positions in both lists, each in order.
pub fn common(a: &[Range<u64>], b: &[Range<u64>]) -> Vec<Range<u64>> {
    let pairs = a.iter().flat_map(|x| b.iter().map(move |y| (x, y)));
    let both = pairs.map(|(x, y)| x.start.max(y.start)..x.end.min(y.end));
    both.filter(|r| !r.is_empty()).collect()
}
