//! Kept results as a source of tiles.
use arrow_array::ArrayRef;
use base::{Column, DimMask, Domain, Failure, Region, Schema, Tiling};
use formats::TileSource;

/// Rows in memory.
pub(crate) struct Table {
    schema: Schema,
    arrays: Vec<ArrayRef>,
    rows: usize,
}

impl Table {
    /// Of so many rows; the fields are those of the arrays.
    pub fn new(schema: &Schema, arrays: Vec<ArrayRef>, rows: usize) -> Table {
        let domain = Domain::new([("row", rows as u64)]);
        Table { schema: Schema { domain, ..schema.clone() }, arrays, rows }
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns.
    pub fn columns(&self) -> usize {
        self.arrays.len()
    }
}

impl TileSource for Table {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn tiling(&self, _points: u64) -> Option<Tiling> {
        None
    }

    fn read(&self, region: &Region, columns: &[usize]) -> Result<Vec<Column>, Failure> {
        let (start, rows) = (region.origin[0] as usize, region.shape[0]);
        let column = |c: &usize| {
            let array = self.arrays.get(*c).ok_or_else(|| Failure::internal("no such column"))?;
            Ok(Column { mask: DimMask::only(0), array: array.slice(start, rows) })
        };
        columns.iter().map(column).collect()
    }

    fn describe(&self) -> String {
        format!("{} kept rows", self.rows)
    }
}
