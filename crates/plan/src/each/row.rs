//! The row that an inner pipeline is planned for, as its steps see it.
use crate::tests::value;
use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, new_null_array,
};
use base::{DType, Field, Value};
use expr::{Given, row_column};
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

/// For steps that read files which do not say what is in them: the columns of the first row's file,
/// and their types. The files of other rows are read alike.
pub type Alike = Arc<HashMap<String, Columns>>;

/// Columns of a file, and their types.
pub type Columns = (Vec<String>, Vec<DType>);

/// The row.
#[derive(Debug)]
pub struct Row {
    /// Its columns.
    pub fields: Vec<Field>,
    /// The values of its columns, each an array of one.
    pub arrays: Vec<ArrayRef>,
    /// The names of which constants may be made: parameters, and the columns of the row.
    pub constants: Vec<(String, Value)>,
    /// How many of them are parameters: the columns follow.
    params: usize,
    /// How files are read, by the names of the steps.
    pub alike: Alike,
    /// Whether something of the plan itself depends on a value of the row: a text, a domain.
    pub fixed: Cell<bool>,
}

impl Row {
    /// A row of these columns, all of them missing, beside parameters none of which has the name
    /// of a column.
    pub fn new(fields: &[Field], params: &[(String, Value)], alike: &Alike) -> Row {
        let arrays = fields.iter().map(|f| new_null_array(&f.dtype.arrow(), 1)).collect();
        let mut constants = params.to_vec();
        constants.extend(fields.iter().map(|f| (f.name.to_string(), Value::Null)));
        Row {
            fields: fields.to_vec(),
            arrays,
            constants,
            params: params.len(),
            alike: alike.clone(),
            fixed: false.into(),
        }
    }

    /// The same of row `at` of a batch of these columns.
    pub fn set(&mut self, batch: &RecordBatch, at: usize) {
        for (i, array) in self.arrays.iter_mut().enumerate() {
            *array = batch.column(i).slice(at, 1);
            self.constants[self.params + i].1 = value(array, 0);
        }
        self.fixed.set(false);
    }

    /// Whether it has a column of this name.
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|f| &*f.name == name)
    }

    /// Its columns for programs: of known values, or such as come with each tile.
    pub fn given(&self, known: bool) -> Vec<(Field, Given)> {
        let given = |array: &ArrayRef| match known {
            true => Given::Table(array.clone()),
            false => Given::Loaded,
        };
        let column = |(field, array)| (row_column(field), given(array));
        self.fields.iter().zip(&self.arrays).map(column).collect()
    }
}

/// A value as an array of one.
pub fn array(value: &Value) -> ArrayRef {
    match value {
        Value::Null => Arc::new(StringArray::from(vec![None::<&str>])),
        Value::Bool(x) => Arc::new(BooleanArray::from(vec![*x])),
        Value::Int(x) => Arc::new(Int64Array::from(vec![*x])),
        Value::Float(x) => Arc::new(Float64Array::from(vec![*x])),
        Value::Str(x) => Arc::new(StringArray::from(vec![x.as_str()])),
        Value::Timestamp(x) => Arc::new(TimestampMicrosecondArray::from(vec![*x])),
    }
}
