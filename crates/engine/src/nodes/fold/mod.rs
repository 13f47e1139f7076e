//! `Fold`: aggregates of everything, of rows with equal keys, or over dimensions.
mod all;
mod by;
mod over;
mod states;

use super::Stage;
use crate::options::Place;
use crate::parcel::{Item, Parcel};
use arrow_array::ArrayRef;
use base::{Failure, Tile};
use plan::physical::{Fold, FoldKind};

/// The part of a fold that each worker does with the tiles it has.
///
/// # Errors
/// If the plan does not hold together.
pub fn partial(fold: &Fold) -> Result<Box<dyn Stage>, Failure> {
    Ok(match &fold.kind {
        FoldKind::All => Box::new(all::Partial::new(fold)?),
        FoldKind::By(keys) => Box::new(by::Partial::new(fold, keys)?),
        FoldKind::Over { keep, tiling, parts } => {
            Box::new(over::Partial::new(fold, keep, tiling, *parts)?)
        }
    })
}

/// The rest of a fold.
///
/// # Errors
/// If the plan does not hold together.
pub fn last(fold: &Fold, place: Place) -> Result<Box<dyn Stage>, Failure> {
    Ok(match &fold.kind {
        FoldKind::All => Box::new(all::Final::new(fold, place)?),
        FoldKind::By(keys) => Box::new(by::Final::new(fold, keys, place)?),
        FoldKind::Over { tiling, parts, .. } => {
            Box::new(over::Final::new(fold, tiling, *parts, place))
        }
    })
}

/// Rows of a tile that a fold gives, at most.
const TILE_ROWS: usize = 1 << 16;

/// Gives rows on in tiles of [`TILE_ROWS`], the k-th numbered `number(k)`.
fn give_rows(columns: &[ArrayRef], number: impl Fn(u64) -> u64, out: super::Out) {
    let rows = columns.first().map_or(0, |c| c.len());
    for (k, start) in (0..rows).step_by(TILE_ROWS).enumerate() {
        let length = TILE_ROWS.min(rows - start);
        out(Item::Tile(Parcel::free(Tile {
            number: number(k as u64),
            origin: vec![0],
            shape: vec![length],
            columns: columns.iter().map(|c| c.slice(start, length).into()).collect(),
            index: None,
        })));
    }
}
