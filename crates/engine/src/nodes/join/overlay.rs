//! `Overlay`: tiles of a box, and beside them the same part of a smaller box.
use super::common::Common;
use super::region::{Span, Whole};
use super::{columns, internal};
use crate::credit::Wake;
use crate::nodes::order::rows::compact;
use crate::nodes::{Out, Stage};
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use arrow_array::ArrayRef;
use arrow_data::ArrayData;
use base::{Column, DimMask, Failure, Tile};
use plan::physical;
use std::collections::HashMap;
use std::sync::Arc;

/// Passes the left's tiles on, each with its part of the right, when the right has ended.
pub struct Overlay {
    plan: physical::Overlay,
    /// The dimensions of the right in the order of the left's.
    order: Vec<usize>,
    all: Arc<All>,
    right_ended: bool,
    waiting: Vec<Parcel>,
    /// The columns of parts that have been asked for: the left's tiles that differ only along
    /// other dimensions share them.
    parts: HashMap<Vec<Span>, Vec<ArrayRef>>,
    free: bool,
}

/// What the workers of a process have of the right.
pub type All = Common<Whole, Whole>;

/// None of it yet.
pub fn all(plan: &physical::Overlay, place: Place) -> All {
    Common::new(place.threads, Whole::new(&plan.tiling))
}

impl Overlay {
    /// For one worker. With `free`, tiles that wait give up their credits.
    pub fn new(plan: &physical::Overlay, all: Arc<All>, free: bool) -> Overlay {
        let mut order: Vec<usize> = (0..plan.dims.len()).collect();
        order.sort_by_key(|d| plan.dims[*d]);
        Overlay {
            plan: plan.clone(),
            order,
            all,
            right_ended: false,
            waiting: Vec::new(),
            parts: HashMap::new(),
            free,
        }
    }

    /// What has waited for the right to end goes on, if it has.
    fn go_on(&mut self, out: Out) -> Result<(), Failure> {
        let all = self.all.clone();
        let Some(whole) = all.get() else { return Ok(()) };
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_iter().try_for_each(|parcel| self.pass(whole, parcel, out))
    }

    fn pass(&mut self, whole: &Whole, parcel: Parcel, out: Out) -> Result<(), Failure> {
        let tile = &parcel.tile;
        let span = |place: &Option<usize>| match place {
            Some(d) => (tile.origin[*d], tile.shape[*d]),
            None => (0, 1),
        };
        let spans: Vec<Span> = self.plan.dims.iter().map(span).collect();
        let Overlay { plan, order, parts, .. } = self;
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
    fn wake_by(&mut self, wake: Wake) {
        self.all.wake_by(wake);
    }

    fn tile(&mut self, input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        if input == 1 {
            let tile = compact(parcel.tile)?;
            return self.all.add(|whole| {
                whole.push(tile);
                Ok(())
            });
        }
        // Who waits for the right to end gives up the credit only if it has to.
        let keep = !self.free || self.all.get().is_some();
        let credit = parcel.credit.filter(|_| keep);
        self.waiting.push(Parcel { credit, ..parcel });
        self.go_on(out)
    }

    fn idle(&mut self, out: Out) -> Result<bool, Failure> {
        self.go_on(out)?;
        Ok(false)
    }

    fn input_ends(&mut self, input: usize, out: Out) -> Result<(), Failure> {
        if input == 1 {
            self.right_ended = true;
            self.all.end(Ok)?;
        }
        self.go_on(out)
    }

    fn waits(&self) -> bool {
        self.right_ended && self.all.get().is_none()
    }

    fn more(&mut self, out: Out) -> Result<bool, Failure> {
        self.go_on(out)?;
        Ok(false)
    }
}
