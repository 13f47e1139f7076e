//! A fold over some dimensions of a box.
use super::held::Held;
use super::states::States;
use crate::nodes::apply::Apply;
use crate::nodes::{Out, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::spill::{Budget, size};
use crate::watch::Watch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array};
use base::{Column, DimMask, Failure, Region, Tile, Tiling};
use expr::{Block, Groups};
use plan::physical::Fold;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// Rows of one cell in a row from which on they are folded as a run and not one by one.
const RUN: usize = 32;

/// Cells of results under way that a worker holds, at most: beyond, it gives them all away.
const HELD_CELLS: usize = 1 << 20;

/// Folds tiles over the dimensions that go. Where several make a part of the result, this worker's
/// are folded into one set of states.
pub struct Partial {
    apply: Apply,
    fold: Fold,
    keep: Vec<usize>,
    /// For each dimension that stays, the first points of its tiles in the result.
    starts: Vec<Vec<u64>>,
    /// How many tiles make a part of the result.
    parts: u64,
    cells: Cells,
    /// Parts of the result under way, by their first point, and their cells in all.
    open: BTreeMap<Vec<u64>, Open>,
    held: usize,
    /// States that can be used again.
    spare: Option<States>,
    values: Held,
}

/// A part of the result under way.
struct Open {
    region: Region,
    states: States,
    /// So many tiles are in it.
    tiles: u64,
}

impl Partial {
    pub fn new(
        fold: &Fold,
        keep: &[usize],
        tiling: &Tiling,
        parts: u64,
        budget: &Arc<Budget>,
        watch: &Arc<Watch>,
    ) -> Result<Partial, Failure> {
        Ok(Partial {
            apply: Apply::new(&fold.apply, watch),
            fold: fold.clone(),
            keep: keep.to_vec(),
            starts: tiling.starts(),
            parts,
            cells: Cells::default(),
            open: BTreeMap::new(),
            held: 0,
            spare: None,
            values: Held::new(fold, budget),
        })
    }

    /// The part of the result that a tile belongs to.
    fn open(&mut self, tile: &Tile) -> Result<Open, Failure> {
        let region = Region {
            origin: self.keep.iter().map(|d| tile.origin[*d]).collect(),
            shape: self.keep.iter().map(|d| tile.shape[*d]).collect(),
        };
        if let Some(open) = self.open.remove(&region.origin) {
            self.held -= region.points();
            return Ok(open);
        }
        let mut states = match self.spare.take() {
            Some(states) => states,
            None => States::shared(&self.fold)?,
        };
        states.resize(region.points());
        Ok(Open { region, states, tiles: 0 })
    }

    /// Gives states away, a tile for each tile of the result.
    fn give(&mut self, open: Open, from: Option<&Parcel>, out: Out) -> Result<(), Failure> {
        let Open { region, mut states, tiles } = open;
        let columns = states.states();
        let tiles: ArrayRef = Arc::new(Int64Array::from(vec![tiles as i64]));
        for (number, part, cells) in pieces(&self.starts, &region)? {
            let mut columns: Vec<Column> = columns
                .iter()
                .map(|c| Column {
                    mask: part_mask(&part),
                    array: c.slice(cells.start, cells.len()),
                })
                .collect();
            columns.push(Column { mask: DimMask::SCALAR, array: tiles.clone() });
            let tile =
                Tile { number, origin: part.origin, shape: part.shape, columns, index: None };
            out(Item::Tile(match from {
                Some(parcel) => parcel.derive(tile),
                None => Parcel::free(tile),
            }));
        }
        states.clear();
        self.spare = Some(states);
        Ok(())
    }
}

impl Stage for Partial {
    fn tile(&mut self, _input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        let mut open = self.open(&parcel.tile)?;
        let Partial { apply, keep, cells, .. } = self;
        cells.fit(&parcel.tile.shape, keep);
        apply.blocks(&parcel.tile, &mut |block| {
            cells.update(&mut open.states, block);
            Ok(())
        })?;
        open.tiles += 1;
        if open.tiles == self.parts {
            return self.give(open, Some(&parcel), out);
        }
        self.held += open.region.points();
        self.open.insert(open.region.origin.clone(), open);
        if self.held > HELD_CELLS {
            return self.finish(out);
        }
        let open = &self.open;
        self.values.came(size(&parcel.tile), || held(open))
    }

