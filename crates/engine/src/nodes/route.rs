//! `Exchange`: which worker gets which tile, or which rows of it.
use super::to_rows;
use crate::hash;
use crate::options::Place;
use arrow_array::{ArrayRef, UInt32Array};
use arrow_select::take::take;
use base::{Column, Failure, Tile};
use plan::physical::Route;

/// The pieces of a tile, each with the worker that gets it.
///
/// # Errors
/// If rows cannot be split: the tile is a box, or a key has no hash.
pub fn split(route: &Route, tile: Tile, place: Place) -> Result<Vec<(usize, Tile)>, Failure> {
    let workers = place.workers;
    match route {
        // A tile that has no address stays.
        Route::Address => Ok(vec![(place.worker, tile)]),
        Route::Gather => Ok(vec![(0, tile)]),
        Route::Processes => Ok(processes(place, tile.number).map(|w| (w, tile.clone())).collect()),
        Route::Tile => Ok(vec![((tile.number % workers as u64) as usize, tile)]),
        Route::Tasks { processes, stay } => {
            Ok(vec![(tasks(place, *processes, *stay, tile.number), tile)])
        }
        Route::Hash(_) if workers == 1 => Ok(vec![(0, to_rows(tile)?)]),
        Route::Hash(keys) => by_hash(*keys, to_rows(tile)?, workers),
    }
}

/// The worker that does something for the rows of a tile.
fn tasks(place: Place, processes: usize, stay: bool, tile: u64) -> usize {
    let most = processes.clamp(1, place.processes());
    if stay && most == place.processes() {
        return place.worker;
    }
    let (process, turn) = (tile % most as u64, tile / most as u64);
    process as usize * place.threads + (turn % place.threads as u64) as usize
}

/// A worker of each process: in its own it is this one.
fn processes(place: Place, tile: u64) -> impl Iterator<Item = usize> {
    let thread = (tile % place.threads as u64) as usize;
    (0..place.processes()).map(move |process| match process == place.process_of(place.worker) {
        true => place.worker,
        false => process * place.threads + thread,
    })
}

fn by_hash(keys: usize, tile: Tile, workers: usize) -> Result<Vec<(usize, Tile)>, Failure> {
    let keys: Vec<ArrayRef> = tile.columns.iter().take(keys).map(|c| c.array.clone()).collect();
    let hashes = hash::rows(&keys, tile.points())?;
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); workers];
    for (row, hash) in hashes.iter().enumerate() {
        rows[home(*hash, workers)].push(row as u32);
    }
    let mut pieces = Vec::new();
    for (worker, rows) in rows.into_iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
        pieces.push((worker, pick(&tile, rows)?));
    }
    Ok(pieces)
}

/// The worker that has the keys of this hash.
pub fn home(hash: u64, workers: usize) -> usize {
    // The high bits: tables in the workers look at the low ones.
    ((hash >> 32) % workers as u64) as usize
}

fn pick(tile: &Tile, rows: Vec<u32>) -> Result<Tile, Failure> {
    let shape = vec![rows.len()];
    let rows = UInt32Array::from(rows);
    let column = |c: &Column| {
        let array = take(&c.array, &rows, None).map_err(|e| Failure::internal(e.to_string()))?;
        Ok(Column { mask: c.mask, array })
    };
    let columns = tile.columns.iter().map(column).collect::<Result<Vec<_>, Failure>>()?;
    Ok(Tile { number: tile.number, origin: vec![0], shape, columns, index: None })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::Int64Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    use std::sync::Arc;

    fn place(workers: usize) -> Place {
        Place { worker: 0, workers, threads: workers }
    }

    #[test]
    fn every_row_goes_to_one_worker_and_equal_keys_to_the_same() {
        let keys: ArrayRef = Arc::new(Int64Array::from_iter_values((0..1000).map(|i| i % 10)));
        let values: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
        let columns = vec![keys.into(), values.into()];
        let tile = Tile { number: 3, origin: vec![0], shape: vec![1000], columns, index: None };
        let pieces = split(&Route::Hash(1), tile.clone(), place(3)).unwrap();
        let mut home = [None; 10];
        let mut all: Vec<i64> = Vec::new();
        for (worker, piece) in &pieces {
            let keys = piece.columns[0].array.as_primitive::<Int64Type>().values();
            for key in keys.iter() {
                assert_eq!(*home[*key as usize].get_or_insert(*worker), *worker);
            }
            all.extend(piece.columns[1].array.as_primitive::<Int64Type>().values());
        }
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<i64>>());
        assert_eq!(split(&Route::Tile, tile, place(2)).unwrap()[0].0, 1);
    }
}
