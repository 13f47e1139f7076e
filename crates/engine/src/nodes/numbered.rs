//! Rows of many tiles that were in files: back into the order of the tiles' numbers.
use crate::spill::joined;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_array::{ArrayRef, UInt32Array};
use arrow_schema::ArrowError;
use arrow_select::take::take;
use base::Failure;

/// Puts pieces of columns together, of which the last one tells the number of each row's tile, and
/// sorts the rows by it; those of one tile stay in their order. The numbers are left out.
///
/// # Errors
/// If Arrow cannot put them together.
pub fn in_order(pieces: Vec<Vec<ArrayRef>>) -> Result<Vec<ArrayRef>, Failure> {
    let mut columns = joined(pieces)?;
    let numbers = columns.pop();
    let numbers = numbers.as_ref().and_then(|numbers| numbers.as_primitive_opt::<UInt64Type>());
    let numbers = numbers.ok_or_else(|| Failure::internal("rows without numbers"))?.values();
    if numbers.is_sorted() {
        return Ok(columns);
    }
    let mut order: Vec<u32> = (0..numbers.len() as u32).collect();
    order.sort_by_key(|row| numbers[*row as usize]);
    let order = UInt32Array::from(order);
    columns.iter().map(|column| take(column, &order, None).map_err(internal)).collect()
}

fn internal(error: ArrowError) -> Failure {
    Failure::internal(format!("rows cannot be put back in order: {error}"))
}
