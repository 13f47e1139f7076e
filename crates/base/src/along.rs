//! Columns of boxes that follow each other.
use arrow_array::{Array, ArrayRef};
use arrow_schema::ArrowError;
use arrow_select::concat::concat;

/// Pieces of a column one after the other along a dimension behind `outer` points of those before.
///
/// # Errors
/// If there is no piece, or they are of different types.
pub fn along(pieces: &[ArrayRef], outer: usize) -> Result<ArrayRef, ArrowError> {
    if let [one] = pieces {
        return Ok(one.clone());
    }
    let mut slices = Vec::new();
    for row in 0..outer {
        for piece in pieces {
            let length = piece.len() / outer;
            slices.push(piece.slice(row * length, length));
        }
    }
    let slices: Vec<&dyn Array> = slices.iter().map(|s| &**s).collect();
    concat(&slices)
}
