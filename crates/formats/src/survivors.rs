//! What a filter behind a source asks of its rows, and which rows may pass.
use base::{DType, Region, Value};
use std::ops::Range;

/// A question to the values of one column. Rows that do not pass are dropped behind the source.
#[derive(Clone, Debug, PartialEq)]
pub struct RowTest {
    /// The column's position in the source's schema.
    pub column: usize,
    /// The question.
    pub ask: Ask,
}

/// What is asked of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// `value op constant`. Missing values do not pass; NaN passes `!=` and nothing else.
    Compare {
        /// The comparison; the value stands on its left.
        op: Comparison,
        /// Never missing, never NaN.
        constant: Value,
        /// The type to which both are converted first: the column's own, or a wider number.
        within: DType,
    },
    /// Whether the value is missing, or is not.
    Missing(bool),
}

/// The comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// The rows of a source that may pass; all others do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivors {
    /// Ascending, none empty, none touching the next.
    pub rows: Vec<Range<u64>>,
    /// How many of what, for `explain`.
    pub text: String,
}

impl Survivors {
    /// Makes a region of rows smaller, so that it begins and ends with rows that may pass; it
    /// has no rows if none of its rows may.
    pub fn narrow(&self, region: &mut Region) {
        let (start, end) = (region.origin[0], region.origin[0] + region.shape[0] as u64);
        let first = self.rows.partition_point(|r| r.end <= start);
        let last = self.rows.partition_point(|r| r.start < end);
        match self.rows.get(first..last) {
            Some([one, ..]) => {
                region.origin[0] = one.start.max(start);
                region.shape[0] = (self.rows[last - 1].end.min(end) - region.origin[0]) as usize;
            }
            _ => region.shape[0] = 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_shrink_to_what_may_pass() {
        let survivors = Survivors { rows: vec![10..20, 30..35], text: String::new() };
        let narrow = |start, rows| {
            let mut region = Region { origin: vec![start], shape: vec![rows] };
            survivors.narrow(&mut region);
            (region.origin[0], region.shape[0])
        };
        for (start, rows, expected) in [
            (0, 10, (0, 0)),
            (0, 11, (10, 1)),
            (0, 50, (10, 25)),
            (12, 3, (12, 3)),
            (15, 16, (15, 16)),
            (15, 10, (15, 5)),
            (20, 10, (20, 0)),
            (34, 10, (34, 1)),
            (35, 10, (35, 0)),
        ] {
            assert_eq!(narrow(start, rows), expected, "{start} {rows}");
        }
    }
}
