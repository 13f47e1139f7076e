//! `Overlay`: tiles of a box, and beside them the same part of a smaller box.
use super::region::{Span, Whole};
use super::{columns, internal};
use crate::nodes::order::rows::compact;
use crate::nodes::{Out, Stage};
use crate::parcel::{Item, Parcel};
use arrow_array::ArrayRef;
use arrow_data::ArrayData;
use base::{Column, DimMask, Failure, Tile};
use plan::physical;
use std::collections::HashMap;

/// Passes the left's tiles on, each with its part of the right, when the right has ended.
pub struct Overlay {
    plan: physical::Overlay,
    /// The dimensions of the right in the order of the left's.
    order: Vec<usize>,
    whole: Whole,
    ended: bool,
    waiting: Vec<Parcel>,
    /// The columns of parts that have been asked for: the left's tiles that differ only along
    /// other dimensions share them.
    parts: HashMap<Vec<Span>, Vec<ArrayRef>>,
    free: bool,
}

impl Overlay {
    /// For one worker. With `free`, tiles that wait give up their credits.
    pub fn new(plan: &physical::Overlay, free: bool) -> Overlay {
        let mut order: Vec<usize> = (0..plan.dims.len()).collect();
        order.sort_by_key(|d| plan.dims[*d]);
        Overlay {
            plan: plan.clone(),
            order,
            whole: Whole::new(&plan.tiling),
            ended: false,
            waiting: Vec::new(),
            parts: HashMap::new(),
            free,
        }
    }

    fn pass(&mut self, parcel: Parcel, out: Out) -> Result<(), Failure> {
        let tile = &parcel.tile;
        let span = |place: &Option<usize>| match place {
            Some(d) => (tile.origin[*d], tile.shape[*d]),
            None => (0, 1),
        };
        let spans: Vec<Span> = self.plan.dims.iter().map(span).collect();
        let Overlay { plan, order, whole, parts, .. } = self;
        let part = |(column, mask): &(usize, DimMask)| whole.part(*column, *mask, order, &spans);
        if !parts.contains_key(&spans) {
            for checked in &plan.checked {
                same(checked, tile, &part(&checked.right)?, &spans)?;
            }
            let all = plan.right.iter().map(part).collect::<Result<_, Failure>>()?;
            parts.insert(spans.clone(), all);
        }
        let right = parts.get(&spans).map_or(&[][..], Vec::as_slice);
        let left = plan.left.iter().map(|i| tile.columns.get(*i).cloned());
        let left: Option<Vec<Column>> = left.collect();
        let mut columns = left.ok_or_else(|| Failure::internal("a box lacks a column"))?;
        for (array, (_, mask)) in right.iter().zip(&plan.right) {
            let along = mask.iter().filter_map(|d| Some(DimMask::only(plan.dims[d]?)));
            let mask = along.fold(DimMask::SCALAR, DimMask::union);
            let mut column = Column { mask, array: array.clone() };
            if plan.rows {
                column = tile.expand(&column).map_err(internal)?.into();
            }
            columns.push(column);
        }
        let tile = Tile { columns, ..tile.clone() };
        out(Item::Tile(parcel.derive(tile)));
        Ok(())
    }
}

/// # Errors
/// If a coordinate is not the same in both.
fn same(
    checked: &physical::Checked,
    tile: &Tile,
    right: &ArrayRef,
    spans: &[Span],
) -> Result<(), Failure> {
    let left = columns(tile, &[checked.left])?.remove(0);
    let one = |array: &ArrayRef, i: usize| array.slice(i, 1).to_data();
    let equal = |a: &ArrayData, b: &ArrayData| a == b;
    if left.len() == right.len() && equal(&left.to_data(), &right.to_data()) {
        return Ok(());
    }
    let differ = (0..left.len().min(right.len())).find(|i| one(&left, *i) != one(right, *i));
    let (name, at) = (&checked.name, differ.unwrap_or(left.len().min(right.len())));
    let first = checked.right.1.iter().next().map_or(0, |d| spans[d].0);
    let place = first + at as u64;
    let value = |array: &ArrayRef| match at < array.len() {
        true => format!("{:?}", array.slice(at, 1)),
        false => "nothing".to_owned(),
    };
    Err(Failure::data(format!(
        "the coordinate `{name}` is not the same in both boxes: point {place} is {} in the left \
         and {} in the right",
        value(&left),
        value(right)
    )))
}

impl Stage for Overlay {
    fn tile(&mut self, input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        match (input, self.ended) {
            (1, _) => self.whole.push(compact(parcel.tile)?),
            (_, false) => {
                let credit = parcel.credit.filter(|_| !self.free);
                self.waiting.push(Parcel { credit, ..parcel });
            }
            (_, true) => self.pass(parcel, out)?,
        }
        Ok(())
    }

    fn input_ends(&mut self, input: usize, out: Out) -> Result<(), Failure> {
        if input == 1 {
            self.ended = true;
            for parcel in std::mem::take(&mut self.waiting) {
                self.pass(parcel, out)?;
            }
        }
        Ok(())
    }
}
