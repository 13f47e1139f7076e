//! How many rows may match those of one tile: all of them are there at once.
use super::table::NO_ROW;
use crate::spill::Budget;
use base::{Failure, FailureKind};
use plan::physical::Join;

/// There is always room for so many bytes.
const LEAST: u64 = 32 << 20;

/// Room for the matches of a tile.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Bytes of a row of the result, about.
    row: u64,
    rows: u64,
}

impl Room {
    /// Each of so many workers has its part of what a process may hold.
    pub fn new(join: &Join, budget: &Budget, workers: usize) -> Room {
        let right = join.right.iter().map(|i| join.right_types[*i].width() as u64);
        // The numbers of both rows, an index, and columns.
        let row = 16 + 8 * join.left.len() as u64 + right.sum::<u64>();
        let bytes = (budget.limit() / workers.max(1) as u64).max(LEAST);
        Room { row, rows: (bytes / row).min(Room::ANY.rows) }
    }

    /// For what is cut into pieces anyway.
    pub const ANY: Room = Room { row: 0, rows: NO_ROW as u64 - 1 };

    /// # Errors
    /// If there is no room for so many rows.
    pub fn check(self, rows: usize) -> Result<(), Failure> {
        if rows as u64 <= self.rows {
            return Ok(());
        }
        let message = format!(
            "{rows} rows of the right side of a join match those of one tile of the left, {} MB: \
             smaller tiles (`--tile`) have fewer, or give the run more (`--memory`)",
            rows as u64 * self.row / 1_000_000
        );
        Err(Failure::new(FailureKind::Memory, message))
    }
}
