//! `sum`, `mean` and `count` of one column for many groups: one state has the answers to all.
use super::Accumulator;
use super::rows::{Rows, split};
use super::spread::floats;
use crate::exact::{Bytes, ExactSum, Precision, Terms, integer_mean};
use crate::isa::prefetch;
use crate::{Groups, Indices, Validity, Values};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, Float64Array, Int64Array, StructArray, UInt64Array,
};
use arrow_schema::Field;
use base::{DType, Failure};
use std::collections::HashMap;
use std::sync::Arc;

/// A result that [`totals`] can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// The number of rows, also where the column has no value.
    Rows,
    /// The number of values.
    Count,
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
}

/// An accumulator that gives these results of one column, which is of this type: bits and errors
/// are those of the reductions by themselves.
pub fn totals(column: Option<DType>, results: Vec<Total>) -> Box<dyn Accumulator> {
    let sums = results.iter().any(|r| matches!(r, Total::Sum | Total::Mean));
    match column.filter(|_| sums) {
        None => Totals::boxed(Nothing, results),
        Some(DType::Float32) => Totals::boxed(Floats::new(Precision::Single), results),
        Some(DType::Float64) => Totals::boxed(Floats::new(Precision::Double), results),
        Some(_) => Totals::boxed(Integers, results),
    }
}

/// How many rows ahead the memory of a group is asked for: many groups are in no cache.
const AHEAD: usize = 24;

/// What is summed, and how.
trait Sums: Send + 'static {
    /// The sum of one group, or what of it needs no more than a fixed size.
    type Sum: Copy + Default + Send;

    /// Adds a block of rows.
    fn add(&mut self, table: &mut Table<Self::Sum>, values: Option<Values>, rows: Rows);

    /// The sums as columns.
    fn columns(&self, table: &Table<Self::Sum>) -> Vec<(&'static str, ArrayRef)>;

    /// Adds such columns, row i to group `groups[i]`; `None` if they are something else.
    fn merge(
        &mut self,
        table: &mut Table<Self::Sum>,
        columns: &StructArray,
        groups: &[u32],
    ) -> Option<()>;

    /// The sums, rounded.
    fn sums(&self, table: &Table<Self::Sum>) -> Result<ArrayRef, Failure>;

    /// The means; missing where there are no values.
    fn means(&self, table: &Table<Self::Sum>) -> ArrayRef;

    /// Forgets all sums.
    fn clear(&mut self) {}
}

/// One group.
#[derive(Clone, Copy, Default)]
struct Group<S> {
    rows: u64,
    sum: S,
}

/// All groups.
struct Table<S> {
    groups: Vec<Group<S>>,
    /// Of how many rows the value is missing; no longer than there are such groups.
    missing: Vec<u64>,
}

impl<S> Table<S> {
    /// Counts the rows and calls `add(row, group, sum)` for each that is not missing.
    #[inline(always)]
    fn each(&mut self, rows: Rows, mut add: impl FnMut(usize, u32, &mut S)) {
        let one;
        let ids = match rows.groups {
            Groups::Each(ids) => &ids[..rows.len],
            Groups::One(id) => {
                one = vec![id; rows.len];
                &one[..]
            }
        };
        match rows.validity {
            None => {
                for (row, id) in ids.iter().enumerate() {
                    self.ask(ids.get(row + AHEAD));
                    let group = &mut self.groups[*id as usize];
                    group.rows += 1;
                    add(row, *id, &mut group.sum);
                }
            }
            Some(valid) => {
                for ((row, id), valid) in ids.iter().enumerate().zip(valid) {
                    self.ask(ids.get(row + AHEAD));
                    let group = &mut self.groups[*id as usize];
                    group.rows += 1;
                    if *valid {
                        add(row, *id, &mut group.sum);
                    } else {
                        self.miss(*id, 1);
                    }
                }
            }
        }
    }

    /// Asks for the memory of a group that is needed soon.
    #[inline(always)]
    fn ask(&self, id: Option<&u32>) {
        if let Some(group) = id.and_then(|id| self.groups.get(*id as usize)) {
            prefetch(group);
        }
    }

