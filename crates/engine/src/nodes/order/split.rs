//! `Split`: holds a worker's rows, in memory or in a file, until the samples of all workers are
//! here, then sends each row to the worker that has its place in the result.
use super::SAMPLE;
use super::column::{self, SortColumn};
use super::rows::{columns, compact, internal, pick};
use crate::nodes::{Out, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::spill::{Budget, Chunk, Share, Store, give_back, size};
use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use base::{Column, Failure, Tile};
use plan::physical::{Order, SortKey};
use std::collections::VecDeque;
use std::sync::Arc;

/// Rows on their way to the workers that sort them.
pub struct Split {
    keys: Vec<SortKey>,
    place: Place,
    held: Held,
    samples: Vec<Tile>,
    splitters: Splitters,
    /// How many rows each worker gets from this one.
    sent: Vec<u64>,
}

impl Split {
    /// For one worker.
    pub fn new(order: &Order, place: Place, budget: &Arc<Budget>) -> Split {
        Split {
            keys: order.keys.clone(),
            place,
            held: Held::new(budget),
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
            _ => self.held.push(compact(parcel.tile)?)?,
        }
        Ok(())
    }

    fn finish(&mut self, _out: Out) -> Result<(), Failure> {
        let samples = std::mem::take(&mut self.samples);
        self.splitters = Splitters::new(&self.keys, &samples, self.place.workers)?;
        Ok(())
    }

    fn more(&mut self, out: Out) -> Result<bool, Failure> {
        if let Some((tile, first)) = self.held.pop()? {
            let rows = self.splitters.rows(&self.keys, &tile, first, self.place.workers)?;
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

/// Tiles that wait, the first that came first.
struct Held {
    share: Share,
    /// Those that did not fit, in chunks; they came before the others.
    store: Store,
    chunks: VecDeque<Piece>,
    tiles: VecDeque<Tile>,
    bytes: u64,
}

impl Held {
    fn new(budget: &Arc<Budget>) -> Held {
        let share = budget.share();
        let (store, chunks) = (Store::new(&share), VecDeque::new());
        Held { share, store, chunks, tiles: VecDeque::new(), bytes: 0 }
    }

    fn push(&mut self, tile: Tile) -> Result<(), Failure> {
        self.bytes += size(&tile);
        self.tiles.push_back(tile);
        if self.share.hold(self.bytes) {
            return Ok(());
        }
        for tile in self.tiles.drain(..) {
            let columns: Vec<ArrayRef> = tile.columns.into_iter().map(|c| c.array).collect();
            let mut first = 0;
            for chunk in self.store.write(&columns)? {
                self.chunks.push_back(Piece { number: tile.number, first, chunk });
                first += chunk.rows;
            }
        }
        self.bytes = 0;
        self.share.hold(0);
        give_back();
        Ok(())
    }

    /// Some rows of a tile, and the place in it of the first of them.
    fn pop(&mut self) -> Result<Option<(Tile, usize)>, Failure> {
        if let Some(Piece { number, first, chunk }) = self.chunks.pop_front() {
            let columns = self.store.read(chunk)?.into_iter().map(Column::from).collect();
            let (origin, shape) = (vec![0], vec![chunk.rows]);
            return Ok(Some((Tile { number, origin, shape, columns, index: None }, first)));
        }
        let tile = self.tiles.pop_front();
        self.bytes -= tile.as_ref().map_or(0, size);
        self.share.hold(self.bytes);
        Ok(tile.map(|tile| (tile, 0)))
    }
}

/// Rows of a tile in a file, and the place in it of the first of them.
struct Piece {
    number: u64,
    first: usize,
    chunk: Chunk,
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
            let ints = |c: &Column| c.array.as_primitive::<Int64Type>().values().clone();
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

    /// The rows of a tile that each worker gets; the first has this place in it.
    fn rows(
        &self,
        keys: &[SortKey],
        tile: &Tile,
        first_row: usize,
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
                if order
                    .then_with(|| (tile.number as i64, (first_row + row) as i64).cmp(mark))
                    .is_lt()
                {
                    break;
                }
                worker += 1;
            }
            rows[worker].push(row as u32);
        }
        Ok(rows)
    }
}
