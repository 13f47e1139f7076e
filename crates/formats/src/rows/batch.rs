//! Tiles as batches of rows, and pieces of batches as columns.
use super::cast;
use crate::WriteRequest;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, make_array};
use arrow_data::transform::MutableArrayData;
use arrow_schema::{ArrowError, SchemaRef};
use base::{Column, DType, DimMask, Failure, Field, Schema, Tile};

/// The rows of a tile, every column at every point, as a batch of the schema to be written.
pub(crate) fn row_batch(tile: &Tile, schema: &SchemaRef) -> Result<RecordBatch, Failure> {
    let arrays: Result<Vec<_>, _> = tile.columns.iter().map(|c| tile.expand(c)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(tile.points()));
    arrays.and_then(|a| RecordBatch::try_new_with_options(schema.clone(), a, &options)).map_err(
        |e| Failure::internal(format!("tile {} is not as its schema says: {e}", tile.number)),
    )
}

/// The columns of a request as rows; refuses what no table can hold.
pub(crate) fn row_schema(request: &WriteRequest) -> Result<Schema, crate::FormatError> {
    use crate::{FormatError, FormatErrorKind::Unsupported};
    let rows = request.schema.to_rows();
    if rows.fields.is_empty() {
        return Err(FormatError::new(Unsupported(None), "there are no columns to write"));
    }
    match rows.fields.iter().find(|f| f.dtype == DType::Binary) {
        Some(f) => {
            let kind = Unsupported(Some(f.name.to_string()));
            Err(FormatError::new(kind, format!("column `{}` holds bytes, not values", f.name)))
        }
        None => Ok(rows),
    }
}

/// Bytes of memory of one row, about.
pub(crate) fn point_bytes(schema: &Schema) -> u64 {
    schema.fields.iter().map(|f| f.dtype.width() as u64).sum()
}

/// Rows `start..start + len` of an array, in memory of their own.
pub(crate) fn owned_slice(
    array: &ArrayRef,
    start: usize,
    len: usize,
) -> Result<ArrayRef, ArrowError> {
    let data = array.to_data();
    let mut copy = MutableArrayData::new(vec![&data], false, len);
    copy.try_extend(0, start, start + len)?;
    Ok(make_array(copy.freeze()))
}

/// An error without the kind that the library puts before it.
fn sentence(error: ArrowError) -> String {
    match error {
        ArrowError::CastError(text) | ArrowError::ParseError(text) => text,
        other => other.to_string(),
    }
}

/// The pieces of each column, one after the other, cast to the types of `fields`.
///
/// # Errors
/// A sentence, if a value does not fit its type, or is missing where the file says that none is.
pub(crate) fn columns_of(
    pieces: Vec<Vec<ArrayRef>>,
    fields: &[&Field],
) -> Result<Vec<Column>, String> {
    let column = |(pieces, field): (Vec<ArrayRef>, &&Field)| {
        let named = |e: ArrowError| format!("column `{}`: {}", field.name, sentence(e));
        let cast: Vec<ArrayRef> =
            pieces.iter().map(|p| cast(p, field.dtype)).collect::<Result<_, _>>().map_err(named)?;
        let array = match &cast[..] {
            [] => arrow_array::new_empty_array(&field.dtype.arrow()),
            [one] => one.clone(),
            several => {
                let several: Vec<&dyn Array> = several.iter().map(|a| &**a).collect();
                arrow_select::concat::concat(&several).map_err(named)?
            }
        };
        if !field.nullable && array.null_count() > 0 {
            let text = "a value is missing, but the file says that none is".to_string();
            return Err(named(ArrowError::CastError(text)));
        }
        Ok(Column { mask: DimMask::only(0), array })
    };
    pieces.into_iter().zip(fields).map(column).collect()
}
