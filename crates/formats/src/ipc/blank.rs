//! What stands under missing values is written as zero: nobody reads it, and equal rows are equal
//! bytes, whoever made them.
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray, RecordBatch};
use arrow_schema::{ArrowError, DataType};
use std::sync::Arc;

/// The same rows.
///
/// # Errors
/// None, as long as columns keep their types and lengths.
pub(super) fn blanked(batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
    if batch.columns().iter().all(|column| column.null_count() == 0) {
        return Ok(batch);
    }
    let (schema, columns, _) = batch.into_parts();
    RecordBatch::try_new(schema, columns.into_iter().map(blank).collect())
}

fn blank(column: ArrayRef) -> ArrayRef {
    let Some(nulls) = column.nulls().filter(|nulls| nulls.null_count() > 0) else { return column };
    match column.data_type() {
        DataType::Boolean => {
            let array = column.as_boolean();
            let values = array.values() & nulls.inner();
            Arc::new(BooleanArray::new(values, Some(nulls.clone())))
        }
        DataType::Int32 => numbers::<Int32Type>(&column),
        DataType::Int64 => numbers::<Int64Type>(&column),
        DataType::Float32 => numbers::<Float32Type>(&column),
        DataType::Float64 => numbers::<Float64Type>(&column),
        DataType::Timestamp(..) => numbers::<TimestampMicrosecondType>(&column),
        // Texts have no bytes where they are missing.
        _ => column,
    }
}

fn numbers<T: ArrowPrimitiveType>(column: &ArrayRef) -> ArrayRef {
    let Some(array) = column.as_primitive_opt::<T>() else { return column.clone() };
    let values = array.iter().map(Option::unwrap_or_default).collect();
    Arc::new(PrimitiveArray::<T>::new(values, array.nulls().cloned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::Float64Array;
    use arrow_buffer::NullBuffer;
    use arrow_schema::{Field, Schema};

    #[test]
    fn zero_under_missing_values() {
        let nulls = NullBuffer::from(vec![true, false, true]);
        let x = Float64Array::new(vec![1.0, 2.0, 3.0].into(), Some(nulls.clone()));
        let yes = BooleanArray::new(vec![true, true, false].into(), Some(nulls));
        let fields = ["x", "yes"].into_iter().zip([DataType::Float64, DataType::Boolean]);
        let fields: Vec<Field> = fields.map(|(n, t)| Field::new(n, t, true)).collect();
        let columns: Vec<ArrayRef> = vec![Arc::new(x), Arc::new(yes)];
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
        let found = blanked(batch.clone()).unwrap();
        assert_eq!(found, batch);
        assert_eq!(found.column(0).as_primitive::<Float64Type>().values()[..], [1.0, 0.0, 3.0]);
        assert!(!found.column(1).as_boolean().values().value(1));
    }
}