    fn miss(&mut self, group: u32, rows: u64) {
        if self.missing.len() <= group as usize {
            self.missing.resize(self.groups.len(), 0);
        }
        self.missing[group as usize] += rows;
    }

    fn present(&self, group: usize) -> u64 {
        self.groups[group].rows.saturating_sub(self.missing.get(group).copied().unwrap_or(0))
    }
}

/// The accumulator.
struct Totals<K: Sums> {
    kind: K,
    results: Vec<Total>,
    table: Table<K::Sum>,
}

impl<K: Sums> Totals<K> {
    fn boxed(kind: K, results: Vec<Total>) -> Box<dyn Accumulator> {
        let table = Table { groups: Vec::new(), missing: Vec::new() };
        Box::new(Totals { kind, results, table })
    }

    fn merge_rows(&mut self, columns: &StructArray, groups: &[u32]) -> Option<()> {
        let table = &mut self.table;
        let words = |name: &str| {
            let column = columns.column_by_name(name)?.as_primitive_opt::<UInt64Type>()?;
            Some(column.values().clone())
        };
        for (i, (id, rows)) in groups.iter().zip(words("rows")?.iter()).enumerate() {
            table.ask(groups.get(i + AHEAD));
            let group = table.groups.get_mut(*id as usize)?;
            group.rows = group.rows.checked_add(*rows)?;
        }
        if let Some(missing) = words("missing") {
            let some = groups.iter().zip(missing.iter()).filter(|(_, rows)| **rows > 0);
            some.for_each(|(id, rows)| table.miss(*id, *rows));
        }
        Some(())
    }

    fn result(&self, result: Total) -> Result<ArrayRef, Failure> {
        let (kind, table) = (&self.kind, &self.table);
        let rows = table.groups.iter().map(|g| g.rows as i64);
        let all = 0..table.groups.len();
        Ok(match result {
            Total::Rows => Arc::new(Int64Array::from_iter_values(rows)),
            Total::Count => {
                Arc::new(Int64Array::from_iter_values(all.map(|g| table.present(g) as i64)))
            }
            Total::Sum => kind.sums(table)?,
            Total::Mean => kind.means(table),
        })
    }
}

impl<K: Sums> Accumulator for Totals<K> {
    fn resize(&mut self, groups: usize) {
        let groups = groups.max(self.table.groups.len());
        self.table.groups.resize_with(groups, Group::default);
    }

    fn update(
        &mut self,
        len: usize,
        values: &[Values],
        validity: Validity,
        groups: Groups,
        indices: Indices,
    ) {
        let (first, others) = split(values);
        let rows = Rows { len, others, validity, groups, indices };
        self.kind.add(&mut self.table, first, rows);
    }

    fn state(&self) -> ArrayRef {
        let rows = self.table.groups.iter().map(|g| g.rows);
        let rows: ArrayRef = Arc::new(UInt64Array::from_iter_values(rows));
        let mut columns = vec![("rows", rows)];
        if !self.table.missing.is_empty() {
            let mut missing = self.table.missing.clone();
            missing.resize(self.table.groups.len(), 0);
            columns.push(("missing", Arc::new(UInt64Array::from(missing))));
        }
        columns.extend(self.kind.columns(&self.table));
        let field = |(name, array): (&str, ArrayRef)| {
            (Arc::new(Field::new(name, array.data_type().clone(), true)), array)
        };
        Arc::new(StructArray::from(columns.into_iter().map(field).collect::<Vec<_>>()))
    }

    fn merge(&mut self, states: &ArrayRef, groups: &[u32]) -> Result<(), Failure> {
        let malformed = || Failure::internal("partial results of totals are not such");
        let columns = states.as_struct_opt().filter(|c| c.len() == groups.len());
        let columns = columns.ok_or_else(malformed)?;
        self.merge_rows(columns, groups).ok_or_else(malformed)?;
        self.kind.merge(&mut self.table, columns, groups).ok_or_else(malformed)
    }

