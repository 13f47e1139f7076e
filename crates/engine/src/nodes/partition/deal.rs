//! `Deal`: sends each row to the worker that has its part.
use super::ASIDE;
use super::sample::Smallest;
use crate::hash;
use crate::nodes::order::column::{self, SortColumn};
use crate::nodes::order::rows::{columns, internal, pick};
use crate::nodes::{Out, Stage, to_rows};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::spill::{Budget, Chunk, Share, Store, give_back, size};
use arrow_array::{Array, ArrayRef, UInt32Array, UInt64Array};
use base::{Column, Failure, Tile};
use plan::physical::{Dealt, Partition, SortKey};
use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

/// Rows on their way to their parts.
pub struct Deal {
    plan: Partition,
    place: Place,
    /// The first key of each part but the first; `None` as long as it is not known.
    bounds: Option<Bounds>,
    sample: Smallest,
    /// Tiles that wait for the bounds.
    waiting: Vec<Tile>,
    share: Share,
    bytes: u64,
    /// Those that did not fit, and where each is.
    store: Option<Store>,
    stored: Vec<(u64, VecDeque<Chunk>)>,
    /// How many rows of each part this worker has dealt.
    counts: Vec<u64>,
}

impl Deal {
    /// For one worker.
    ///
    /// # Errors
    /// If the keys have no order.
    pub fn new(plan: &Partition, place: Place, budget: &Arc<Budget>) -> Result<Deal, Failure> {
        let bounds = match &plan.by {
            Dealt::Hash | Dealt::Range => None,
            Dealt::Bounds(bounds) => Some(Bounds::of(bounds.clone())?),
        };
        Ok(Deal {
            plan: plan.clone(),
            place,
            bounds,
            sample: Smallest::default(),
            waiting: Vec::new(),
            share: budget.share(),
            bytes: 0,
            store: None,
            stored: Vec::new(),
            counts: vec![0; plan.into as usize],
        })
    }

    fn deal(&mut self, tile: Tile, out: Out) -> Result<(), Failure> {
        let parts = self.parts(&tile)?;
        // All rows in the order of their parts, those of one part in theirs.
        let mut starts = vec![0u32; self.counts.len() + 1];
        parts.iter().for_each(|part| starts[*part as usize + 1] += 1);
        for part in 0..self.counts.len() {
            self.counts[part] += u64::from(starts[part + 1]);
            starts[part + 1] += starts[part];
        }
        let mut next = starts.clone();
        let mut order = vec![0u32; parts.len()];
        for (row, part) in parts.iter().enumerate() {
            let place = &mut next[*part as usize];
            order[*place as usize] = row as u32;
            *place += 1;
        }
        for worker in 0..self.place.workers {
            let own = (worker..self.counts.len()).step_by(self.place.workers);
            let rows =
                own.flat_map(|part| &order[starts[part] as usize..starts[part + 1] as usize]);
            let rows: Vec<u32> = rows.copied().collect();
            if rows.is_empty() {
                continue;
            }
            let own = UInt32Array::from_iter_values(rows.iter().map(|row| parts[*row as usize]));
            let mut piece = pick(tile.clone(), rows).map_err(internal)?;
            piece.columns.push(Column::from(Arc::new(own) as ArrayRef));
            out(Item::to(worker, piece));
        }
        Ok(())
    }

    /// Keeps a tile until the bounds are known.
    fn keep(&mut self, tile: Tile) -> Result<(), Failure> {
        self.bytes += size(&tile);
        self.waiting.push(tile);
        if self.share.hold(self.bytes) {
            return Ok(());
        }
        let mut store = self.store.take().unwrap_or_else(|| Store::new(&self.share));
        for tile in self.waiting.drain(..) {
            let columns: Vec<ArrayRef> = tile.columns.iter().map(|c| c.array.clone()).collect();
            self.stored.push((tile.number, store.write(&columns)?.into()));
        }
        self.store = Some(store);
        self.bytes = 0;
        self.share.hold(0);
        give_back();
        Ok(())
    }

