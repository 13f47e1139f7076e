//! A table of groups: their keys, their states, and what both weigh.
use super::states::States;
use crate::keys::{Keys, Scratch};
use crate::spill::{Share, Weigh, size};
use arrow_array::ArrayRef;
use base::{DType, Failure, Tile};
use expr::{Block, Groups as Ids};
use plan::physical::Fold;

/// Groups of rows with equal keys.
pub struct Groups {
    fold: Fold,
    columns: Vec<usize>,
    keys: Keys,
    states: States,
    ids: Vec<u32>,
    weigh: Weigh,
}

impl Groups {
    /// No groups yet, by these columns of the fold's program.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub fn new(fold: &Fold, columns: &[usize]) -> Result<Groups, Failure> {
        Ok(Groups {
            fold: fold.clone(),
            columns: columns.to_vec(),
            keys: Keys::new(&types(fold, columns)?),
            states: States::shared(fold)?,
            ids: Vec::new(),
            weigh: Weigh::default(),
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Adds the rows of a block. Returns whether to weigh.
    pub fn update(&mut self, block: &Block) -> bool {
        let Groups { columns, keys, states, ids, .. } = self;
        let values: Vec<_> =
            columns.iter().map(|c| (block.values(*c), block.validity(*c))).collect();
        keys.groups(&values, block.len, ids);
        states.resize(keys.len());
        states.update(block, Ids::Each(ids));
        let width = 8 * (columns.len() + self.fold.aggregates.len());
        self.weigh.due((block.len * width) as u64)
    }

    /// Adds a tile of groups as [`Groups::take_states`] gave them. Returns whether to weigh.
    ///
    /// # Errors
    /// If the columns are something else.
    pub fn merge(&mut self, tile: &Tile) -> Result<bool, Failure> {
        let (keys, states) = (tile.columns.split_at_checked(self.columns.len()))
            .ok_or_else(|| Failure::internal("a tile of groups lacks its keys"))?;
        let mut scratch: Vec<Scratch> = keys.iter().map(|_| Scratch::default()).collect();
        let views = keys.iter().zip(&mut scratch).map(|(c, s)| s.view(&c.array));
        let views = views.collect::<Result<Vec<_>, _>>()?;
        self.keys.groups(&views, tile.points(), &mut self.ids);
        self.states.resize(self.keys.len());
        self.states.merge(states, &self.ids)?;
        Ok(self.weigh.due(size(tile)))
    }

    /// Bytes of memory that they take, without weighing anew.
    pub fn held(&self) -> u64 {
        (self.keys.bytes() + self.states.bytes()) as u64
    }

    /// Bytes of memory that they take.
    pub fn bytes(&mut self) -> u64 {
        let bytes = self.held();
        self.weigh.weighed(bytes);
        bytes
    }

    /// Whether a share has room for them.
    pub fn fit(&mut self, share: &mut Share) -> bool {
        share.hold(self.bytes())
    }

    /// Keys and states of all groups, a column for each.
    pub fn states(&self) -> Vec<ArrayRef> {
        let mut columns = self.keys.arrays();
        columns.extend(self.states.states());
        columns
    }

    /// Keys and results of all groups, a column for each.
    ///
    /// # Errors
    /// If a result cannot be represented.
    pub fn results(&mut self) -> Result<Vec<ArrayRef>, Failure> {
        let mut columns = self.keys.arrays();
        columns.extend(self.states.finish()?);
        Ok(columns)
    }

    /// As [`Groups::states`]; no groups are left.
    ///
    /// # Errors
    /// If the plan does not hold together.
    pub fn take_states(&mut self) -> Result<Vec<ArrayRef>, Failure> {
        let columns = self.states();
        self.clear()?;
        Ok(columns)
    }

    /// As [`Groups::results`]; no groups are left.
    ///
    /// # Errors
    /// If a result cannot be represented.
    pub fn take_results(&mut self) -> Result<Vec<ArrayRef>, Failure> {
        let columns = self.results()?;
        self.clear()?;
        Ok(columns)
    }

    /// As [`Groups::take_states`], but keeps the memory: about as many groups will come again.
    pub fn flush(&mut self) -> Vec<ArrayRef> {
        let columns = self.states();
        self.empty();
        columns
    }

    /// Forgets all groups, and keeps the memory.
    pub fn empty(&mut self) {
        self.keys.empty();
        self.states.clear();
        self.weigh = Weigh::default();
    }

    fn clear(&mut self) -> Result<(), Failure> {
        self.keys.clear();
        self.weigh = Weigh::default();
        self.states = States::shared(&self.fold)?;
        Ok(())
    }
}

/// The types of columns of a fold's program.
///
/// # Errors
/// If it has no such columns.
pub fn types(fold: &Fold, columns: &[usize]) -> Result<Vec<DType>, Failure> {
    let fields = &fold.apply.program.output().fields;
    let dtype = |c: &usize| fields.get(*c).map(|f| f.dtype);
    let types: Option<Vec<DType>> = columns.iter().map(dtype).collect();
    types.ok_or_else(|| Failure::internal("a fold has no such key"))
}