    fn finish(&mut self) -> Result<ArrayRef, Failure> {
        let first = self.results.first().copied();
        self.result(first.ok_or_else(|| Failure::internal("totals without a result"))?)
    }

    fn finish_each(&mut self) -> Result<Vec<ArrayRef>, Failure> {
        self.results.iter().map(|result| self.result(*result)).collect()
    }

    fn clear(&mut self) {
        self.table.groups.clear();
        self.table.missing.clear();
        self.kind.clear();
    }

    fn bytes(&self) -> usize {
        self.table.groups.capacity() * size_of::<Group<K::Sum>>()
            + self.table.missing.capacity() * 8
    }
}

/// No sums: rows and values are counted.
struct Nothing;

impl Sums for Nothing {
    type Sum = ();

    fn add(&mut self, table: &mut Table<()>, values: Option<Values>, rows: Rows) {
        let validity = if values.is_some() { rows.validity } else { None };
        table.each(Rows { validity, ..rows }, |_, _, ()| ());
    }

    fn columns(&self, _table: &Table<()>) -> Vec<(&'static str, ArrayRef)> {
        Vec::new()
    }

    fn merge(&mut self, _t: &mut Table<()>, _c: &StructArray, _groups: &[u32]) -> Option<()> {
        Some(())
    }

    fn sums(&self, _table: &Table<()>) -> Result<ArrayRef, Failure> {
        Err(Failure::internal("a sum that was not taken"))
    }

    fn means(&self, table: &Table<()>) -> ArrayRef {
        floats(Precision::Double, table.groups.iter().map(|_| None))
    }
}

/// Exact sums of floats.
struct Floats {
    precision: Precision,
    /// What the terms of a group cannot hold.
    wide: HashMap<u32, ExactSum>,
}

impl Floats {
    fn new(precision: Precision) -> Floats {
        Floats { precision, wide: HashMap::new() }
    }

    #[cold]
    #[inline(never)]
    fn spill(wide: &mut HashMap<u32, ExactSum>, group: u32, x: f64) {
        wide.entry(group).or_default().add(x);
    }

    fn exact(&self, group: usize, terms: Terms) -> ExactSum {
        let mut sum = terms.exact();
        if let Some(wide) =
            (!self.wide.is_empty()).then(|| self.wide.get(&(group as u32))).flatten()
        {
            sum.merge(wide);
        }
        sum
    }
}

impl Sums for Floats {
    type Sum = Terms;

    fn add(&mut self, table: &mut Table<Terms>, values: Option<Values>, rows: Rows) {
        let wide = &mut self.wide;
        let mut put = |group: u32, terms: &mut Terms, x: f64| {
            if !terms.add(x) {
                Floats::spill(wide, group, x);
            }
        };
        match values {
            Some(Values::Float64(v)) => {
                let v = &v[..rows.len];
                table.each(rows, |row, group, terms| put(group, terms, v[row]));
            }
            Some(Values::Float32(v)) => {
                let v = &v[..rows.len];
                table.each(rows, |row, group, terms| put(group, terms, f64::from(v[row])));
            }
            _ => {}
        }
    }

    fn columns(&self, table: &Table<Terms>) -> Vec<(&'static str, ArrayRef)> {
        let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
        for (i, name) in ["high", "middle", "low"].into_iter().enumerate() {
            let term = table.groups.iter().map(|g| g.sum.0[i]);
            // The last term of all groups is mostly 0.
            if i == 0 || term.clone().any(|x| x != 0.0) {
                columns.push((name, Arc::new(Float64Array::from_iter_values(term))));
            }
        }
        if !self.wide.is_empty() {
            let bytes = (0..table.groups.len() as u32).map(|group| {
                let mut bytes = Vec::new();
                self.wide.get(&group)?.write(&mut bytes);
                Some(bytes)
            });
            columns.push(("wide", Arc::new(bytes.collect::<BinaryArray>())));
        }
        columns
    }

