//! `Fold`: aggregates of everything, of rows with equal keys, or over dimensions.
mod all;
mod by;
mod groups;
mod held;
mod over;
mod singles;
mod states;

pub use groups::Groups;
pub use over::pieces;
pub use states::States;

use super::Stage;
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use crate::spill::Budget;
use crate::watch::Watch;
use arrow_array::ArrayRef;
use base::{Failure, Tile};
use plan::physical::{Fold, FoldKind};
use std::sync::Arc;

/// How many columns of a fold's groups are keys.
pub fn keys(fold: &Fold) -> usize {
    if let FoldKind::By(keys) = &fold.kind { keys.len() } else { 0 }
}

/// The part of a fold that each worker does with the tiles it has. Its `finish` and then `more` give
/// all that it holds, and leave it as it was before the first tile: they may be called in between.
///
/// # Errors
/// If the plan does not hold together.
pub fn partial(
    fold: &Fold,
    budget: &Arc<Budget>,
    watch: &Arc<Watch>,
) -> Result<Box<dyn Stage>, Failure> {
    Ok(match &fold.kind {
        FoldKind::All => Box::new(all::Partial::new(fold, budget, watch)?),
        FoldKind::By(keys) => Box::new(by::Partial::new(fold, keys, budget, watch)?),
        FoldKind::Over { keep, tiling, parts } => {
            Box::new(over::Partial::new(fold, keep, tiling, *parts, budget, watch)?)
        }
    })
}

/// The rest of a fold.
///
/// # Errors
/// If the plan does not hold together.
pub fn last(fold: &Fold, place: Place, budget: &Arc<Budget>) -> Result<Box<dyn Stage>, Failure> {
    Ok(match &fold.kind {
        FoldKind::All => Box::new(all::Final::new(fold, place, budget)?),
        FoldKind::By(keys) => Box::new(by::Final::new(fold, keys, place, budget)?),
        FoldKind::Over { tiling, parts, .. } => {
            Box::new(over::Final::new(fold, tiling, *parts, place, budget))
        }
    })
}

/// Rows of a tile that a fold gives, at most.
const TILE_ROWS: usize = 1 << 16;

/// Rows that are given on, a tile after the other.
#[derive(Default)]
struct Rows {
    columns: Vec<ArrayRef>,
    given: usize,
}

impl Rows {
    fn new(columns: Vec<ArrayRef>) -> Rows {
        Rows { columns, given: 0 }
    }

    /// How many are left.
    fn left(&self) -> usize {
        self.columns.first().map_or(0, |c| c.len()) - self.given
    }

    /// Gives the next tile, if there is one. Whether there are more.
    fn give(&mut self, number: u64, out: super::Out) -> bool {
        let (start, length) = (self.given, TILE_ROWS.min(self.left()));
        if length > 0 {
            self.given += length;
            let columns = self.columns.iter().map(|c| c.slice(start, length)).collect();
            out(Item::Tile(Parcel::free(Tile { number, ..rows(columns) })));
        }
        self.left() > 0
    }
}

/// Columns of equal length as a tile.
pub(crate) fn rows(columns: Vec<ArrayRef>) -> Tile {
    let shape = vec![columns.first().map_or(0, |c| c.len())];
    let columns = columns.into_iter().map(Into::into).collect();
    Tile { number: 0, origin: vec![0], shape, columns, index: None }
}
