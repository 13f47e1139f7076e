//! The accumulators of all aggregates of a fold.
use arrow_array::ArrayRef;
use base::{Column, DType, Failure};
use expr::reduce::{self, Accumulator, Total};
use expr::{Block, Groups, Indices, Validity, Values};
use plan::physical::{Aggregate, Fold, FoldKind};
use std::ops::Range;

/// Accumulators, all with the same groups.
pub struct States {
    list: Vec<(Box<dyn Accumulator>, Takes)>,
    /// Which rows have a value in all columns of an accumulator.
    valid: Vec<bool>,
    /// Whether some accumulator looks at indices: else they are not computed.
    indexed: bool,
    /// For each aggregate the accumulator that has its result, and which of its results that is.
    places: Vec<(usize, usize)>,
    /// The place of each aggregate in the pipeline file, in words.
    words: Vec<String>,
    groups: usize,
}

/// What an accumulator takes of a block.
#[derive(Clone, Default, PartialEq)]
struct Takes {
    columns: Vec<usize>,
    /// As [`Aggregate::once`].
    once: Vec<(u64, u64)>,
}

impl Takes {
    fn of(aggregate: &Aggregate) -> Takes {
        Takes { columns: aggregate.columns.clone(), once: aggregate.once.clone() }
    }
}

impl States {
    /// Accumulators without groups, one for each aggregate.
    ///
    /// # Errors
    /// If an aggregate names a column that the program does not make.
    pub fn new(fold: &Fold) -> Result<States, Failure> {
        let accumulator = |a: &Aggregate| {
            let accumulator = a.reduction.accumulator(dtype(fold, &a.columns)?, &a.constants);
            Ok((accumulator, Takes::of(a)))
        };
        let list: Vec<_> =
            fold.aggregates.iter().map(accumulator).collect::<Result<_, Failure>>()?;
        let places = (0..list.len()).map(|i| (i, 0)).collect();
        Ok(States::with(fold, list, places))
    }

    /// Accumulators without groups, where there will be many: those of one column that can share
    /// a state do, and `count()` is counted beside any of them.
    ///
    /// # Errors
    /// If an aggregate names a column that the program does not make.
    pub fn shared(fold: &Fold) -> Result<States, Failure> {
        let mut totals: Vec<(Takes, Vec<Total>)> = Vec::new();
        let mut own = Vec::new();
        let mut places = Vec::new();
        let column_of_rows = (fold.aggregates.iter())
            .filter(|a| a.once.is_empty())
            .find_map(|a| a.columns.first().filter(|_| a.reduction.total(None).is_some()));
        for aggregate in &fold.aggregates {
            let dtype = dtype(fold, &aggregate.columns)?;
            let Some(total) = aggregate.reduction.total(dtype) else {
                own.push(aggregate);
                places.push((false, own.len() - 1, 0));
                continue;
            };
            let column = aggregate.columns.first().or(column_of_rows).copied();
            let once = aggregate.once.clone();
            let takes = Takes { columns: column.into_iter().collect(), once };
            let at = totals.iter().position(|(t, _)| *t == takes).unwrap_or(totals.len());
            if at == totals.len() {
                totals.push((takes, Vec::new()));
            }
            let results = &mut totals[at].1;
            let result = results.iter().position(|t| *t == total).unwrap_or(results.len());
            if result == results.len() {
                results.push(total);
            }
            places.push((true, at, result));
        }
        let (shared, mut list) = (totals.len(), Vec::new());
        for (takes, results) in totals {
            list.push((reduce::totals(dtype(fold, &takes.columns)?, results), takes));
        }
        for a in own {
            let accumulator = a.reduction.accumulator(dtype(fold, &a.columns)?, &a.constants);
            list.push((accumulator, Takes::of(a)));
        }
        let place = |(total, at, result)| (if total { at } else { shared + at }, result);
        let places = places.into_iter().map(place).collect();
        Ok(States::with(fold, list, places))
    }

    fn with(
        fold: &Fold,
        list: Vec<(Box<dyn Accumulator>, Takes)>,
        places: Vec<(usize, usize)>,
    ) -> States {
        let words = fold.aggregates.iter().map(|a| a.place.clone()).collect();
        States { list, valid: Vec::new(), indexed: indexed(fold), places, words, groups: 0 }
    }

    /// Those that a fold's `Partial` and `Final` have.
    ///
    /// # Errors
    /// If an aggregate names a column that the program does not make.
    pub fn of(fold: &Fold) -> Result<States, Failure> {
        match fold.kind {
            FoldKind::By(_) | FoldKind::Over { .. } => States::shared(fold),
            FoldKind::All => States::new(fold),
        }
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
        let indices = if self.indexed { block.indices() } else { Indices::From(0) };
        for (accumulator, takes) in &mut self.list {
            let validity = validity(block, takes, indices, &mut self.valid);
            with(block, &takes.columns, |values| {
                accumulator.update(block.len, values, validity, groups, indices);
            });
        }
    }

