//! What files give to the cells of a fold over dimensions: records of many neighbouring cells.
use super::record::{Add, Outcome, Shelving, State};
use crate::ledger::{pack, unpack};
use crate::nodes::fold::{States, rows};
use base::{Column, Failure, Tile};
use plan::physical::Fold;

/// Cells of a record, at most: so many that what differential dataflow has beside their states does
/// not show, and so few that all workers have some.
const BLOCK: usize = 1024;

/// The states of the cells of a box of these sizes, from states of parts of it, in blocks of
/// neighbours by the number of the block.
///
/// # Errors
/// If the states are something else.
pub fn blocks(fold: &Fold, sizes: &[u64], parts: &[Tile]) -> Result<Vec<(u64, Vec<u8>)>, Failure> {
    let cells = usize::try_from(sizes.iter().product::<u64>()).map_err(|_| wrong())?;
    let mut states = States::of(fold)?;
    states.resize(cells);
    let mut touched = vec![false; cells.div_ceil(BLOCK)];
    for part in parts {
        let groups: Vec<u32> =
            part.indices(sizes).values().iter().map(|cell| *cell as u32).collect();
        if groups.iter().any(|cell| *cell as usize >= cells) {
            return Err(wrong());
        }
        groups.iter().for_each(|cell| touched[*cell as usize / BLOCK] = true);
        // The last column says of how many tiles they are.
        let (_, columns) = part.columns.split_last().ok_or_else(wrong)?;
        states.merge(columns, &groups)?;
    }
    let columns = states.states();
    let block = |at: usize| {
        let (start, length) = (at * BLOCK, BLOCK.min(cells - at * BLOCK));
        let columns = columns.iter().map(|c| c.slice(start, length)).collect();
        Ok((at as u64, pack(&[rows(columns)])?))
    };
    (0..touched.len()).filter(|at| touched[*at]).map(block).collect()
}

/// The columns of a block, and how many cells it has.
///
/// # Errors
/// If the bytes are something else.
pub fn columns(bytes: &[u8]) -> Result<(Vec<Column>, usize), Failure> {
    let tile = unpack(bytes).and_then(|mut tiles| tiles.pop()).ok_or_else(wrong)?;
    Ok((tile.columns, tile.shape.iter().product()))
}

/// Adds up blocks of cells.
pub struct Adder {
    states: States,
    groups: Vec<u32>,
    shelving: Shelving,
}

impl Adder {
    /// For a fold over dimensions.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub fn new(fold: &Fold, shelving: Shelving) -> Result<Adder, Failure> {
        Ok(Adder { states: States::of(fold)?, groups: Vec::new(), shelving })
    }

    fn add(&mut self, parts: &[(&State, isize)]) -> Result<(), Failure> {
        self.states.clear();
        for (part, times) in parts {
            let (columns, cells) = columns(&part.bytes()?)?;
            self.states.resize(cells);
            self.groups.extend(self.groups.len() as u32..cells as u32);
            for _ in 0..*times {
                self.states.merge(&columns, &self.groups[..cells])?;
            }
        }
        Ok(())
    }

    /// The results of so many cells without values.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub fn empty(&mut self, cells: usize) -> Result<Outcome, Failure> {
        self.states.clear();
        self.states.resize(cells);
        self.results()
    }

    fn results(&mut self) -> Result<Outcome, Failure> {
        match self.states.finish() {
            Ok(arrays) => Ok(Ok(self.shelving.state(pack(&[rows(arrays)])?)?)),
            Err(failure) => Ok(Err(failure.message)),
        }
    }
}

impl Add for Adder {
    fn sum(&mut self, parts: &[(&State, isize)]) -> Result<State, Failure> {
        self.add(parts)?;
        self.shelving.state(pack(&[rows(self.states.states())])?)
    }

    fn finish(&mut self, parts: &[(&State, isize)]) -> Result<Outcome, Failure> {
        self.add(parts)?;
        self.results()
    }
}

fn wrong() -> Failure {
    Failure::internal("the states of cells are not such")
}
