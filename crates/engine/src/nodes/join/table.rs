//! Rows of the right side by key: built once, then looked up by blocks.
use super::internal;
use super::room::Room;
use crate::keys::{Keys, NONE, Scratch};
use crate::nodes::order::gather::Gather;
use arrow_array::builder::UInt32Builder;
use arrow_array::{ArrayRef, UInt32Array, new_empty_array};
use base::{DType, Failure};
use plan::physical::{How, Join};
use std::ops::Range;

/// The number of no row.
pub const NO_ROW: u32 = NONE;

/// So many rows are looked up at once.
const BLOCK: usize = 4096;

/// Where the rows of each group begin among all rows in the order of their groups, those rows, and
/// how many the largest group has. Where every row is a group of its own there is nothing to list.
fn by_group(groups: &[u32], count: usize) -> (Vec<u32>, Vec<u32>, u64) {
    if groups.len() == count {
        return (Vec::new(), Vec::new(), 1);
    }
    let mut starts = vec![0u32; count + 1];
    groups.iter().for_each(|group| starts[*group as usize + 1] += 1);
    let most = starts.iter().copied().max().unwrap_or(0);
    let mut end = 0;
    for start in &mut starts {
        end += *start;
        *start = end;
    }
    let mut next = starts.clone();
    let mut order = vec![0; groups.len()];
    for (row, group) in groups.iter().enumerate() {
        let place = &mut next[*group as usize];
        order[*place as usize] = row as u32;
        *place += 1;
    }
    (starts, order, u64::from(most))
}

/// Hands key columns over block by block.
pub fn blocks(
    arrays: &[ArrayRef],
    rows: usize,
    mut each: impl FnMut(&[(expr::Values, expr::Validity)], usize),
) -> Result<(), Failure> {
    for start in (0..rows).step_by(BLOCK) {
        let len = BLOCK.min(rows - start);
        let arrays: Vec<ArrayRef> = arrays.iter().map(|a| a.slice(start, len)).collect();
        let mut scratch: Vec<Scratch> = arrays.iter().map(|_| Scratch::default()).collect();
        let views = arrays.iter().zip(&mut scratch).map(|(a, s)| s.view(a));
        each(&views.collect::<Result<Vec<_>, Failure>>()?, len);
    }
    Ok(())
}

/// The rows of the right side by key.
pub struct Table {
    keys: Keys,
    /// See [`by_group`].
    starts: Vec<u32>,
    order: Vec<u32>,
    most: u64,
    columns: Vec<Gather>,
}

/// Which rows of both sides make a row of the result.
pub struct Matches {
    /// The rows of the left, ascending; `None` for all, once each.
    pub left: Option<Vec<u32>>,
    /// The rows of the right; missing where there is none.
    pub right: UInt32Array,
}

impl Table {
    /// From all columns of rows, piece by piece in their order.
    ///
    /// # Errors
    /// If there are too many.
    pub fn new(join: &Join, pieces: Vec<Vec<ArrayRef>>) -> Result<Table, Failure> {
        let length = |piece: &Vec<ArrayRef>| piece.first().map_or(0, |c| c.len());
        let rows: usize = pieces.iter().map(length).sum();
        if rows >= NONE as usize {
            let message = "the right side of a join has more than 4,294,967,294 rows in one worker";
            return Err(Failure::data(message));
        }
        let mut keys = Keys::expecting(&join.types, rows);
        let mut groups = Vec::with_capacity(rows);
        let mut own = Vec::new();
        for piece in &pieces {
            blocks(&piece[..join.types.len()], length(piece), |views, len| {
                keys.groups(views, len, &mut own);
                groups.extend_from_slice(&own);
            })?;
        }
        let (starts, order, most) = by_group(&groups, keys.len());
        let mut columns: Vec<Vec<ArrayRef>> = vec![Vec::new(); join.right_types.len()];
        for piece in pieces {
            columns.iter_mut().zip(piece).for_each(|(all, array)| all.push(array));
        }
        let gather = |(mut arrays, dtype): (Vec<ArrayRef>, &DType)| {
            if arrays.is_empty() {
                arrays.push(new_empty_array(&dtype.arrow()));
            }
            Gather::new(arrays).map_err(internal)
        };
        let columns = columns.into_iter().zip(&join.right_types).map(gather);
        let columns = columns.collect::<Result<_, _>>()?;
        Ok(Table { keys, starts, order, most, columns })
    }

