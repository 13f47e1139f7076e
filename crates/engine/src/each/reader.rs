//! The tiles of a row that goes by the plan for all rows.
use arrow_array::{ArrayRef, Int64Array};
use base::{Column, DimMask, Failure, Region, Tile};
use expr::Given;
use plan::each::{Moved, Template};
use plan::physical::Op;
use std::sync::Arc;

/// The tiles of a row, with the columns that the programs behind the reader take.
pub struct Tiles<'a> {
    moved: &'a Moved,
    needed: &'a [usize],
    /// The columns of the reader; those of the row are behind them.
    width: usize,
    /// The place of the reader.
    place: &'a str,
    next: u64,
    count: u64,
}

impl<'a> Tiles<'a> {
    /// Of a row.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub fn of(template: &'a Template, moved: &'a Moved) -> Result<Tiles<'a>, Failure> {
        let node = &template.physical.nodes[template.read];
        let Op::Read(read) = &node.op else {
            return Err(Failure::internal("a row that reads nothing"));
        };
        let place = if read.place.is_empty() { &node.place } else { &read.place };
        let (needed, width) = (&template.needed[..], moved.read.columns.len());
        let count = moved.read.tiling.count();
        Ok(Tiles { moved, needed, width, place, next: 0, count })
    }

    fn tile(&self, number: u64) -> Result<Tile, Failure> {
        let read = &self.moved.read;
        let mut region = read.tiling.region(number);
        let loaded = |i: &&usize| **i < self.width && read.columns[**i].is_some();
        let of_file = self.needed.iter().filter(loaded).filter_map(|i| read.columns[*i]);
        let of_file: Vec<usize> = of_file.collect();
        let mut columns = Vec::new();
        if let (Some(source), false) = (&read.source, of_file.is_empty()) {
            region.origin.iter_mut().zip(&read.offset).for_each(|(at, offset)| *at += offset);
            columns = source.read(&region, &of_file).map_err(|f| f.context(self.place))?;
            region.origin.iter_mut().zip(&read.offset).for_each(|(at, offset)| *at -= offset);
        }
        let mut columns = columns.into_iter();
        let lost = || Failure::internal("a source gives fewer columns than asked for");
        let mut all = Vec::with_capacity(self.needed.len());
        for i in self.needed {
            all.push(match i.checked_sub(self.width) {
                Some(of_row) => {
                    let array = self.moved.row.get(of_row).ok_or_else(lost)?.clone();
                    Column { mask: DimMask::SCALAR, array }
                }
                None if read.columns[*i].is_some() => columns.next().ok_or_else(lost)?,
                None => known(&read.given[*i], *i, &region, read)?,
            });
        }
        let (origin, shape) = (region.origin, region.shape);
        Ok(Tile { number, origin, shape, columns: all, index: None })
    }
}

/// The values of a column that no file has in a region: it varies along one dimension.
fn known(
    given: &Given,
    column: usize,
    region: &Region,
    read: &plan::each::RowRead,
) -> Result<Column, Failure> {
    let dim = if region.shape.len() == 1 { 0 } else { column };
    let lost = || Failure::internal("a column of nothing");
    let (first, count) = (*region.origin.get(dim).ok_or_else(lost)?, region.shape[dim]);
    let array: ArrayRef = match given {
        Given::Counter { start, step } => {
            let value = |i: usize| start.wrapping_add(step.wrapping_mul((first + i as u64) as i64));
            Arc::new(Int64Array::from_iter_values((0..count).map(value)))
        }
        Given::Table(all) | Given::Loose(all) => {
            let size = read.domain.dims[dim].size.unwrap_or(0) as usize;
            if all.len() != size {
                return Err(lost());
            }
            all.slice(first as usize, count)
        }
        Given::Loaded => return Err(lost()),
    };
    Ok(Column { mask: DimMask::only(dim), array })
}

impl Iterator for Tiles<'_> {
    type Item = Result<Tile, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.next;
        self.next += 1;
        (number < self.count).then(|| self.tile(number))
    }
}
