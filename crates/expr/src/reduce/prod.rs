//! `prod(x)`
use super::per_group::{Fold, PerGroup};
use super::product_tree::ProductTree;
use super::rows::Rows;
use super::spread::floats;
use super::sum::add_integers;
use super::types::{self, NUMBERS};
use super::{Accumulator, Reduction};
use crate::exact::{Bytes, Precision};
use crate::{Groups, Indices, Values};
use arrow_array::{ArrayRef, Int64Array};
use base::{DType, Entry, Failure, Value};
use std::sync::Arc;

/// The entry of the table.
pub(super) struct Prod;

impl Entry for Prod {
    fn name(&self) -> &'static str {
        "prod"
    }

    fn doc(&self) -> &'static str {
        "The product, in an order that depends on the domain alone.

bool, int32 and int64 give int64, exactly, and an error if the product does not fit; float64 gives
float64; float32 is multiplied in float64 and rounded to float32 at the end. Missing values are
skipped; the product of nothing is 1.
Floats are multiplied over a fixed binary tree: the values at the indices i 2^l .. (i+1) 2^l are
the product of both halves, and rows that are missing or were filtered out count as 1. So the
bits are the same for any tiling and number of workers. Products keep what rounding took away, twice the
digits of a float64, and are rounded at the end.
Memory: a few values for each stretch of consecutive rows; up to 24 bytes a row where a filter
left gaps."
    }
}

impl Reduction for Prod {
    fn signature(&self) -> &'static str {
        "prod(x)"
    }

    fn result(&self, column: Option<DType>, constants: &[Value]) -> Result<DType, String> {
        let column = types::column(self.signature(), NUMBERS, column, constants)?;
        Ok(if column.is_float() { column } else { DType::Int64 })
    }

    fn nullable(&self, _column_nullable: bool) -> bool {
        false
    }

    fn needs_index(&self) -> bool {
        true
    }

    fn form(&self) -> u32 {
        1
    }

    fn accumulator(&self, column: Option<DType>, _constants: &[Value]) -> Box<dyn Accumulator> {
        match column {
            Some(DType::Float32) => PerGroup::boxed(&Prod, Floats(Precision::Single)),
            Some(DType::Float64) => PerGroup::boxed(&Prod, Floats(Precision::Double)),
            _ => PerGroup::boxed(&Prod, Integers),
        }
    }
}

struct Floats(Precision);

impl Fold for Floats {
    type State = ProductTree;

    fn update(&self, states: &mut [ProductTree], values: Option<Values>, rows: Rows) {
        match values {
            Some(Values::Float64(v)) => multiply(states, rows, |row| v[row]),
            Some(Values::Float32(v)) => multiply(states, rows, |row| f64::from(v[row])),
            _ => {}
        }
    }

    fn write(&self, state: &ProductTree, out: &mut Vec<u8>) {
        state.write(out);
    }

    fn merge(&self, state: &mut ProductTree, bytes: &mut Bytes) -> Option<()> {
        state.merge(bytes)
    }

    fn finish(&self, states: &mut [ProductTree]) -> Result<ArrayRef, Failure> {
        Ok(floats(self.0, states.iter_mut().map(|tree| Some(tree.product()))))
    }

    fn heap(&self, state: &ProductTree) -> usize {
        state.heap()
    }
}

#[inline(always)]
fn multiply(states: &mut [ProductTree], rows: Rows, value: impl Fn(usize) -> f64) {
    match (rows.groups, rows.indices) {
        (Groups::One(group), Indices::From(mut first)) => {
            let tree = &mut states[group as usize];
            rows.blocks(1.0, value, |block| {
                tree.add_run(first, block);
                first += block.len() as i64;
            });
        }
        // An index belongs to one row, so what this run gives to other groups is not in this one.
        (Groups::Each(_), Indices::From(first)) => rows.each_indexed(|group, row, index| {
            states[group].add_in_run(first, index, value(row));
        }),
        (_, Indices::Each(_)) => {
            rows.each_indexed(|group, row, index| states[group].add(index, value(row)));
        }
    }
}

struct Integers;

/// Sign and size of a product; once the size is beyond int64 it stays so.
struct Product {
    zero: bool,
    negative: bool,
    size: u64,
}

impl Default for Product {
    fn default() -> Product {
        Product { zero: false, negative: false, size: 1 }
    }
}

impl Product {
    /// The product if it fits.
    fn value(&self) -> Option<i64> {
        let size = i128::from(self.size);
        let value = if self.negative { -size } else { size };
        if self.zero { Some(0) } else { i64::try_from(value).ok() }
    }
}

impl Fold for Integers {
    type State = Product;

    fn update(&self, states: &mut [Product], values: Option<Values>, rows: Rows) {
        add_integers(states, values, rows, |product, x| match x {
            0 => product.zero = true,
            _ => {
                product.negative ^= x < 0;
                product.size = product.size.saturating_mul(x.unsigned_abs());
            }
        });
    }

    fn write(&self, state: &Product, out: &mut Vec<u8>) {
        out.push(u8::from(state.zero) | u8::from(state.negative) << 1);
        out.extend(state.size.to_le_bytes());
    }

    fn merge(&self, state: &mut Product, bytes: &mut Bytes) -> Option<()> {
        let flags = bytes.u8().filter(|flags| *flags < 4)?;
        state.zero |= flags & 1 != 0;
        state.negative ^= flags & 2 != 0;
        state.size = state.size.saturating_mul(bytes.u64()?);
        Some(())
    }

    fn finish(&self, states: &mut [Product]) -> Result<ArrayRef, Failure> {
        let products: Option<Vec<i64>> = states.iter().map(Product::value).collect();
        let message = "prod of int64 exceeds int64; use prod(float64(x))";
        Ok(Arc::new(Int64Array::from(products.ok_or_else(|| Failure::data(message))?)))
    }
}