    /// How many rows the key has that has most; at least 1.
    pub fn most(&self) -> u64 {
        self.most
    }

    /// The values of a column in these rows.
    ///
    /// # Errors
    /// If Arrow cannot make an array of them.
    pub fn pick(&self, column: usize, rows: &UInt32Array) -> Result<ArrayRef, Failure> {
        let column = self.columns.get(column);
        let column = column.ok_or_else(|| Failure::internal("a join has no such column"))?;
        column.pick(rows).map_err(internal)
    }

    /// The group of each row of the left with these keys; [`NO_ROW`] where it has none.
    ///
    /// # Errors
    /// If a key has another type.
    pub fn find(&self, keys: &[ArrayRef], rows: usize) -> Result<Vec<u32>, Failure> {
        let mut groups = Vec::with_capacity(rows);
        let mut own = Vec::new();
        blocks(keys, rows, |views, len| {
            self.keys.find(views, len, &mut own);
            groups.extend_from_slice(&own);
        })?;
        Ok(groups)
    }

    /// As many rows of the left, from the first of these groups on, as have no more than about so
    /// many matches; at least one.
    pub fn few(&self, groups: &[u32], matches: usize) -> usize {
        if self.starts.is_empty() {
            return groups.len().min(matches.max(1));
        }
        let mut all = 0;
        let fits = |group: &&u32| {
            all += self.range(**group).len();
            all <= matches
        };
        groups.iter().take_while(fits).count().max(1).min(groups.len())
    }

    /// The places in `order` of a group's rows.
    fn range(&self, group: u32) -> Range<usize> {
        match group {
            NONE => 0..0,
            g => self.starts[g as usize] as usize..self.starts[g as usize + 1] as usize,
        }
    }

    /// What matches rows of the left in these groups, as [`Table::find`] gave them.
    ///
    /// # Errors
    /// If there is no room for all matches.
    pub fn matches(&self, groups: &[u32], how: How, room: Room) -> Result<Matches, Failure> {
        let some = |found: bool| {
            let rows = groups.iter().enumerate().filter(|(_, g)| (**g != NONE) == found);
            rows.map(|(row, _)| row as u32).collect::<Vec<u32>>()
        };
        let none = || UInt32Array::from(Vec::<u32>::new());
        match how {
            How::Semi => Ok(Matches { left: Some(some(true)), right: none() }),
            How::Anti => Ok(Matches { left: Some(some(false)), right: none() }),
            // Every key has one row at most.
            How::Inner if self.starts.is_empty() && !groups.contains(&NONE) => {
                Ok(Matches { left: None, right: groups.to_vec().into() })
            }
            How::Inner if self.starts.is_empty() => {
                let right = groups.iter().copied().filter(|g| *g != NONE).collect::<Vec<u32>>();
                Ok(Matches { left: Some(some(true)), right: right.into() })
            }
            How::Left if self.starts.is_empty() => {
                let right = groups.iter().map(|g| (*g != NONE).then_some(*g)).collect();
                Ok(Matches { left: None, right })
            }
            How::Inner | How::Left => self.many(groups, how, room),
        }
    }

    /// Matches of keys that several rows have.
    fn many(&self, groups: &[u32], how: How, room: Room) -> Result<Matches, Failure> {
        let alone = usize::from(how == How::Left);
        let count: usize = groups.iter().map(|g| self.range(*g).len().max(alone)).sum();
        room.check(count)?;
        let mut left = Vec::with_capacity(count);
        let mut right = UInt32Builder::with_capacity(count);
        for (row, group) in groups.iter().enumerate() {
            let rows = &self.order[self.range(*group)];
            left.resize(left.len() + rows.len().max(alone), row as u32);
            match rows.is_empty() {
                false => right.append_slice(rows),
                true if alone == 1 => right.append_null(),
                true => {}
            }
        }
        Ok(Matches { left: Some(left), right: right.finish() })
    }
}
