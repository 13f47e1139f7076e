//! The accumulators of all aggregates of a fold.
use arrow_array::ArrayRef;
use base::{Column, Failure};
use expr::reduce::Accumulator;
use expr::{Block, Groups, Indices, Values};
use plan::physical::Fold;
use std::ops::Range;

/// One accumulator for each aggregate, all with the same groups.
pub struct States {
    list: Vec<(Box<dyn Accumulator>, Option<usize>)>,
    /// Whether some accumulator looks at indices: else they are not computed.
    indexed: bool,
    groups: usize,
}

impl States {
    /// Accumulators without groups.
    ///
    /// # Errors
    /// If an aggregate names a column that the program does not make.
    pub fn new(fold: &Fold) -> Result<States, Failure> {
        let fields = &fold.apply.program.output().fields;
        let accumulator = |a: &plan::physical::Aggregate| {
            let field = match a.column {
                Some(c) => Some(fields.get(c).ok_or_else(wrong)?),
                None => None,
            };
            Ok((a.reduction.accumulator(field.map(|f| f.dtype), &a.constants), a.column))
        };
        let list = fold.aggregates.iter().map(accumulator).collect::<Result<_, Failure>>()?;
        let indexed = fold.aggregates.iter().any(|a| a.reduction.needs_index());
        Ok(States { list, indexed, groups: 0 })
    }

    /// Makes room for so many groups.
    pub fn resize(&mut self, groups: usize) {
        if groups > self.groups {
            self.groups = groups;
            for (accumulator, _) in &mut self.list {
                accumulator.resize(groups);
            }
        }
    }

    /// Adds all rows of a block.
    pub fn update(&mut self, block: &Block, groups: Groups) {
        let indices = self.indices(block);
        for (accumulator, column) in &mut self.list {
            let values = column.map(|c| block.values(c));
            let validity = column.and_then(|c| block.validity(c));
            accumulator.update(block.len, values, validity, groups, indices);
        }
    }

    fn indices<'a>(&self, block: &'a Block) -> Indices<'a> {
        if self.indexed { block.indices() } else { Indices::From(0) }
    }

    /// Adds some rows of a block to one group.
    pub fn update_run(&mut self, block: &Block, run: Range<usize>, group: u32) {
        let indices = match self.indices(block) {
            Indices::From(first) => Indices::From(first + run.start as i64),
            Indices::Each(each) => Indices::Each(&each[run.clone()]),
        };
        for (accumulator, column) in &mut self.list {
            let text;
            let values = match column.map(|c| block.values(c)) {
                Some(Values::String(array)) => {
                    text = array.slice(run.start, run.len());
                    Some(Values::String(&text))
                }
                other => other.map(|values| cut(values, &run)),
            };
            let validity = column.and_then(|c| block.validity(c)).map(|v| &v[run.clone()]);
            accumulator.update(run.len(), values, validity, Groups::One(group), indices);
        }
    }

    /// Adds states that [`States::states`] made, row i to group `groups[i]`.
    ///
    /// # Errors
    /// If they are something else.
    pub fn merge(&mut self, states: &[Column], groups: &[u32]) -> Result<(), Failure> {
        if states.len() != self.list.len() {
            return Err(wrong());
        }
        for ((accumulator, _), state) in self.list.iter_mut().zip(states) {
            accumulator.merge(&state.array, groups)?;
        }
        Ok(())
    }

    /// The states of all groups, a column for each aggregate.
    pub fn states(&self) -> Vec<ArrayRef> {
        self.list.iter().map(|(a, _)| a.state()).collect()
    }

    /// The results of all groups, a column for each aggregate.
    ///
    /// # Errors
    /// If a result cannot be represented.
    pub fn finish(&mut self) -> Result<Vec<ArrayRef>, Failure> {
        self.list.iter_mut().map(|(a, _)| a.finish()).collect()
    }

    /// Forgets all groups and keeps the memory.
    pub fn clear(&mut self) {
        self.groups = 0;
        for (accumulator, _) in &mut self.list {
            accumulator.clear();
        }
    }
}

/// Some of the values; texts stay whole.
fn cut<'a>(values: Values<'a>, run: &Range<usize>) -> Values<'a> {
    match values {
        Values::Bool(v) => Values::Bool(&v[run.clone()]),
        Values::Int32(v) => Values::Int32(&v[run.clone()]),
        Values::Int64(v) => Values::Int64(&v[run.clone()]),
        Values::Float32(v) => Values::Float32(&v[run.clone()]),
        Values::Float64(v) => Values::Float64(&v[run.clone()]),
        Values::String(v) => Values::String(v),
    }
}

fn wrong() -> Failure {
    Failure::internal("the columns of a fold do not fit its aggregates")
}
