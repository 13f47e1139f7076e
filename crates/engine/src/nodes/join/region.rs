//! A part of a column of a box that is there in tiles.
use super::internal;
use arrow_array::{Array, ArrayRef, make_array};
use arrow_data::transform::MutableArrayData;
use base::{DimMask, Failure, Tile, Tiling};
use std::collections::HashMap;

/// All tiles of a box.
pub struct Whole {
    tiles: HashMap<u64, Tile>,
    /// For each dimension the first points of its tiles.
    starts: Vec<Vec<u64>>,
}

/// A dimension of the part: where it begins and how many points it has.
pub type Span = (u64, usize);

/// Where a point lies along a dimension: the place of its tile, and its place in that tile.
type Place = (u64, usize);

impl Whole {
    /// No tiles yet.
    pub fn new(tiling: &Tiling) -> Whole {
        Whole { tiles: HashMap::new(), starts: tiling.starts() }
    }

    /// Adds a tile.
    pub fn push(&mut self, tile: Tile) {
        self.tiles.insert(tile.number, tile);
    }

    /// The values of a column, which varies along the dimensions in `mask`, in a part of the box;
    /// row-major over the dimensions in the order that `order` lists them.
    ///
    /// # Errors
    /// If tiles are missing.
    pub fn part(
        &self,
        column: usize,
        mask: DimMask,
        order: &[usize],
        spans: &[Span],
    ) -> Result<ArrayRef, Failure> {
        let along: Vec<usize> = order.iter().copied().filter(|d| mask.has(*d)).collect();
        let places: Vec<Vec<Place>> = along.iter().map(|d| self.places(*d, spans[*d])).collect();
        let mut runs = Runs { tiles: Vec::new(), list: Vec::new() };
        if places.iter().all(|p| !p.is_empty()) {
            self.walk(&along, &places, &mut vec![(0, 0); self.starts.len()], mask, &mut runs)?;
        }
        runs.array(column, self)
    }

    fn places(&self, dim: usize, (first, count): Span) -> Vec<Place> {
        let starts = &self.starts[dim];
        let place = |at: u64| {
            let tile = starts.partition_point(|start| *start <= at).saturating_sub(1);
            (tile as u64, (at - starts.get(tile).copied().unwrap_or(0)) as usize)
        };
        (first..first + count as u64).map(place).collect()
    }

    /// Goes through the points of the part in their order.
    fn walk(
        &self,
        along: &[usize],
        places: &[Vec<Place>],
        at: &mut Vec<Place>,
        mask: DimMask,
        runs: &mut Runs,
    ) -> Result<(), Failure> {
        let (Some((dim, along)), Some((own, places))) = (along.split_first(), places.split_first())
        else {
            let (tile, place) = self.find(at, mask)?;
            runs.add(tile, place);
            return Ok(());
        };
        for place in own {
            at[*dim] = *place;
            self.walk(along, places, at, mask, runs)?;
        }
        Ok(())
    }

    /// The number of the tile that has a point, and its place in the column's array there.
    fn find(&self, at: &[Place], mask: DimMask) -> Result<(u64, usize), Failure> {
        let pairs = at.iter().zip(&self.starts);
        let number = pairs.fold(0, |n, ((tile, _), starts)| n * starts.len() as u64 + tile);
        let missing = || Failure::internal("a tile of a box to join with is missing");
        let shape = &self.tiles.get(&number).ok_or_else(missing)?.shape;
        let place = mask.iter().fold(0, |place, d| place * shape[d] + at[d].1);
        Ok((number, place))
    }
}

/// Runs of neighbouring values in tiles: the tile's place in `tiles`, the first value and the one
/// after the last.
struct Runs {
    tiles: Vec<u64>,
    list: Vec<(usize, usize, usize)>,
}

impl Runs {
    fn add(&mut self, tile: u64, place: usize) {
        if let Some((at, _, end)) = self.list.last_mut()
            && self.tiles[*at] == tile
            && *end == place
        {
            *end += 1;
            return;
        }
        let at = self.tiles.iter().position(|t| *t == tile).unwrap_or_else(|| {
            self.tiles.push(tile);
            self.tiles.len() - 1
        });
        self.list.push((at, place, place + 1));
    }

    fn array(&self, column: usize, whole: &Whole) -> Result<ArrayRef, Failure> {
        let missing = || Failure::internal("a tile of a box to join with lacks a column");
        let array = |tile: &Tile| tile.columns.get(column).map(|c| c.array.clone());
        let arrays = self.tiles.iter().map(|n| whole.tiles.get(n).and_then(array));
        let arrays: Vec<ArrayRef> = arrays.collect::<Option<_>>().ok_or_else(missing)?;
        if let [(at, start, end)] = self.list[..] {
            return Ok(arrays[at].slice(start, end - start));
        }
        // Of no points: the type of any tile.
        let Some(first) = arrays.first().cloned().or_else(|| whole.tiles.values().find_map(array))
        else {
            return Err(missing());
        };
        let data: Vec<_> = arrays.iter().map(|a| a.to_data()).collect();
        if data.is_empty() {
            return Ok(first.slice(0, 0));
        }
        let count = self.list.iter().map(|(_, start, end)| end - start).sum();
        let mut all = MutableArrayData::new(data.iter().collect(), false, count);
        for (at, start, end) in &self.list {
            all.try_extend(*at, *start, *end).map_err(internal)?;
        }
        Ok(make_array(all.freeze()))
    }
}
