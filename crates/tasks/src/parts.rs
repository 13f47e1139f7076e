//! Answers to several rows taken apart, and put together again.
use crate::work::{Answer, Rows};
use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array, new_empty_array, new_null_array};
use arrow_schema::ArrowError;
use arrow_select::concat::concat;
use arrow_select::take::take_record_batch;
use base::Field;
use std::sync::Arc;

impl Answer {
    /// Whether it has what the answer to so many rows has to have.
    pub fn is_sound(&self, rows: usize) -> bool {
        let all = match &self.repeats {
            Some(repeats) if repeats.len() == rows => repeats.iter().map(|n| *n as usize).sum(),
            Some(_) => return false,
            None => rows,
        };
        let errors = self.errors.is_empty() || self.errors.len() == rows;
        errors && self.columns.iter().all(|column| column.len() == all)
    }

    /// The answer to each of so many rows. What was made for all of them was made for each.
    pub fn apart(&self, rows: usize) -> Vec<Answer> {
        let mut first = 0;
        let row = |i: usize| {
            let repeats = self.repeats.as_ref().map(|repeats| repeats[i]);
            let count = repeats.map_or(1, |n| n as usize);
            let slice = |array: &ArrayRef| array.slice(first, count);
            let columns = self.columns.iter().map(slice).collect();
            first += count;
            let error = self.errors.get(i).cloned().flatten();
            Answer {
                columns,
                repeats: repeats.map(|n| vec![n]),
                errors: error.into_iter().map(Some).collect(),
                made: self.made.clone(),
            }
        };
        (0..rows).map(row).collect()
    }

    /// Answers to one row each, as one answer.
    ///
    /// # Errors
    /// If they do not have the columns that these fields say.
    pub fn together(parts: Vec<Answer>, fields: &[Field]) -> Result<Answer, ArrowError> {
        let count = |part: &Answer| part.repeats.as_ref().map_or(1, |n| n[0] as usize);
        let column = |(i, field): (usize, &Field)| {
            let piece = |part: &Answer| match part.columns.get(i) {
                Some(array) => array.clone(),
                None => new_null_array(&field.dtype.arrow(), count(part)),
            };
            let pieces: Vec<ArrayRef> = parts.iter().map(piece).collect();
            let pieces: Vec<&dyn Array> = pieces.iter().map(|p| &**p).collect();
            match pieces.is_empty() {
                true => Ok(new_empty_array(&field.dtype.arrow())),
                false => concat(&pieces),
            }
        };
        let columns = fields.iter().enumerate().map(column).collect::<Result<_, _>>()?;
        let many = parts.iter().any(|part| part.repeats.is_some());
        let repeats = many.then(|| parts.iter().map(|part| count(part) as u32).collect());
        let failed = parts.iter().any(|part| !part.errors.is_empty());
        let error = |part: &Answer| part.errors.first().cloned().flatten();
        let errors = if failed { parts.iter().map(error).collect() } else { Vec::new() };
        let made = parts.into_iter().flat_map(|part| part.made).collect();
        Ok(Answer { columns, repeats, errors, made })
    }
}

impl Rows {
    /// Row `i` alone.
    pub fn row(&self, i: usize) -> Rows {
        Rows { batch: self.batch.clone(), first: self.first + i, count: 1 }
    }

    /// Some of the rows, ascending.
    ///
    /// # Errors
    /// If Arrow cannot take them.
    pub fn some(&self, rows: &[usize]) -> Result<Rows, ArrowError> {
        if rows.len() == self.count {
            return Ok(self.clone());
        }
        let at: UInt32Array = rows.iter().map(|row| (self.first + row) as u32).collect();
        let batch: RecordBatch = take_record_batch(&self.batch, &at)?;
        Ok(Rows { batch: Arc::new(batch), first: 0, count: rows.len() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::Int64Array;
    use base::{DType, DimMask};

    #[test]
    fn answers_are_put_together_as_they_were() {
        let fields = [Field::new("x", DType::Int64, DimMask::only(0))];
        let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(vec![1, 2, 3]))];
        let answer = Answer { columns, repeats: Some(vec![2, 0, 1]), ..Answer::default() };
        let parts = answer.apart(3);
        assert_eq!(parts[2].columns[0].len(), 1);
        let back = Answer::together(parts.clone(), &fields).unwrap();
        assert_eq!((back.columns, back.repeats), (answer.columns, answer.repeats));
        let failed = Answer::failed(1, "no");
        let back = Answer::together(vec![parts[0].clone(), failed], &fields).unwrap();
        assert_eq!(back.columns[0].len(), 3);
        assert_eq!(back.errors, [None, Some("no".to_owned())]);
        assert_eq!(back.repeats, Some(vec![2, 1]));
    }
}
