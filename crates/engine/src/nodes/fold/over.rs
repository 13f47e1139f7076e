//! A fold over some dimensions of a box.
use super::states::States;
use crate::nodes::apply::Apply;
use crate::nodes::{Out, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use arrow_array::ArrayRef;
use base::{Column, DimMask, Failure, Region, Tile, Tiling};
use expr::{Block, Groups};
use plan::physical::Fold;
use std::collections::HashMap;

/// Rows of one cell in a row from which on they are folded as a run and not one by one.
const RUN: usize = 32;

/// Folds each tile over the dimensions that go.
pub struct Partial {
    apply: Apply,
    states: States,
    keep: Vec<usize>,
    /// For each dimension that stays, the first points of its tiles.
    starts: Vec<Vec<u64>>,
    cells: Cells,
}

impl Partial {
    pub fn new(fold: &Fold, keep: &[usize], tiling: &Tiling) -> Result<Partial, Failure> {
        Ok(Partial {
            apply: Apply::new(&fold.apply),
            states: States::new(fold)?,
            keep: keep.to_vec(),
            starts: starts(tiling),
            cells: Cells::default(),
        })
    }

    /// The number of the result's tile that a tile belongs to.
    fn number(&self, tile: &Tile) -> Result<u64, Failure> {
        let mut number = 0;
        for (dim, starts) in self.keep.iter().zip(&self.starts) {
            let at = tile.origin.get(*dim).and_then(|o| starts.binary_search(o).ok());
            let at = at.ok_or_else(|| Failure::internal("a fold over rows, or another tiling"))?;
            number = number * starts.len() as u64 + at as u64;
        }
        Ok(number)
    }
}

impl Stage for Partial {
    fn tile(&mut self, _input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        let number = self.number(&parcel.tile)?;
        let Partial { apply, states, keep, cells, .. } = self;
        cells.fit(&parcel.tile.shape, keep);
        states.clear();
        states.resize(cells.count);
        apply.blocks(&parcel.tile, &mut |block| {
            cells.update(states, block);
            Ok(())
        })?;
        let region = Region {
            origin: keep.iter().map(|d| parcel.tile.origin[*d]).collect(),
            shape: keep.iter().map(|d| parcel.tile.shape[*d]).collect(),
        };
        out(Item::Tile(parcel.derive(tile(number, region, states.states()))));
        Ok(())
    }
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
    open: HashMap<u64, (States, u64)>,
}

impl Final {
    pub fn new(fold: &Fold, tiling: &Tiling, parts: u64, place: Place) -> Final {
        Final { fold: fold.clone(), tiling: tiling.clone(), parts, place, open: HashMap::new() }
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
        let (mut states, seen) = match self.open.remove(&tile.number) {
            Some(open) => open,
            None => (States::new(&self.fold)?, 0),
        };
        states.resize(cells);
        let groups: Vec<u32> = (0..cells as u32).collect();
        states.merge(&tile.columns, &groups)?;
        if seen + 1 == self.parts {
            return self.give(tile.number, states, out);
        }
        self.open.insert(tile.number, (states, seen + 1));
        Ok(())
    }

    fn finish(&mut self, out: Out) -> Result<(), Failure> {
        if !self.open.is_empty() {
            return Err(Failure::internal("tiles of a fold over dimensions are missing"));
        }
        // Folded over a dimension without points: every cell is that of no values.
        if self.parts == 0 {
            let step = self.place.workers;
            for number in (self.place.worker as u64..self.tiling.count()).step_by(step) {
                let mut states = States::new(&self.fold)?;
                states.resize(self.tiling.region(number).points());
                self.give(number, states, out)?;
            }
        }
        Ok(())
    }
}

fn tile(number: u64, region: Region, columns: Vec<ArrayRef>) -> Tile {
    let mask = DimMask::first(region.shape.len());
    let columns = columns.into_iter().map(|array| Column { mask, array }).collect();
    Tile { number, origin: region.origin, shape: region.shape, columns, index: None }
}

/// For each dimension the first points of its tiles.
fn starts(tiling: &Tiling) -> Vec<Vec<u64>> {
    let counts = tiling.counts();
    if counts.contains(&0) {
        return vec![Vec::new(); counts.len()];
    }
    let mut stride: u64 = counts.iter().product();
    let dim = |(dim, count): (usize, &u64)| {
        stride /= count;
        (0..*count).map(|i| tiling.region(i * stride).origin[dim]).collect()
    };
    counts.iter().enumerate().map(dim).collect()
}

#[cfg(test)]
mod tests {
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
    fn the_first_points_of_tiles() {
        let domain = Domain::new([("a", 5), ("b", 7)]);
        assert_eq!(starts(&Tiling::even(&domain, &[2, 7])), [vec![0, 2, 4], vec![0]]);
        assert!(starts(&Tiling::even(&domain, &[5, 7]).project(&[])).is_empty());
    }
}