    fn merge(
        &mut self,
        table: &mut Table<Terms>,
        columns: &StructArray,
        groups: &[u32],
    ) -> Option<()> {
        for name in ["high", "middle", "low"] {
            let Some(term) = columns.column_by_name(name) else { continue };
            let term = term.as_primitive_opt::<Float64Type>()?.values();
            for (i, (id, x)) in groups.iter().zip(term).enumerate() {
                table.ask(groups.get(i + AHEAD));
                let group = table.groups.get_mut(*id as usize)?;
                if *x != 0.0 && !group.sum.add(*x) {
                    Floats::spill(&mut self.wide, *id, *x);
                }
            }
        }
        let Some(wide) = columns.column_by_name("wide") else { return Some(()) };
        for (id, bytes) in groups.iter().zip(wide.as_binary_opt::<i32>()?.iter()) {
            let Some(bytes) = bytes else { continue };
            let mut bytes = Bytes(bytes);
            self.wide.entry(*id).or_default().merge_written(&mut bytes)?;
            bytes.is_empty().then_some(())?;
        }
        Some(())
    }

    fn sums(&self, table: &Table<Terms>) -> Result<ArrayRef, Failure> {
        let sum =
            |(i, g): (usize, &Group<Terms>)| Some(self.exact(i, g.sum).rounded(self.precision));
        Ok(floats(self.precision, table.groups.iter().enumerate().map(sum)))
    }

    fn means(&self, table: &Table<Terms>) -> ArrayRef {
        let mean = |(i, g): (usize, &Group<Terms>)| {
            let n = table.present(i);
            (n > 0).then(|| self.exact(i, g.sum).divided(n, self.precision))
        };
        floats(self.precision, table.groups.iter().enumerate().map(mean))
    }

    fn clear(&mut self) {
        self.wide.clear();
    }
}

/// Sums of integers and bools, which 128 bits always hold.
struct Integers;

impl Sums for Integers {
    type Sum = i128;

    fn add(&mut self, table: &mut Table<i128>, values: Option<Values>, rows: Rows) {
        match values {
            Some(Values::Bool(v)) => {
                let v = &v[..rows.len];
                table.each(rows, |row, _, sum| *sum += i128::from(v[row]));
            }
            Some(Values::Int32(v)) => {
                let v = &v[..rows.len];
                table.each(rows, |row, _, sum| *sum += i128::from(v[row]));
            }
            Some(Values::Int64(v)) => {
                let v = &v[..rows.len];
                table.each(rows, |row, _, sum| *sum += i128::from(v[row]));
            }
            _ => {}
        }
    }

    fn columns(&self, table: &Table<i128>) -> Vec<(&'static str, ArrayRef)> {
        let high = table.groups.iter().map(|g| (g.sum >> 64) as i64);
        let low = table.groups.iter().map(|g| g.sum as u64);
        vec![
            ("high", Arc::new(Int64Array::from_iter_values(high))),
            ("low", Arc::new(UInt64Array::from_iter_values(low))),
        ]
    }

    fn merge(
        &mut self,
        table: &mut Table<i128>,
        columns: &StructArray,
        groups: &[u32],
    ) -> Option<()> {
        let high = columns.column_by_name("high")?.as_primitive_opt::<Int64Type>()?.values();
        let low = columns.column_by_name("low")?.as_primitive_opt::<UInt64Type>()?.values();
        for ((id, high), low) in groups.iter().zip(high).zip(low) {
            let group = table.groups.get_mut(*id as usize)?;
            let sum = (i128::from(*high) << 64) | i128::from(*low);
            group.sum = group.sum.checked_add(sum)?;
        }
        Some(())
    }

    fn sums(&self, table: &Table<i128>) -> Result<ArrayRef, Failure> {
        let sums = table.groups.iter().map(|g| i64::try_from(g.sum));
        let sums: Vec<i64> = sums.collect::<Result<_, _>>().map_err(|_| super::sum::too_large())?;
        Ok(Arc::new(Int64Array::from(sums)))
    }

    fn means(&self, table: &Table<i128>) -> ArrayRef {
        let mean = |(i, g): (usize, &Group<i128>)| {
            let n = table.present(i);
            (n > 0).then(|| integer_mean(g.sum, n))
        };
        floats(Precision::Double, table.groups.iter().enumerate().map(mean))
    }
}
