//! A tile of the result from the answers about it, in whatever order they came.
use super::beside::beside;
use super::internal;
use super::room::Room;
use super::table::NO_ROW;
use arrow_array::builder::UInt32Builder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_select::concat::concat;
use arrow_select::take::take;
use base::{Failure, Tile};
use plan::physical::{How, Join};

/// Puts a tile and all answers about it together: rows of it as uint32, and columns of the right.
/// All matches of a row stand in their order. `most` is how many rows a key of the right has.
///
/// # Errors
/// If an answer is something else, or there is no room for so many rows.
pub fn whole(
    join: &Join,
    tile: &Tile,
    answers: &[Vec<ArrayRef>],
    most: u64,
    room: Room,
) -> Result<Tile, Failure> {
    let rows = |answer: &Vec<ArrayRef>| match answer.first().map(|a| a.as_primitive_opt()) {
        Some(Some(rows)) => Ok::<UInt32Array, Failure>(UInt32Array::clone(rows)),
        _ => Err(Failure::internal("an answer without rows")),
    };
    let rows: Vec<UInt32Array> = answers.iter().map(rows).collect::<Result<_, _>>()?;
    let order = Order::new(&rows, tile.points(), join.how, room)?;
    let column = |i: usize| {
        let arrays: Vec<&dyn Array> = answers.iter().map(|a| &*a[i + 1]).collect();
        let all = match answers {
            [one] => one[i + 1].clone(),
            _ => concat(&arrays).map_err(internal)?,
        };
        match &order.right {
            Some(order) => take(&all, order, None).map_err(internal),
            None => Ok(all),
        }
    };
    let right = (0..join.right.len()).map(column).collect::<Result<_, Failure>>()?;
    beside(join, tile, order.left, right, join.most(most))
}

/// The order in which answers make rows.
struct Order {
    /// As in [`super::table::Matches`].
    left: Option<Vec<u32>>,
    /// The rows of all answers, one answer after the other; `None` if they are in order.
    right: Option<UInt32Array>,
}

impl Order {
    fn new(answers: &[UInt32Array], rows: usize, how: How, room: Room) -> Result<Order, Failure> {
        let all = || answers.iter().flat_map(|rows| rows.values().iter().copied());
        let once = all().enumerate().all(|(i, row)| i == row as usize) && all().count() == rows;
        if once && how != How::Anti {
            return Ok(Order { left: None, right: None });
        }
        let mut counts = vec![0u32; rows];
        for row in all() {
            *counts.get_mut(row as usize).ok_or_else(foreign)? += 1;
        }
        let some = |found: bool| {
            let rows = counts.iter().enumerate().filter(|(_, n)| (**n > 0) == found);
            Some(rows.map(|(row, _)| row as u32).collect())
        };
        let alone = match how {
            How::Semi => return Ok(Order { left: some(true), right: None }),
            How::Anti => return Ok(Order { left: some(false), right: None }),
            How::Inner => 0,
            How::Left => 1,
        };
        let total: usize = counts.iter().map(|n| (*n as usize).max(alone)).sum();
        room.check(total)?;
        // Where the matches of each row begin; all of one row come from one answer.
        let mut next = Vec::with_capacity(rows);
        let mut left = Vec::with_capacity(total);
        for (row, count) in counts.iter().enumerate() {
            next.push(left.len() as u32);
            left.resize(left.len() + (*count as usize).max(alone), row as u32);
        }
        let mut order = vec![NO_ROW; total];
        for (at, row) in all().enumerate() {
            let place = &mut next[row as usize];
            order[*place as usize] = at as u32;
            *place += 1;
        }
        let mut right = UInt32Builder::with_capacity(total);
        order.iter().for_each(|at| right.append_option((*at != NO_ROW).then_some(*at)));
        Ok(Order { left: Some(left), right: Some(right.finish()) })
    }
}

fn foreign() -> Failure {
    Failure::internal("an answer about rows that a tile does not have")
}
