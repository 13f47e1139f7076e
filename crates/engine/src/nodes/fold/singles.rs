//! Rows as groups of one row each: keys and states, without a look at whether a key came before.
use super::groups::types;
use super::states::States;
use crate::keys::array;
use crate::spill::joined;
use arrow_array::ArrayRef;
use base::{DType, Failure};
use expr::{Block, Groups};
use plan::physical::Fold;

/// Rows that go on as they come.
pub struct Singles {
    columns: Vec<usize>,
    types: Vec<DType>,
    keys: Vec<Vec<ArrayRef>>,
    states: States,
    ids: Vec<u32>,
    rows: usize,
}

impl Singles {
    /// None yet, with these columns of the fold's program as keys.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub fn new(fold: &Fold, columns: &[usize]) -> Result<Singles, Failure> {
        Ok(Singles {
            columns: columns.to_vec(),
            types: types(fold, columns)?,
            keys: Vec::new(),
            states: States::shared(fold)?,
            ids: Vec::new(),
            rows: 0,
        })
    }

    /// Adds the rows of a block. Returns how many there are.
    ///
    /// # Errors
    /// If Arrow cannot make arrays of the keys.
    pub fn update(&mut self, block: &Block) -> Result<usize, Failure> {
        let Singles { columns, types, keys, states, ids, rows } = self;
        let key = |(column, dtype): (&usize, &mut DType)| {
            array(*dtype, (block.values(*column), block.validity(*column)), block.len)
        };
        keys.push(columns.iter().zip(types).map(key).collect::<Result<_, Failure>>()?);
        ids.clear();
        ids.extend((*rows..*rows + block.len).map(|row| row as u32));
        *rows += block.len;
        states.resize(*rows);
        states.update(block, Groups::Each(ids));
        Ok(*rows)
    }

    /// Bytes of memory that they take.
    pub fn bytes(&self) -> u64 {
        let keys: usize = self.types.iter().map(|dtype| dtype.width()).sum();
        if self.rows == 0 { 0 } else { (self.states.bytes() + keys * self.rows) as u64 }
    }

    /// Keys and states of all rows, a column for each; none are left.
    ///
    /// # Errors
    /// If Arrow cannot put the keys together.
    pub fn take(&mut self) -> Result<Vec<ArrayRef>, Failure> {
        let mut columns = joined(std::mem::take(&mut self.keys))?;
        if self.rows == 0 {
            return Ok(columns);
        }
        columns.extend(self.states.states());
        self.states.clear();
        self.rows = 0;
        Ok(columns)
    }
}