    fn held(&self) -> u64 {
        held(&self.open)
    }

    fn finish(&mut self, out: Out) -> Result<(), Failure> {
        self.held = 0;
        while let Some((_, open)) = self.open.pop_first() {
            self.give(open, None, out)?;
        }
        Ok(())
    }
}

/// Bytes of the states of all parts under way.
fn held(open: &BTreeMap<Vec<u64>, Open>) -> u64 {
    open.values().map(|open| open.states.bytes() as u64).sum()
}

/// The tiles of the result in a region that has cuts only along the first dimension: the number of
/// each, its box, and its cells among those of the region. `starts` are the first points of all tiles
/// along each dimension.
///
/// # Errors
/// If the region begins where no tile does.
pub fn pieces(
    starts: &[Vec<u64>],
    region: &Region,
) -> Result<Vec<(u64, Region, Range<usize>)>, Failure> {
    let mut number = 0;
    for ((starts, origin), dim) in starts.iter().zip(&region.origin).zip(0..) {
        let at = starts.binary_search(origin).map_err(|_| wrong())?;
        number = number * (if dim == 0 { 1 } else { starts.len() as u64 }) + at as u64;
    }
    let Some(first) = starts.first() else { return Ok(vec![(0, region.clone(), 0..1)]) };
    let rest: u64 = starts[1..].iter().map(|s| s.len() as u64).product();
    let row: usize = region.shape[1..].iter().product();
    let end = region.origin[0] + region.shape[0] as u64;
    let begin = first.binary_search(&region.origin[0]).map_err(|_| wrong())?;
    let mut list = Vec::new();
    for (k, start) in first[begin..].iter().take_while(|s| **s < end).enumerate() {
        let next = first.get(begin + k + 1).copied().unwrap_or(end).min(end);
        let mut part = region.clone();
        (part.origin[0], part.shape[0]) = (*start, (next - start) as usize);
        let cells =
            (start - region.origin[0]) as usize * row..(next - region.origin[0]) as usize * row;
        list.push((number + k as u64 * rest, part, cells));
    }
    Ok(list)
}

fn wrong() -> Failure {
    Failure::internal("a fold over rows, or another tiling")
}

/// For each point of a tile the cell of the result it is folded into.
#[derive(Default)]
struct Cells {
    shape: Vec<usize>,
    /// So many points in a row have the same cell: those of the dimensions behind the last kept.
    inner: usize,
    /// The cell of each such row.
    table: Vec<u32>,
    count: usize,
    each: Vec<u32>,
}

impl Cells {
    /// For tiles of this shape; does nothing if it is that of the tile before.
    fn fit(&mut self, shape: &[usize], keep: &[usize]) {
        if self.shape == shape && self.inner > 0 {
            return;
        }
        let outer = keep.last().map_or(0, |last| last + 1);
        self.shape = shape.to_vec();
        self.inner = shape[outer..].iter().product::<usize>().max(1);
        self.count = keep.iter().map(|d| shape[*d]).product();
        self.table = vec![0];
        for (dim, size) in shape[..outer].iter().enumerate() {
            let kept = keep.contains(&dim);
            let cell =
                |(cell, i): (u32, usize)| if kept { cell * *size as u32 + i as u32 } else { cell };
            let cells = self.table.iter().flat_map(|c| (0..*size).map(move |i| (*c, i)));
            self.table = cells.map(cell).collect();
        }
    }

    fn update(&mut self, states: &mut States, block: &Block) {
        let (start, len) = (block.start, block.len);
        let cell = |point: usize| self.table.get(point / self.inner).copied().unwrap_or(0);
        self.each.clear();
        match block.positions() {
            None if self.inner >= RUN => {
                let mut at = start;
                while at < start + len {
                    let end = (at + 1).next_multiple_of(self.inner).min(start + len);
                    states.update_run(block, at - start..end - start, cell(at));
                    at = end;
                }
                return;
            }
            None if self.inner == 1 => self.each.extend_from_slice(&self.table[start..start + len]),
            None => self.each.extend((start..start + len).map(cell)),
            Some(points) => self.each.extend(points.iter().map(|p| cell(*p as usize))),
        }
        states.update(block, Groups::Each(&self.each));
    }
}