    /// Adds some rows of a block to one group.
    pub fn update_run(&mut self, block: &Block, run: Range<usize>, group: u32) {
        let all = if self.indexed { block.indices() } else { Indices::From(0) };
        let indices = match all {
            Indices::From(first) => Indices::From(first + run.start as i64),
            Indices::Each(each) => Indices::Each(&each[run.clone()]),
        };
        for (accumulator, takes) in &mut self.list {
            let validity = validity(block, takes, all, &mut self.valid).map(|v| &v[run.clone()]);
            let mut update = |values: &[Values]| {
                accumulator.update(run.len(), values, validity, Groups::One(group), indices);
            };
            with(block, &takes.columns, |values| match values {
                [Values::String(array)] => {
                    update(&[Values::String(&array.slice(run.start, run.len()))]);
                }
                [one] => update(&[cut(*one, &run)]),
                more => update(&more.iter().map(|v| cut(*v, &run)).collect::<Vec<_>>()),
            });
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

    /// The states of all groups, a column for each accumulator.
    pub fn states(&self) -> Vec<ArrayRef> {
        self.list.iter().map(|(a, _)| a.state()).collect()
    }

    /// The results of all groups, a column for each aggregate.
    ///
    /// # Errors
    /// If a result cannot be represented.
    pub fn finish(&mut self) -> Result<Vec<ArrayRef>, Failure> {
        let places = &self.places;
        let words = |at: usize| Some(&self.words[places.iter().position(|place| place.0 == at)?]);
        let finish = |(at, (a, _)): (usize, &mut (Box<dyn Accumulator>, _))| {
            a.finish_each().map_err(|failure| match words(at) {
                Some(place) if !place.is_empty() => failure.context(place.as_str()),
                _ => failure,
            })
        };
        let results = self.list.iter_mut().enumerate().map(finish);
        let results = results.collect::<Result<Vec<_>, _>>()?;
        let result = |(at, result): &(usize, usize)| results[*at].get(*result).cloned();
        self.places.iter().map(|place| result(place).ok_or_else(wrong)).collect()
    }

    /// Bytes of memory that they take.
    pub fn bytes(&self) -> usize {
        self.list.iter().map(|(accumulator, _)| accumulator.bytes()).sum()
    }

    /// Forgets all groups and keeps the memory.
    pub fn clear(&mut self) {
        self.groups = 0;
        for (accumulator, _) in &mut self.list {
            accumulator.clear();
        }
    }
}

/// Whether some aggregate looks at indices.
fn indexed(fold: &Fold) -> bool {
    fold.aggregates.iter().any(|a| a.reduction.needs_index() || !a.once.is_empty())
}

/// Calls `f` with the values of these columns, without asking for memory where it is one.
fn with(block: &Block, columns: &[usize], f: impl FnOnce(&[Values])) {
    match columns {
        [] => f(&[]),
        [one] => f(&[block.values(*one)]),
        more => f(&more.iter().map(|c| block.values(*c)).collect::<Vec<_>>()),
    }
}

/// Which rows count: those with a value in all columns, and at the first points.
fn validity<'a>(
    block: &'a Block,
    takes: &Takes,
    indices: Indices,
    all: &'a mut Vec<bool>,
) -> Validity<'a> {
    let mut some = takes.columns.iter().filter_map(|c| block.validity(*c));
    if !takes.once.is_empty() {
        all.clear();
        all.extend((0..block.len).map(|row| first(&takes.once, indices, row)));
        for valid in some {
            all.iter_mut().zip(valid).for_each(|(all, valid)| *all &= valid);
        }
        return Some(all);
    }
    let first = some.next()?;
    let Some(second) = some.next() else { return Some(first) };
    all.clear();
    all.extend(first.iter().zip(second).map(|(a, b)| a & b));
    for more in some {
        all.iter_mut().zip(more).for_each(|(all, valid)| *all &= valid);
    }
    Some(all)
}

/// Whether a row is the first point along some dimensions.
fn first(dims: &[(u64, u64)], indices: Indices, row: usize) -> bool {
    let index = match indices {
        Indices::From(first) => first + row as i64,
        Indices::Each(each) => each[row],
    } as u64;
    dims.iter().all(|(inner, size)| (index / inner).is_multiple_of(*size))
}

/// The type of columns that the fold's program makes.
fn dtype(fold: &Fold, columns: &[usize]) -> Result<Option<DType>, Failure> {
    let fields = &fold.apply.program.output().fields;
    columns.first().map(|c| fields.get(*c).map(|f| f.dtype).ok_or_else(wrong)).transpose()
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
