//! Rows as bytes and back.
use arrow_array::ArrayRef;
use arrow_row::{RowConverter, SortField};
use arrow_schema::ArrowError;
use base::{Failure, Field};

/// Rows of some columns as bytes and back; equal rows have equal bytes, NaNs by their bits.
pub struct Codec(Option<RowConverter>);

impl Codec {
    /// For columns of these types.
    ///
    /// # Errors
    /// Never, for the types that columns have.
    pub fn new(fields: &[Field]) -> Result<Codec, Failure> {
        if fields.is_empty() {
            return Ok(Codec(None));
        }
        let fields = fields.iter().map(|f| SortField::new(f.dtype.arrow())).collect();
        Ok(Codec(Some(RowConverter::new(fields).map_err(internal)?)))
    }

    /// So many rows.
    ///
    /// # Errors
    /// If the arrays are of other types.
    pub fn encode(&self, arrays: &[ArrayRef], rows: usize) -> Result<Vec<Vec<u8>>, Failure> {
        let Some(converter) = &self.0 else { return Ok(vec![Vec::new(); rows]) };
        let rows = converter.convert_columns(arrays).map_err(internal)?;
        Ok(rows.iter().map(|row| row.as_ref().to_vec()).collect())
    }

    /// The columns of rows.
    ///
    /// # Errors
    /// If the bytes are something else.
    pub fn decode<'a>(
        &self,
        rows: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Vec<ArrayRef>, Failure> {
        let Some(converter) = &self.0 else { return Ok(Vec::new()) };
        let parser = converter.parser();
        converter.convert_rows(rows.map(|row| parser.parse(row))).map_err(internal)
    }
}

fn internal(error: ArrowError) -> Failure {
    Failure::internal(format!("rows as bytes: {error}"))
}
