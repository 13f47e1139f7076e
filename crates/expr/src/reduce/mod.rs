//! Reductions: one file each, and the table of them.
//!
//! | file | what it has |
//! |---|---|
//! | one per name, such as `sum` | the entry: name, types, documentation, accumulator |
//! | `per_group` | an [`Accumulator`] from the fold of one group |
//! | `totals` | one accumulator of many groups for `sum`, `mean` and `count` of a column |
//! | `rows` | the loop over the rows of a block that are not missing |
//! | `types` | which columns and constants are taken, and the sentence when they are not |
//! | `rank` | numbers of every type as integers of the same order |
//! | `spread`, `extreme`, `place`, `end`, `truth` | what pairs such as `min` and `max` share |
//! | `product_tree`, `factor` | the fixed tree behind `prod`, whose products keep their rounding errors |
use crate::{Groups, Indices, Validity, Values};
use arrow_array::ArrayRef;
use base::{DType, Entry, Failure, Value};

mod all;
mod any;
mod argmax;
mod argmin;
mod count;
mod dot;
mod end;
mod extreme;
mod factor;
mod first;
mod last;
mod max;
mod mean;
mod median;
mod min;
mod per_group;
mod place;
mod prod;
mod product_tree;
mod quantile;
mod rank;
mod rows;
mod spread;
mod std;
mod sum;
#[cfg(test)]
mod tests;
mod totals;
mod truth;
mod types;
mod var;

base::table! {
    /// All reductions, sorted by name.
    pub REDUCTIONS: dyn Reduction = [
        all::All,
        any::Any,
        argmax::ArgMax,
        argmin::ArgMin,
        count::Count,
        dot::Dot,
        first::First,
        last::Last,
        max::Max,
        mean::Mean,
        median::Median,
        min::Min,
        prod::Prod,
        quantile::Quantile,
        std::Std,
        sum::Sum,
        var::Var,
    ]
}

pub use totals::{Total, totals};

/// The reduction of this name.
pub fn reduction(name: &str) -> Option<&'static dyn Reduction> {
    REDUCTIONS.iter().copied().find(|entry| entry.name() == name)
}

/// A reduction: an entry of the table [`REDUCTIONS`].
pub trait Reduction: Entry + Send + Sync {
    /// How it is called, for documentation and errors: `quantile(x, q)`.
    fn signature(&self) -> &'static str;

    /// How many of its arguments are columns, at most (`count()` takes none or one). They come
    /// first, and as the type in which all of them meet; a row is missing where one of them is.
    fn columns(&self) -> usize {
        1
    }

    /// The type of the result for columns of this type, if it takes any, and these constants
    /// behind them. `Err` says which types it takes.
    ///
    /// # Errors
    /// A sentence for the user if there is no such form.
    fn result(&self, column: Option<DType>, constants: &[Value]) -> Result<DType, String>;

    /// Whether the result may be missing for a non-empty group of a column that is (not) nullable.
    fn nullable(&self, column_nullable: bool) -> bool;

    /// Whether [`Accumulator::update`] looks at the indices.
    fn needs_index(&self) -> bool;

    /// Which of the results of [`totals`] this is, if it is one: those of one column share a state.
    fn total(&self, _column: Option<DType>) -> Option<Total> {
        None
    }

    /// Another number if states of the same reduction have another form than before.
    fn form(&self) -> u32 {
        0
    }

    /// A fresh accumulator; the types were checked by [`Reduction::result`].
    fn accumulator(&self, column: Option<DType>, constants: &[Value]) -> Box<dyn Accumulator>;
}

/// The state of one reduction for many groups at once, numbered from 0.
/// Whatever the order and the cuts of `update` and `merge`, `finish` gives the same bits.
pub trait Accumulator: Send {
    /// Makes room for `groups` groups in all; new ones are empty. Never shrinks.
    fn resize(&mut self, groups: usize);

    /// Adds a block of `len` rows, the values of each column. Missing rows are skipped.
    ///
    /// # Errors
    /// If the result cannot be represented (an integer sum beyond int64 is found in `finish`).
    fn update(
        &mut self,
        len: usize,
        values: &[Values],
        validity: Validity,
        groups: Groups,
        indices: Indices,
    );

    /// The state of all groups, one value each, as an array that
    /// [`Accumulator::merge`] of another process understands.
    fn state(&self) -> ArrayRef;

    /// Adds states that [`Accumulator::state`] made: row i to group `groups[i]`.
    ///
    /// # Errors
    /// If the bytes are not such states.
    fn merge(&mut self, states: &ArrayRef, groups: &[u32]) -> Result<(), Failure>;

    /// The results of all groups, one value each, of the type that [`Reduction::result`] said.
    ///
    /// # Errors
    /// If a result cannot be represented, such as an integer sum beyond int64.
    fn finish(&mut self) -> Result<ArrayRef, Failure>;

    /// The results of all reductions that this serves: one, but for [`totals`].
    ///
    /// # Errors
    /// As for [`Accumulator::finish`].
    fn finish_each(&mut self) -> Result<Vec<ArrayRef>, Failure> {
        Ok(vec![self.finish()?])
    }

    /// Empties all groups and forgets how many there were, keeping the memory.
    fn clear(&mut self);

    /// Bytes of memory in use.
    fn bytes(&self) -> usize;
}