/// Merges the states of all tiles that make a tile of the result.
pub struct Final {
    fold: Fold,
    tiling: Tiling,
    parts: u64,
    place: Place,
    /// For each tile of the result its states, and of how many tiles they are.
    open: HashMap<u64, (States, u64)>,
    /// 0, 1, 2 …
    groups: Vec<u32>,
    values: Held,
}

impl Final {
    pub fn new(
        fold: &Fold,
        tiling: &Tiling,
        parts: u64,
        place: Place,
        budget: &Arc<Budget>,
    ) -> Final {
        let (open, values, groups) = (HashMap::new(), Held::new(fold, budget), Vec::new());
        let (fold, tiling) = (fold.clone(), tiling.clone());
        Final { fold, tiling, parts, place, open, groups, values }
    }

    fn give(&self, number: u64, mut states: States, out: Out) -> Result<(), Failure> {
        let results = states.finish()?;
        out(Item::Tile(Parcel::free(tile(number, self.tiling.region(number), results))));
        Ok(())
    }
}

impl Stage for Final {
    fn tile(&mut self, _input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        let Parcel { tile, credit: _held } = parcel;
        let cells = tile.points();
        let (mut states, mut seen) = match self.open.remove(&tile.number) {
            Some(open) => open,
            None => (States::shared(&self.fold)?, 0),
        };
        states.resize(cells);
        self.groups.extend(self.groups.len() as u32..cells as u32);
        let (tiles, columns) = tile.columns.split_last().ok_or_else(wrong)?;
        states.merge(columns, &self.groups[..cells])?;
        seen += tiles.array.as_primitive_opt::<Int64Type>().ok_or_else(wrong)?.value(0) as u64;
        if seen == self.parts {
            return self.give(tile.number, states, out);
        }
        self.open.insert(tile.number, (states, seen));
        let open = self.open.values();
        self.values.came(size(&tile), || open.map(|(states, _)| states.bytes() as u64).sum())
    }

    fn finish(&mut self, out: Out) -> Result<(), Failure> {
        if !self.open.is_empty() {
            return Err(Failure::internal("tiles of a fold over dimensions are missing"));
        }
        // Folded over a dimension without points: every cell is that of no values.
        if self.parts == 0 {
            let step = self.place.workers;
            for number in (self.place.worker as u64..self.tiling.count()).step_by(step) {
                let mut states = States::shared(&self.fold)?;
                states.resize(self.tiling.region(number).points());
                self.give(number, states, out)?;
            }
        }
        Ok(())
    }
}

/// That of a column which varies along all dimensions of a region.
fn part_mask(region: &Region) -> DimMask {
    DimMask::first(region.shape.len())
}

fn tile(number: u64, region: Region, columns: Vec<ArrayRef>) -> Tile {
    let mask = part_mask(&region);
    let columns = columns.into_iter().map(|array| Column { mask, array }).collect();
    Tile { number, origin: region.origin, shape: region.shape, columns, index: None }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use base::Domain;

    #[test]
    fn cells_of_kept_dimensions() {
        let mut cells = Cells::default();
        cells.fit(&[2, 3, 2], &[0, 2]);
        assert_eq!((cells.inner, cells.count), (1, 4));
        assert_eq!(cells.table, [0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3]);
        cells.fit(&[2, 3, 4], &[1]);
        assert_eq!((cells.inner, cells.count), (4, 3));
        assert_eq!(cells.table, [0, 1, 2, 0, 1, 2]);
        cells.fit(&[5], &[]);
        assert_eq!((cells.inner, cells.count, &cells.table[..]), (5, 1, &[0][..]));
    }

    #[test]
    fn a_region_has_cuts_along_its_first_dimension() {
        let domain = Domain::new([("a", 9), ("b", 8)]);
        let starts = Tiling::even(&domain, &[2, 4]).starts();
        let region = Region { origin: vec![4, 4], shape: vec![5, 4] };
        let pieces = pieces(&starts, &region).unwrap();
        let told: Vec<_> = pieces.iter().map(|(n, r, c)| (*n, r.origin[0], c.clone())).collect();
        assert_eq!(told, [(5, 4, 0..8), (7, 6, 8..16), (9, 8, 16..20)]);
        assert!(pieces_of_scalar().iter().all(|(n, _, c)| (*n, c.clone()) == (0, 0..1)));
    }

    fn pieces_of_scalar() -> Vec<(u64, Region, Range<usize>)> {
        pieces(&[], &Region { origin: vec![], shape: vec![] }).unwrap()
    }
}