    /// A tile, or a piece of one, that is still to be dealt.
    fn next(&mut self) -> Result<Option<Tile>, Failure> {
        if let Some(tile) = self.waiting.pop() {
            return Ok(Some(tile));
        }
        while let (Some((number, chunks)), Some(store)) = (self.stored.last_mut(), &self.store) {
            let Some(chunk) = chunks.pop_front() else {
                self.stored.pop();
                continue;
            };
            let (number, origin, shape) = (*number, vec![0], vec![chunk.rows]);
            let columns = store.read(chunk)?.into_iter().map(Column::from).collect();
            return Ok(Some(Tile { number, origin, shape, columns, index: None }));
        }
        Ok(None)
    }

    /// The part of each row.
    fn parts(&self, tile: &Tile) -> Result<Vec<u32>, Failure> {
        match &self.bounds {
            Some(bounds) => bounds.parts(&self.plan.keys, tile),
            None => {
                let key = |key: &usize| tile.columns.get(*key).map(|c| c.array.clone());
                let keys: Option<Vec<ArrayRef>> = self.plan.keys.iter().map(key).collect();
                let keys = keys.ok_or_else(|| Failure::internal("there is no such key"))?;
                let hashes = hash::rows(&keys, tile.points())?;
                Ok(hashes.iter().map(|hash| (hash % self.plan.into) as u32).collect())
            }
        }
    }
}

impl Stage for Deal {
    fn tile(&mut self, _input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        match (parcel.tile.number, &self.plan.by) {
            (ASIDE, _) => self.sample.push(parcel.tile),
            (_, Dealt::Range) => self.keep(parcel.tile),
            _ => self.deal(Tile { index: None, ..to_rows(parcel.tile)? }, out),
        }
    }

    fn finish(&mut self, _out: Out) -> Result<(), Failure> {
        if self.plan.by == Dealt::Range {
            let sample = std::mem::take(&mut self.sample).tile()?;
            self.bounds = Some(Bounds::between(sample, self.plan.keys.len(), self.counts.len())?);
        }
        Ok(())
    }

    fn more(&mut self, out: Out) -> Result<bool, Failure> {
        if let Some(tile) = self.next()? {
            self.deal(tile, out)?;
            return Ok(true);
        }
        let counts: ArrayRef = Arc::new(UInt64Array::from(std::mem::take(&mut self.counts)));
        for worker in 0..self.place.workers {
            let (origin, shape) = (vec![0], vec![counts.len()]);
            let columns = vec![counts.clone().into()];
            out(Item::to(worker, Tile { number: ASIDE, origin, shape, columns, index: None }));
        }
        Ok(false)
    }
}

/// The keys at which parts begin.
struct Bounds {
    columns: Vec<SortColumn>,
    rows: Vec<u32>,
}

impl Bounds {
    fn of(values: ArrayRef) -> Result<Bounds, Failure> {
        let rows = (0..values.len() as u32).collect();
        Ok(Bounds { columns: vec![SortColumn::new(vec![values], false)?], rows })
    }

    /// Those that cut a sample into so many parts of equal length.
    fn between(sample: Option<Tile>, keys: usize, parts: usize) -> Result<Bounds, Failure> {
        let Some(sample) = sample else {
            return Ok(Bounds { columns: Vec::new(), rows: Vec::new() });
        };
        let columns = columns(&ascending(0..keys), std::slice::from_ref(&sample))?;
        let n = sample.points();
        if n == 0 {
            return Ok(Bounds { columns: Vec::new(), rows: Vec::new() });
        }
        let mut order: Vec<u32> = (0..n as u32).collect();
        column::sort(&mut order, &columns);
        let rows = (1..parts).map(|part| order[part * n / parts]).collect();
        Ok(Bounds { columns, rows })
    }

    /// The part of each row of a tile.
    fn parts(&self, keys: &[usize], tile: &Tile) -> Result<Vec<u32>, Failure> {
        let own = columns(&ascending(keys.iter().copied()), std::slice::from_ref(tile))?;
        let part = |row: usize| {
            let before = |bound: &u32| {
                column::compare(&self.columns, *bound as usize, &own, row) != Ordering::Greater
            };
            self.rows.partition_point(before) as u32
        };
        Ok((0..tile.points()).map(part).collect())
    }
}

fn ascending(keys: impl Iterator<Item = usize>) -> Vec<SortKey> {
    keys.map(|column| SortKey { column, descending: false }).collect()
}
