//! `Split`: holds a worker's rows until the samples of all workers are here, then sends each row
//! to the worker that has its place in the result.
use super::SAMPLE;
use super::column::{self, SortColumn};
use super::rows::{columns, internal, pick};
use crate::nodes::{Out, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use base::{Failure, Tile};
use plan::physical::{Order, SortKey};

/// Rows on their way to the workers that sort them.
pub struct Split {
    keys: Vec<SortKey>,
    place: Place,
    tiles: Vec<Tile>,
    samples: Vec<Tile>,
    splitters: Splitters,
    /// How many rows each worker gets from this one.
    sent: Vec<u64>,
}

impl Split {
    /// For one worker.
    pub fn new(order: &Order, place: Place) -> Split {
        Split {
            keys: order.keys.clone(),
            place,
            tiles: Vec::new(),
            samples: Vec::new(),
            splitters: Splitters::default(),
            sent: vec![0; place.workers],
        }
    }
}

impl Stage for Split {
    fn tile(&mut self, _input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        match parcel.tile.number {
            SAMPLE => self.samples.push(parcel.tile),
            _ if self.place.workers == 1 => out(Item::Tile(parcel)),
            _ => self.tiles.push(parcel.tile),
        }
        Ok(())
    }

    fn finish(&mut self, _out: Out) -> Result<(), Failure> {
        let samples = std::mem::take(&mut self.samples);
        self.splitters = Splitters::new(&self.keys, &samples, self.place.workers)?;
        Ok(())
    }

    fn more(&mut self, out: Out) -> Result<bool, Failure> {
        if let Some(tile) = self.tiles.pop() {
            let rows = self.splitters.rows(&self.keys, &tile, self.place.workers)?;
            for (worker, rows) in rows.into_iter().enumerate() {
                self.sent[worker] += rows.len() as u64;
                if rows.len() == tile.points() {
                    out(Item::to(worker, tile.clone()));
                } else if !rows.is_empty() {
                    out(Item::to(worker, pick(tile.clone(), rows).map_err(internal)?));
                }
            }
            return Ok(true);
        }
        let (mut before, all) = (0, self.sent.iter().sum());
        for (worker, rows) in self.sent.iter().enumerate().filter(|_| self.place.workers > 1) {
            out(Item::To(worker, Box::new(Item::Rows { before, all })));
            before += rows;
        }
        Ok(false)
    }
}

/// Rows that cut the result: the k-th is the first that worker k + 1 may have. They come from the
/// multiset of all samples alone, so that all workers have the same.
#[derive(Default)]
struct Splitters {
    columns: Vec<SortColumn>,
    /// Of each its place in the columns, its first word, and the tile and row it comes from.
    list: Vec<(usize, u64, (i64, i64))>,
}

impl Splitters {
    fn new(keys: &[SortKey], samples: &[Tile], workers: usize) -> Result<Splitters, Failure> {
        let n: usize = samples.iter().map(Tile::points).sum();
        if n == 0 {
            return Ok(Splitters::default());
        }
        let count = keys.len();
        let descending = keys.iter().map(|key| key.descending).chain([false, false]);
        let places: Vec<SortKey> =
            descending.enumerate().map(|(column, d)| SortKey { column, descending: d }).collect();
        let mut columns = columns(&places, samples)?;
        let mut order: Vec<u32> = (0..n as u32).collect();
        column::sort(&mut order, &columns);
        let mut marks = Vec::with_capacity(n);
        for tile in samples {
            let [.., number, row] = &tile.columns[..] else {
                return Err(Failure::internal("a sample lacks the places of its rows"));
            };
            let ints = |c: &base::Column| c.array.as_primitive::<Int64Type>().values().clone();
            marks.extend(ints(number).iter().copied().zip(ints(row).iter().copied()));
        }
        columns.truncate(count);
        let splitter = |k: usize| {
            let at = order[k * n / workers] as usize;
            (at, columns.first().map_or(0, |c| c.word(at)), marks[at])
        };
        let list = (1..workers).map(splitter).collect();
        Ok(Splitters { columns, list })
    }

    /// The rows of a tile that each worker gets.
    fn rows(
        &self,
        keys: &[SortKey],
        tile: &Tile,
        workers: usize,
    ) -> Result<Vec<Vec<u32>>, Failure> {
        let columns = columns(keys, std::slice::from_ref(tile))?;
        let mut rows = vec![Vec::with_capacity(tile.points() / workers * 2); workers];
        for row in 0..tile.points() {
            let word = columns.first().map_or(0, |c| c.word(row));
            let mut worker = self.list.partition_point(|(_, first, _)| *first < word);
            while let Some((at, first, mark)) = self.list.get(worker) {
                if *first > word {
                    break;
                }
                let order = column::compare(&columns, row, &self.columns, *at);
                if order.then_with(|| (tile.number as i64, row as i64).cmp(mark)).is_lt() {
                    break;
                }
                worker += 1;
            }
            rows[worker].push(row as u32);
        }
        Ok(rows)
    }
}
