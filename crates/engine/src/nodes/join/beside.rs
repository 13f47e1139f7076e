//! A tile of the result: rows of a tile of the left, and beside them columns of the right.
use super::{columns, internal};
use arrow_array::{ArrayRef, Int64Array, UInt32Array};
use arrow_select::take::take;
use base::{Column, Failure, Tile};
use plan::physical::Join;

/// Puts columns of the right beside rows of a tile (`None`: all, once each; else ascending, a row
/// as often as it has matches). `most` is how many matches any key has.
///
/// # Errors
/// If the rows cannot be numbered.
pub fn beside(
    join: &Join,
    tile: &Tile,
    rows: Option<Vec<u32>>,
    right: Vec<ArrayRef>,
    most: u64,
) -> Result<Tile, Failure> {
    // Rows of a table that stay as they are know their index from their place.
    let in_place = rows.is_none() && most == 1 && tile.index.is_none() && join.sizes.len() == 1;
    let rows = rows.map(UInt32Array::from);
    let index = match join.keep_index && !in_place {
        true => Some(index(tile.indices(&join.sizes), rows.as_ref(), most)?),
        false => None,
    };
    let mut all = columns(tile, &join.left)?;
    if let Some(rows) = &rows {
        for array in &mut all {
            *array = take(array, rows, None).map_err(internal)?;
        }
    }
    let shape = vec![rows.map_or(tile.points(), |rows| rows.values().len())];
    let columns = all.into_iter().chain(right).map(Column::from).collect();
    let origin = if in_place { tile.origin.clone() } else { vec![0] };
    Ok(Tile { number: tile.number, origin, shape, columns, index })
}

fn index(own: Int64Array, rows: Option<&UInt32Array>, most: u64) -> Result<Int64Array, Failure> {
    let own = own.values();
    let step = i64::try_from(most).map_err(|_| too_many())?;
    let one = |row: usize, place: i64| {
        own[row].checked_mul(step).and_then(|first| first.checked_add(place)).ok_or_else(too_many)
    };
    let Some(rows) = rows else { return (0..own.len()).map(|row| one(row, 0)).collect() };
    let (mut before, mut place) = (u32::MAX, 0);
    let next = |row: &u32| {
        place = if *row == before { place + 1 } else { 0 };
        before = *row;
        one(*row as usize, place)
    };
    rows.values().iter().map(next).collect()
}

fn too_many() -> Failure {
    Failure::data("the join has so many rows that they cannot be numbered")
}
