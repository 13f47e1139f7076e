//! What files give to the cells of a fold over dimensions, or to the only one of a fold of
//! everything: records of many neighbouring cells.
use super::record::{Add, Outcome, Shelving, State};
use crate::nodes::fold::{States, rows};
use arrow_array::{ArrayRef, UInt32Array};
use arrow_select::take::take;
use base::{Failure, Tile};
use plan::physical::{Fold, FoldKind};

/// Cells of a record, at most: so many that what differential dataflow has beside their states does
/// not show, and so few that all workers have some.
const BLOCK: usize = 1024;

/// The states of the cells of a box of these sizes, from states of parts of it, in blocks of
/// neighbours by the number of the block.
///
/// # Errors
/// If the states are something else.
pub fn blocks(
    fold: &Fold,
    sizes: &[u64],
    parts: &[Tile],
) -> Result<Vec<(u64, Vec<ArrayRef>)>, Failure> {
    let cells = usize::try_from(sizes.iter().product::<u64>()).map_err(|_| wrong())?;
    let mut states = States::of(fold)?;
    states.resize(cells);
    let mut touched = vec![false; cells.div_ceil(BLOCK)];
    for part in parts {
        let (groups, columns): (Vec<u32>, _) = match fold.kind {
            FoldKind::All => (vec![0; part.points()], &part.columns[..]),
            _ => {
                let cells = part.indices(sizes).values().iter().map(|cell| *cell as u32).collect();
                // The last column says of how many tiles they are.
                (cells, part.columns.split_last().ok_or_else(wrong)?.1)
            }
        };
        if groups.iter().any(|cell| *cell as usize >= cells) {
            return Err(wrong());
        }
        groups.iter().for_each(|cell| touched[*cell as usize / BLOCK] = true);
        states.merge(columns, &groups)?;
    }
    let columns = states.states();
    let block = |at: usize| {
        let own: UInt32Array =
            (at * BLOCK..cells.min((at + 1) * BLOCK)).map(|c| c as u32).collect();
        let some = columns.iter().map(|column| take(column, &own, None));
        let some = some.collect::<Result<_, _>>();
        Ok((at as u64, some.map_err(|e| Failure::internal(format!("cells in blocks: {e}")))?))
    };
    (0..touched.len()).filter(|at| touched[*at]).map(block).collect()
}

/// Adds up blocks of cells.
pub struct Adder {
    states: States,
    groups: Vec<u32>,
    shelving: Shelving,
}

impl Adder {
    /// For a fold over dimensions or of everything.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub fn new(fold: &Fold, shelving: Shelving) -> Result<Adder, Failure> {
        Ok(Adder { states: States::of(fold)?, groups: Vec::new(), shelving })
    }

    fn add(&mut self, parts: &[(&State, isize)]) -> Result<(), Failure> {
        self.states.clear();
        for (part, times) in parts {
            let tile = part.tile()?;
            let cells = tile.points();
            self.states.resize(cells);
            self.groups.extend(self.groups.len() as u32..cells as u32);
            for _ in 0..*times {
                self.states.merge(&tile.columns, &self.groups[..cells])?;
            }
        }
        Ok(())
    }

    /// The results of so many cells without values.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub fn empty(&mut self, cells: usize) -> Result<Tile, Failure> {
        self.states.clear();
        self.states.resize(cells);
        Ok(rows(self.states.finish()?))
    }

    fn results(&mut self) -> Result<Outcome, Failure> {
        match self.states.finish() {
            Ok(arrays) => Ok(Ok(self.shelving.state(arrays)?)),
            Err(failure) => Ok(Err(failure.message)),
        }
    }
}

impl Add for Adder {
    fn sum(&mut self, parts: &[(&State, isize)]) -> Result<State, Failure> {
        self.add(parts)?;
        self.shelving.state(self.states.states())
    }

    fn finish(&mut self, parts: &[(&State, isize)]) -> Result<Outcome, Failure> {
        self.add(parts)?;
        self.results()
    }
}

fn wrong() -> Failure {
    Failure::internal("the states of cells are not such")
}
