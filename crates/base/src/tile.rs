//! Tiles: the unit of work, of exchange and of writing.
use crate::{DimMask, Schema};
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow_schema::ArrowError;
use std::sync::Arc;

/// The values of one column in one tile.
#[derive(Clone, Debug)]
pub struct Column {
    /// The dimensions it varies along.
    pub mask: DimMask,
    /// Row-major over those dimensions of the tile; length `mask.points(&tile.shape)`.
    pub array: ArrayRef,
}

/// A box of a domain (or some rows), with the values of all columns of a schema.
#[derive(Clone, Debug)]
pub struct Tile {
    /// Its place in the domain, never that of a worker. Ascending numbers are ascending rows.
    pub number: u64,
    /// The first point in each dimension; for rows of a box `[first]`, for other rows `[0]`.
    pub origin: Vec<u64>,
    /// The number of points in each dimension.
    pub shape: Vec<usize>,
    /// The columns, in the order of the schema.
    pub columns: Vec<Column>,
    /// For rows that a filter left: the row-major index in the source's domain of each of them.
    /// Only there if a later step needs it (first, last, argmin, argmax, prod, sort, top).
    pub index: Option<Int64Array>,
}

impl Tile {
    /// The number of points or rows.
    pub fn points(&self) -> usize {
        self.shape.iter().product()
    }

    /// Bytes of memory that the columns hold.
    pub fn bytes(&self) -> usize {
        let arrays: usize = self.columns.iter().map(|c| c.array.get_array_memory_size()).sum();
        arrays + self.index.as_ref().map_or(0, |i| i.len() * 8)
    }

    /// A column's values at every point of the tile, row-major: repeats what does not vary.
    ///
    /// # Errors
    /// If Arrow cannot make an array of that length.
    pub fn expand(&self, column: &Column) -> Result<ArrayRef, ArrowError> {
        if column.mask == DimMask::first(self.shape.len()) {
            return Ok(column.array.clone());
        }
        let strides = broadcast_strides(column.mask, &self.shape);
        let mut indices: Vec<u32> = Vec::with_capacity(self.points());
        push_indices(&self.shape, &strides, 0, &mut indices);
        arrow_select::take::take(&column.array, &UInt32Array::from(indices), None)
    }

    /// The tile as a batch of rows, every column at every point.
    ///
    /// # Errors
    /// If a column does not have the type or length that the schema says.
    pub fn to_batch(&self, schema: &Schema) -> Result<RecordBatch, ArrowError> {
        let arrays: Result<Vec<_>, _> = self.columns.iter().map(|c| self.expand(c)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.points()));
        RecordBatch::try_new_with_options(schema.arrow(), arrays?, &options)
    }

    /// A tile of rows from a batch, columns in the batch's order.
    pub fn from_batch(number: u64, first: u64, batch: &RecordBatch) -> Tile {
        let column = |a: &ArrayRef| Column { mask: DimMask::only(0), array: a.clone() };
        Tile {
            number,
            origin: vec![first],
            shape: vec![batch.num_rows()],
            columns: batch.columns().iter().map(column).collect(),
            index: None,
        }
    }

    /// The row-major index in a domain of these sizes of every point, in the tile's order:
    /// the explicit one if the tile has it, else computed from its place.
    pub fn indices(&self, sizes: &[u64]) -> Int64Array {
        if let Some(index) = &self.index {
            return index.clone();
        }
        let mut out = Vec::with_capacity(self.points());
        let mut strides = vec![1u64; sizes.len()];
        for i in (1..sizes.len()).rev() {
            strides[i - 1] = strides[i] * sizes[i];
        }
        push_global(&self.origin, &self.shape, &strides, 0, &mut out);
        Int64Array::from(out)
    }
}

/// For each dimension of `shape`, how far the index into a column of this mask moves.
fn broadcast_strides(mask: DimMask, shape: &[usize]) -> Vec<u32> {
    let mut strides = vec![0u32; shape.len()];
    let mut step = 1u32;
    for i in (0..shape.len()).rev() {
        if mask.has(i) {
            strides[i] = step;
            step = step.saturating_mul(shape[i] as u32);
        }
    }
    strides
}

fn push_indices(shape: &[usize], strides: &[u32], at: u32, out: &mut Vec<u32>) {
    match shape {
        [] => out.push(at),
        [n] => out.extend((0..*n as u32).map(|i| at + i * strides[0])),
        [n, rest @ ..] => {
            for i in 0..*n as u32 {
                push_indices(rest, &strides[1..], at + i * strides[0], out);
            }
        }
    }
}

fn push_global(origin: &[u64], shape: &[usize], strides: &[u64], at: u64, out: &mut Vec<i64>) {
    match shape {
        [] => out.push(at as i64),
        [n] => out.extend((0..*n as u64).map(|i| (at + origin[0] + i) as i64)),
        [n, rest @ ..] => {
            for i in 0..*n as u64 {
                let at = at + (origin[0] + i) * strides[0];
                push_global(&origin[1..], rest, &strides[1..], at, out);
            }
        }
    }
}

/// Columns that hold the same arrays, for tests and for sharing.
impl From<Arc<dyn Array>> for Column {
    fn from(array: Arc<dyn Array>) -> Column {
        Column { mask: DimMask::only(0), array }
    }
}
