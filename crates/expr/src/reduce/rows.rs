//! The loop over the rows of a block that are not missing.
use crate::{Groups, Indices, Validity, Values};

/// Values that are copied at a time.
const BLOCK: usize = 1024;

/// Which rows a block has, and where they belong.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub len: usize,
    /// The values of the columns behind the first.
    pub others: &'a [Values<'a>],
    pub validity: Validity<'a>,
    pub groups: Groups<'a>,
    pub indices: Indices<'a>,
}

/// The values of the first column, and those of the others.
pub(super) fn split<'a>(values: &'a [Values<'a>]) -> (Option<Values<'a>>, &'a [Values<'a>]) {
    match values {
        [] => (None, &[]),
        [first, others @ ..] => (Some(*first), others),
    }
}

impl Rows<'_> {
    /// Calls `f(group, row)` for every row that is not missing.
    #[inline(always)]
    pub fn each(&self, mut f: impl FnMut(usize, usize)) {
        match (self.groups, self.validity) {
            (Groups::One(group), None) => (0..self.len).for_each(|row| f(group as usize, row)),
            (Groups::Each(groups), None) => {
                groups[..self.len].iter().enumerate().for_each(|(row, g)| f(*g as usize, row));
            }
            (Groups::One(group), Some(valid)) => {
                let present = valid[..self.len].iter().enumerate().filter(|(_, valid)| **valid);
                present.for_each(|(row, _)| f(group as usize, row));
            }
            (Groups::Each(groups), Some(valid)) => {
                let rows = groups[..self.len].iter().zip(&valid[..self.len]).enumerate();
                rows.filter(|(_, (_, v))| **v).for_each(|(row, (g, _))| f(*g as usize, row));
            }
        }
    }

    /// Calls `f(group, row, index)` for every row that is not missing.
    #[inline(always)]
    pub fn each_indexed(&self, mut f: impl FnMut(usize, usize, i64)) {
        match self.indices {
            Indices::From(first) => self.each(|group, row| f(group, row, first + row as i64)),
            Indices::Each(indices) => {
                let indices = &indices[..self.len];
                self.each(|group, row| f(group, row, indices[row]));
            }
        }
    }

    /// Calls `f` with the values of one group, those that are missing replaced by `absent`: all at
    /// once if none are, else in blocks.
    #[inline(always)]
    pub fn slices<T: Copy>(&self, values: &[T], absent: T, mut f: impl FnMut(&[T])) {
        let values = &values[..self.len];
        let Some(valid) = self.validity else { return f(values) };
        let mut buffer = [absent; BLOCK];
        for (values, valid) in values.chunks(BLOCK).zip(valid[..self.len].chunks(BLOCK)) {
            for ((to, value), valid) in buffer.iter_mut().zip(values).zip(valid) {
                *to = if *valid { *value } else { absent };
            }
            f(&buffer[..values.len()]);
        }
    }

    /// The same with the values of two columns.
    #[inline(always)]
    pub fn pairs<T: Copy>(&self, x: &[T], y: &[T], absent: T, mut f: impl FnMut(&[T], &[T])) {
        let Some(valid) = self.validity else { return f(&x[..self.len], &y[..self.len]) };
        let mut start = 0;
        let mut buffer = [absent; BLOCK];
        self.slices(x, absent, |x| {
            let rows = start..start + x.len();
            let pairs = y[rows.clone()].iter().zip(&valid[rows.clone()]);
            for (to, (y, valid)) in buffer.iter_mut().zip(pairs) {
                *to = if *valid { *y } else { absent };
            }
            f(x, &buffer[..x.len()]);
            start = rows.end;
        });
    }

    /// Calls `f` with blocks of values of one group: `value(row)`, or `absent` where missing.
    #[inline(always)]
    pub fn blocks<T: Copy>(&self, absent: T, value: impl Fn(usize) -> T, mut f: impl FnMut(&[T])) {
        let mut buffer = [absent; BLOCK];
        for start in (0..self.len).step_by(BLOCK) {
            let n = BLOCK.min(self.len - start);
            match self.validity {
                None => (0..n).for_each(|i| buffer[i] = value(start + i)),
                Some(valid) => {
                    let valid = &valid[start..start + n];
                    for (i, valid) in valid.iter().enumerate() {
                        buffer[i] = if *valid { value(start + i) } else { absent };
                    }
                }
            }
            f(&buffer[..n]);
        }
    }

    /// How many rows are not missing.
    pub fn present(&self) -> usize {
        self.validity.map_or(self.len, |valid| {
            valid[..self.len].iter().map(|valid| usize::from(*valid)).sum()
        })
    }
}
